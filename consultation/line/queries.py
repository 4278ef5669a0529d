"""Reads about a doctor's line. Who may look is asked before: a seat, a guardian's visit, or the doctor's own line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from booking.models import Appointment, Pool, Schedule, ScheduleStatus, Slot
from booking.queries import Visit
from config.clock import today
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind
from consultation.line import rules
from consultation.line.models import Attestation, CheckedDoctor, Confirmed, Handover, HandoverStatus
from people.models import Department, Patient, Practitioner, PractitionerRole, Role

WAITING = Encounter.status == EncounterStatus.ARRIVED
BUSY = (
    (Encounter.status == EncounterStatus.IN_PROGRESS) & Encounter.extended_at.is_(None) & (Encounter.kind == Kind.VIDEO)
)


@dataclass(frozen=True)
class Place:
    """A child's place in the line: how many are before it, and about when its turn comes."""

    ahead: int
    at: datetime
    pace: timedelta


@dataclass(frozen=True)
class Row:
    """One child of a doctor's line, as the desk shows it."""

    encounter: Encounter
    appointment: Appointment
    patient: Patient


def line(session: Session, practitioner_id: UUID) -> Sequence[Encounter]:
    """The children who have checked in with a doctor and are not in the room yet, in the order of their turns."""
    return session.scalars(
        select(Encounter)
        .where(Encounter.practitioner_id == practitioner_id, WAITING)
        .order_by(Encounter.turn, Encounter.id)
        .execution_options(populate_existing=True)
    ).all()


def calling(line: Sequence[Encounter]) -> Encounter | None:
    """Who of a line is being called."""
    return next((one for one in line if one.called_at), None)


def busy_with(session: Session, practitioner_id: UUID) -> Encounter | None:
    """The child in the doctor's room; those whose visit is kept open by hand, or held in writing, do not count."""
    return session.scalar(select(Encounter).where(Encounter.practitioner_id == practitioner_id, BUSY).limit(1))


def rows(session: Session, practitioner_id: UUID) -> list[Row]:
    """The doctor's line and rooms for the desk: who is in a room first, then the line in its order. Visits in writing
    have a list of their own."""
    found = session.execute(
        select(Encounter, Appointment, Patient)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(Encounter.practitioner_id == practitioner_id)
        .where(
            Encounter.status.in_((EncounterStatus.IN_PROGRESS, EncounterStatus.ARRIVED)), Encounter.kind == Kind.VIDEO
        )
        .order_by(Encounter.status == EncounterStatus.ARRIVED, Encounter.turn, Encounter.id)
    )
    return [Row(*row) for row in found]


def pace_of(session: Session, encounter: Encounter, now: datetime) -> timedelta:
    """How long a visit takes with this doctor today (rules.pace)."""
    schedule = session.get_one(Schedule, encounter.schedule_id)
    numbers = session.scalar(select(func.count()).where(Slot.schedule_id == schedule.id, Slot.pool != Pool.WITHDRAWN))
    own = _finished(session, Encounter.practitioner_id == encounter.practitioner_id, now)
    others = [] if len(own) > 1 else _finished(session, Encounter.department_id == encounter.department_id, now)
    return rules.pace(own, others, rules.slot(schedule, numbers or 1))


def _finished(session: Session, whose: ColumnElement[bool], now: datetime) -> list[timedelta]:
    ended = session.execute(
        select(Encounter.started_at, Encounter.ended_at)
        .where(whose, Encounter.status == EncounterStatus.FINISHED, Encounter.kind == Kind.VIDEO)
        .where(Encounter.ended_at > now - timedelta(hours=18), Encounter.extended_at.is_(None))
    )
    return [end - start for start, end in ended if start and end and today(end) == today(now)]


def place(session: Session, encounter: Encounter, visit: Visit, now: datetime) -> Place:
    """The place of a child that waits. ``visit`` is its own."""
    waiting = line(session, encounter.practitioner_id)
    ahead = next((n for n, one in enumerate(waiting) if one.id == encounter.id), len(waiting))
    room = busy_with(session, encounter.practitioner_id)
    takes = pace_of(session, encounter, now)
    begins = visit.schedule.starts_at + visit.schedule.delay
    at = rules.estimate(now, ahead, takes, room.started_at if room else None, begins)
    return Place(ahead + bool(room), at, takes)


