"""What the worker sees to: calls that were missed, families who left for good, children who wait too long, visits that
nobody answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from booking.models import COMING, Appointment, AppointmentStatus, Schedule
from booking.queries import OVER_AT
from config.formats import masked
from config.policy import Policy, current
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind, RoomEvent
from consultation.line import queries, rules
from consultation.line.actions.calling import miss
from consultation.line.actions.ending import appointment_ended, finish
from consultation.line.actions.holding import hold, hold_line
from consultation.line.late import LATE, OFFERED
from people import tasks
from people.models import Department, Patient, Practitioner, PractitionerRole, Role
from people.tasks import Task, TaskStatus

BY = "worker"
WITHIN = timedelta(minutes=10)  # for a task about a child that waits
MESSAGE = "message"  # the kind of a room's event that wants an answer


def watch(session: Session, department: Department, now: datetime) -> None:
    """See to one department's lines. Safe to repeat at any moment."""
    policy = current(session, now, department.code)
    missed = _unanswered_calls(session, department.id, now, policy)
    forgotten, gone = _forgotten(session, department.id, now, policy), _gone(session, department.id, now)
    for line in sorted({one.practitioner_id for one in (*missed, *forgotten, *gone)}):
        hold_line(session, line)
    for encounter in missed:
        _end_call(session, hold(session, encounter.id), now, policy)
    for encounter in forgotten:
        if hold(session, encounter.id).status is EncounterStatus.ARRIVED:
            finish(session, encounter, Ending.UNANSWERED, now, policy, BY)
    for encounter in gone:
        if hold(session, encounter.id).status is EncounterStatus.PLANNED:
            finish(session, encounter, Ending.MISSED_CALLS, now, policy, BY)
    _close_never_begun(session, department.id, now)
    for encounter in _late(session, department.id, now, policy):
        _look_after(session, encounter, now, policy)


def _of(department_id: UUID, *statuses: EncounterStatus) -> Select[Encounter]:
    return select(Encounter).where(Encounter.department_id == department_id, Encounter.status.in_(statuses))


def _unanswered_calls(session: Session, department_id: UUID, now: datetime, policy: Policy) -> Sequence[Encounter]:
    until = now - timedelta(seconds=policy.call_seconds)
    return session.scalars(_of(department_id, EncounterStatus.ARRIVED).where(Encounter.called_at <= until)).all()


def _end_call(session: Session, encounter: Encounter, now: datetime, policy: Policy) -> None:
    """The call (row and line held) was missed, unless somebody joined, rang again or took it back meanwhile."""
    until = now - timedelta(seconds=policy.call_seconds)
    if encounter.status is EncounterStatus.ARRIVED and encounter.called_at and encounter.called_at <= until:
        miss(session, encounter, now, policy, by=BY)


def _forgotten(session: Session, department_id: UUID, now: datetime, policy: Policy) -> Sequence[Encounter]:
    """Children who came and whom nobody called: they are not to pay."""
    over_at = Schedule.ends_at + func.make_interval(0, 0, 0, 0, 0, Schedule.delay_minutes + policy.unanswered_minutes)
    waiting = _of(department_id, EncounterStatus.ARRIVED).join(Schedule, Schedule.id == Encounter.schedule_id)
    return session.scalars(waiting.where(over_at <= now)).all()


def _gone(session: Session, department_id: UUID, now: datetime) -> Sequence[Encounter]:
    """Families who checked in, left the line and did not come back in time: a miss, by the rules of marking."""
    left = (
        _of(department_id, EncounterStatus.PLANNED)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .join(Schedule, Schedule.id == Encounter.schedule_id)
        .where(Encounter.arrived_at.is_not(None), Appointment.status == AppointmentStatus.ARRIVED, now >= OVER_AT)
    )
    return session.scalars(left).all()