def checked(session: Session, practitioner_id: UUID, schedule_id: UUID) -> bool:
    """Whether the doctor's identity was checked for this session."""
    found = select(CheckedDoctor.id).where(
        CheckedDoctor.practitioner_id == practitioner_id, CheckedDoctor.schedule_id == schedule_id
    )
    return session.scalar(found) is not None


def _doctors(department_id: UUID) -> Select[Practitioner]:
    return (
        select(Practitioner)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role == Role.DOCTOR, Practitioner.active, Practitioner.title.is_not(None))
        .where(Practitioner.department_id == department_id, Practitioner.account_id.is_not(None))
        .order_by(Practitioner.code)
    )


def doctors_there(session: Session, department_id: UUID, now: datetime, but: UUID) -> list[tuple[Practitioner, int]]:
    """The department's other doctors who hold a session now (their identity was checked for it), each with how many
    children they have waiting or in the room; those with the fewest first."""
    there = select(CheckedDoctor.practitioner_id).join(Schedule, Schedule.id == CheckedDoctor.schedule_id)
    there = there.where(
        Schedule.day == today(now),
        now < Schedule.ends_at + func.make_interval(0, 0, 0, 0, 0, Schedule.delay_minutes),
    )
    waiting = (
        select(func.count())
        .where(Encounter.practitioner_id == Practitioner.id, WAITING | BUSY)
        .correlate(Practitioner)
        .scalar_subquery()
    )
    found = session.execute(
        _doctors(department_id).add_columns(waiting).where(Practitioner.id.in_(there), Practitioner.id != but)
    )
    return sorted(((doctor, count) for doctor, count in found), key=lambda pair: (pair[1], pair[0].code))


def asked(session: Session, encounter: Encounter) -> Handover | None:
    """The open question whether another doctor may see the child."""
    return session.scalar(
        select(Handover).where(Handover.encounter_id == encounter.id, Handover.status == HandoverStatus.ASKED)
    )


def confirmed(session: Session, encounter: Encounter) -> frozenset[Confirmed]:
    """What was confirmed by the two who are in the room now: the guardian with the child and the treating doctor."""
    doctor = session.get_one(Practitioner, encounter.practitioner_id).account_id
    found = session.execute(
        select(Attestation.kind, Attestation.account_id).where(Attestation.encounter_id == encounter.id)
    )
    return frozenset(
        kind for kind, who in found if who == (encounter.account_id if kind is Confirmed.PRESENT else doctor)
    )


def needed(session: Session, encounter: Encounter, policy: Policy) -> frozenset[Confirmed]:
    """What must be confirmed for this child: under the policy's age also who is present (rules 2018, art. 19)."""
    born = session.get_one(Patient, encounter.patient_id).birth_date
    day = session.get_one(Appointment, encounter.appointment_id).day
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    whole = {Confirmed.CHILD, Confirmed.GUARDIAN}
    return frozenset(whole | {Confirmed.PRESENT, Confirmed.SPECIALTY} if years < policy.attest_under_years else whole)


def attested(session: Session, encounter: Encounter, policy: Policy) -> bool:
    """Whether all that must be confirmed is; without it the visit can be held, but nothing may rest on it."""
    return needed(session, encounter, policy) <= confirmed(session, encounter)


def begun(session: Session, appointment_id: UUID) -> bool:
    """Whether the visit has begun in its room, or ended there: nobody marks or cancels it by hand any more."""
    return appointment_id in begun_of(session, [appointment_id])


def department_code(session: Session, encounter: Encounter) -> str:
    """Whose policy rules the encounter."""
    return session.get_one(Department, encounter.department_id).code


def begun_of(session: Session, appointment_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these visits have begun in their room, or ended there after missed calls, or after the line was left."""
    missed = Encounter.ending == Ending.MISSED_CALLS
    found = select(Encounter.appointment_id).where(
        Encounter.appointment_id.in_(appointment_ids), Encounter.started_at.is_not(None) | missed
    )
    return frozenset(session.scalars(found))


def next_session(session: Session, practitioner_id: UUID, now: datetime) -> Schedule | None:
    """The doctor's session that is on today, or comes next today."""
    return session.scalar(
        select(Schedule)
        .where(Schedule.practitioner_id == practitioner_id, Schedule.day == today(now))
        .where(now < Schedule.ends_at + func.make_interval(0, 0, 0, 0, 0, Schedule.delay_minutes))
        .where(Schedule.status == ScheduleStatus.ACTIVE)
        .order_by(Schedule.starts_at)
        .limit(1)
    )