def _close_never_begun(session: Session, department_id: UUID, now: datetime) -> None:
    never = (
        _of(department_id, EncounterStatus.PLANNED)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .where(Appointment.status.not_in(COMING), Appointment.final_at.is_(None))
    )
    for encounter in session.scalars(never).all():
        appointment_ended(session, encounter.appointment_id, now)


def _late(session: Session, department_id: UUID, now: datetime, policy: Policy) -> list[Encounter]:
    """Children who were not called in time, and families whose message in the room had no answer."""
    since = now - timedelta(minutes=policy.late_minutes)
    waiting = session.execute(
        _of(department_id, EncounterStatus.ARRIVED)
        .add_columns(Appointment.starts_at, Schedule)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .join(Schedule, Schedule.id == Encounter.schedule_id)
        .where(Encounter.called_at.is_(None))
    )
    late = [
        encounter
        for encounter, starts_at, schedule in waiting
        if rules.due_at(encounter, starts_at + schedule.delay) <= since
    ]
    said, answered = aliased(RoomEvent), aliased(RoomEvent)
    doctor = select(Practitioner.account_id).where(Practitioner.id == Encounter.practitioner_id).scalar_subquery()
    open_ = exists().where(
        said.encounter_id == Encounter.id,
        said.kind == MESSAGE,
        said.by_id == Encounter.account_id,
        said.at <= since,
        ~exists().where(answered.encounter_id == Encounter.id, answered.by_id == doctor, answered.n > said.n),
    )
    silent = _of(department_id, EncounterStatus.IN_PROGRESS).where(Encounter.kind == Kind.VIDEO, open_)
    return [*late, *session.scalars(silent)]


def _look_after(session: Session, encounter: Encounter, now: datetime, policy: Policy) -> None:
    """Who leads the team (else the department) first, then one free doctor after the other; each is asked once."""
    subject = encounter.appointment_id
    asked = session.scalars(
        select(Task).where(Task.subject_id == subject, Task.kind.in_((LATE, OFFERED))).order_by(Task.id)
    ).all()
    if not asked:
        _ask(session, encounter, now, LATE)
        return
    if asked[-1].created_at > now - timedelta(minutes=policy.late_offer_minutes) or queries.asked(session, encounter):
        return
    free = _free(session, encounter, asked, now)
    if free is None:
        return
    tasks.settle(session, OFFERED, subject, why="offered to another doctor", now=now)
    session.flush()
    _ask(session, encounter, now, OFFERED, free)


def _free(session: Session, encounter: Encounter, asked: Sequence[Task], now: datetime) -> Practitioner | None:
    """A doctor of the department who is there, has nobody waiting or in the room, and was not asked yet."""
    before = {task.practitioner_id for task in asked if task.kind == OFFERED}
    there = queries.doctors_there(session, encounter.department_id, now, but=encounter.practitioner_id)
    return next((doctor for doctor, count in there if not count and doctor.id not in before), None)


def _ask(session: Session, encounter: Encounter, now: datetime, kind: str, doctor: Practitioner | None = None) -> None:
    name = masked(session.get_one(Patient, encounter.patient_id).name)
    led = PractitionerRole.department_id == encounter.department_id
    lead = session.scalar(select(PractitionerRole.id).where(led, PractitionerRole.role == Role.TEAM_LEAD).limit(1))
    role = Role.TEAM_LEAD if lead else Role.DEPARTMENT_HEAD
    tasks.open(
        session,
        kind=kind,
        subject_id=encounter.appointment_id,
        about={"zh_CN": name, "en": name},
        deadline=now + WITHIN,
        now=now,
        role=None if doctor else role,
        department_id=None if doctor else encounter.department_id,
        practitioner_id=doctor.id if doctor else None,
    )


def offered_to(session: Session, appointment_id: UUID, practitioner_id: UUID) -> bool:
    """Whether the child was offered to this doctor, and still is."""
    found = select(Task.id).where(
        Task.kind == OFFERED,
        Task.subject_id == appointment_id,
        Task.practitioner_id == practitioner_id,
        Task.status == TaskStatus.OPEN,
    )
    return session.scalar(found) is not None
