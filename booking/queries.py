"""Reads about booking. What belongs to a child or a doctor takes the viewer and asks people.access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from booking import rules
from booking.locks import locked
from booking.models import (
    COMING,
    HOLDING,
    Appointment,
    Period,
    Pool,
    Schedule,
    ScheduleStatus,
    Slot,
    SlotStatus,
)
from booking.roster_models import Roster
from config.errors import NotFound
from people.access import Viewer, children_of, practitioner_of
from people.models import Department, Patient, Practitioner


@dataclass(frozen=True)
class PeriodCount:
    """One period of one day in a department: how many doctors, how many numbers in all, and left for everybody."""

    day: date
    period: Period
    doctors: int
    total: int
    free: int


@dataclass(frozen=True)
class Offer:
    """One doctor's period as it is offered: numbers left, and the time of the lowest free one (None: sold out).

    ``later``: how many more are kept back until the policy's hour on the day of the release.
    """

    schedule: Schedule
    practitioner: Practitioner
    department: Department
    total: int
    free: int
    next_at: datetime | None
    later: int = 0


@dataclass(frozen=True)
class Visit:
    """An appointment with those whom it joins."""

    appointment: Appointment
    schedule: Schedule
    practitioner: Practitioner
    department: Department
    patient: Patient

    @property
    def estimate(self) -> datetime:
        """When the child is expected, the doctor's delay included."""
        return self.appointment.starts_at + self.schedule.delay


@dataclass(frozen=True)
class DayList:
    """How many children a doctor with a WeChat account sees on a day, and when the first is expected."""

    day: date
    practitioner: Practitioner
    department: Department
    children: int
    first_at: datetime


OVER_AT = Schedule.ends_at + func.make_interval(0, 0, 0, 0, 0, Schedule.delay_minutes)
_ACTIVE = Schedule.status == ScheduleStatus.ACTIVE
_TOTAL = func.count().filter((Slot.pool != Pool.WITHDRAWN) | (Slot.status != SlotStatus.FREE))


def _free(pool: Pool = Pool.OPEN) -> ColumnElement[int]:
    return func.count().filter(Slot.status == SlotStatus.FREE, Slot.pool == pool)


def period_counts(
    session: Session, department_id: UUID, first: date, last: date, *wanted: ColumnElement[bool]
) -> list[PeriodCount]:
    """The periods of a department from ``first`` to ``last`` that have an active schedule (booking/choosing.py has what
    may be ``wanted``)."""
    rows = session.execute(
        select(Schedule.day, Schedule.period, func.count(Schedule.id.distinct()), _TOTAL, _free())
        .join(Slot, Slot.schedule_id == Schedule.id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .where(Schedule.department_id == department_id, Schedule.day.between(first, last), *wanted)
        .where(Schedule.status == ScheduleStatus.ACTIVE)
        .group_by(Schedule.day, Schedule.period)
    )
    return [PeriodCount(*row) for row in rows]


def fees(session: Session, department_id: UUID, first: date, last: date) -> tuple[int, int] | None:
    """The lowest and the highest fee (fen) of a department's active schedules between the days; None without any."""
    lowest, highest = session.execute(
        select(func.min(Schedule.fee_fen), func.max(Schedule.fee_fen))
        .where(Schedule.department_id == department_id, Schedule.day.between(first, last))
        .where(Schedule.status == ScheduleStatus.ACTIVE)
    ).one()
    return None if lowest is None else (lowest, highest)


def open_departments(session: Session, first: date, last: date) -> dict[UUID, int]:
    """Departments with an active schedule between the days: id to numbers left."""
    rows = session.execute(
        select(Schedule.department_id, _free())
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Schedule.day.between(first, last), Schedule.status == ScheduleStatus.ACTIVE)
        .group_by(Schedule.department_id)
    )
    return {department_id: free for department_id, free in rows}


def offers(
    session: Session, department_id: UUID, day: date, period: Period, *wanted: ColumnElement[bool]
) -> list[Offer]:
    """The doctors of a period, those with numbers left first, then by rank and name."""
    there = (Schedule.department_id == department_id, Schedule.day == day, Schedule.period == period)
    found = select_offers(session, *there, *wanted)
    return sorted(found, key=lambda offer: (offer.free == 0, offer.practitioner.code))


def offer(session: Session, schedule_id: UUID, pool: Pool = Pool.OPEN) -> Offer:
    """One doctor's period. Raises NotFound when there is none or the clinic is stopped."""
    found = select_offers(session, Schedule.id == schedule_id, pool=pool)
    if not found:
        raise NotFound
    return found[0]


def select_offers(
    session: Session, *conditions: ColumnElement[bool], pool: Pool = Pool.OPEN, stopped: bool = False
) -> list[Offer]:
    """The active periods (``stopped``: the others too) that meet the conditions, with the free numbers of a pool."""
    rows = session.execute(
        select(Schedule, Practitioner, Department, _TOTAL, _free(pool), _next_at(pool), _free(Pool.LATER))
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Schedule.department_id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(*conditions, *([] if stopped else [_ACTIVE]))
        .group_by(Schedule.id, Practitioner.id, Department.id)
    )
    return [Offer(*row) for row in rows]


def _next_at(pool: Pool) -> ColumnElement[datetime]:
    return func.min(Slot.starts_at).filter(Slot.status == SlotStatus.FREE, Slot.pool == pool)


def whole_visits() -> Select[Appointment, Schedule, Practitioner, Department, Patient]:
    """What a Visit is made of; the caller narrows it down."""
    return (
        select(Appointment, Schedule, Practitioner, Department, Patient)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Appointment.department_id)
        .join(Patient, Patient.id == Appointment.patient_id)
    )


def _of_my_children(viewer: Viewer) -> ColumnElement[bool]:
    return Appointment.patient_id.in_(children_of(viewer))


def coming_visits(session: Session, viewer: Viewer, now: datetime) -> list[Visit]:
    """The coming visits of the viewer's children, soonest first, whoever of the guardians booked them."""
    rows = session.execute(
        whole_visits()
        .where(_of_my_children(viewer), Appointment.status.in_(COMING), now < OVER_AT)
        .order_by(Appointment.starts_at, Appointment.number)
    )
    return [Visit(*row) for row in rows]


def past_visits(session: Session, viewer: Viewer, now: datetime, limit: int = 30) -> list[Visit]:
    """The visits of the viewer's children that are over or cancelled, latest first."""
    rows = session.execute(
        whole_visits()
        .where(_of_my_children(viewer), Appointment.status.notin_(COMING) | (now >= OVER_AT))
        .order_by(Appointment.starts_at.desc(), Appointment.number)
        .limit(limit)
    )
    return [Visit(*row) for row in rows]


def visit_of(session: Session, viewer: Viewer, appointment_id: UUID) -> Visit:
    """One visit of one of the viewer's children. Raises NotFound for anybody else's."""
    row = session.execute(whole_visits().where(_of_my_children(viewer), Appointment.id == appointment_id)).one_or_none()
    if row is None:
        raise NotFound
    return Visit(*row)


def all_taken(session: Session, schedule_id: UUID) -> frozenset[UUID] | None:
    """The children who hold a number of a schedule's department and day, when none of its open numbers is free. None:
    one is, or is being taken by a booking that has not ended; or the clinic is stopped."""
    free = select(Slot.id).where(
        Slot.schedule_id == schedule_id, Slot.status == SlotStatus.FREE, Slot.pool == Pool.OPEN
    )
    holding = select(Appointment.patient_id).where(
        Appointment.department_id == Schedule.department_id,
        Appointment.day == Schedule.day,
        Appointment.status.in_(HOLDING),
    )
    found = session.execute(
        select(free.exists(), func.array(holding.scalar_subquery())).where(Schedule.id == schedule_id, _ACTIVE)
    ).one_or_none()
    return None if found is None or found[0] else frozenset(found[1])


def replacement(session: Session, viewer: Viewer, appointment_id: UUID) -> UUID | None:
    """The appointment of one of the viewer's children that an earlier one was changed to, held or booked."""
    found = select(Appointment.id).where(
        Appointment.replaces_id == appointment_id, Appointment.status.in_(COMING), _of_my_children(viewer)
    )
    return session.scalar(found.order_by(Appointment.id.desc()).limit(1))


def alternatives(session: Session, instead_of: Visit, days: Sequence[date], limit: int) -> list[Offer]:
    """Periods of the visit's department with numbers left on these days: the same doctor's first, then soonest."""
    found = select_offers(
        session,
        Schedule.department_id == instead_of.department.id,
        Schedule.day.in_(days),
        Schedule.id != instead_of.schedule.id,
    )
    free = [offer for offer in found if offer.free]
    return sorted(
        free,
        key=lambda offer: (offer.practitioner.id != instead_of.practitioner.id, offer.schedule.starts_at),
    )[:limit]


def soonest(session: Session, instead_of: Visit, days: Sequence[date], limit: int) -> list[Offer]:
    """What a child whose clinic was stopped could have instead, soonest first; days with a number already left out."""
    held = session.scalars(
        select(Appointment.day).where(
            Appointment.patient_id == instead_of.patient.id,
            Appointment.department_id == instead_of.department.id,
            Appointment.status.in_(HOLDING),
        )
    ).all()
    free = [day for day in days if day not in held]
    found = select_offers(session, Schedule.department_id == instead_of.department.id, Schedule.day.in_(free))
    return sorted((offer for offer in found if offer.free), key=_next)[:limit]


def _next(offer: Offer) -> tuple[datetime | None, str]:
    return offer.next_at, offer.practitioner.code


def visit(session: Session, appointment_id: UUID) -> Visit:
    """One visit, for the clinic's own messages: no viewer, never for a page."""
    return Visit(*session.execute(whole_visits().where(Appointment.id == appointment_id)).one())


def holds_coming(session: Session, patient_id: UUID, account_id: UUID, now: datetime) -> bool:
    """Whether the account booked a visit for the child that is still to come."""
    found = select(Appointment.id).where(
        Appointment.patient_id == patient_id,
        Appointment.account_id == account_id,
        Appointment.status.in_(COMING),
        Appointment.starts_at > now,
    )
    return session.scalar(select(found.exists())) or False


def holders(session: Session, patient_ids: Sequence[UUID], department_id: UUID, day: date) -> set[UUID]:
    """Which of these children hold a number in the department on that day."""
    rows = session.scalars(
        select(Appointment.patient_id).where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.department_id == department_id,
            Appointment.day == day,
            Appointment.status.in_(HOLDING),
        )
    )
    return set(rows)


def practitioner_visits(session: Session, viewer: Viewer, first: date, last: date) -> list[Visit]:
    """The visits booked with the viewer, who must be a practitioner, from ``first`` to ``last``. Raises NotStaff."""
    practitioner = practitioner_of(session, viewer)
    rows = session.execute(
        whole_visits()
        .where(Schedule.practitioner_id == practitioner.id, Schedule.day.between(first, last))
        .where(Appointment.status.in_(HOLDING))
        .order_by(Appointment.starts_at, Appointment.number)
    )
    return [Visit(*row) for row in rows]


def own_appointment(session: Session, viewer: Viewer, appointment_id: UUID) -> tuple[Appointment, Schedule]:
    """An appointment (locked) of the viewer's own list, with its schedule. Raises NotStaff, NotFound."""
    practitioner = practitioner_of(session, viewer)
    own = select(Appointment.id).join(Schedule, Schedule.id == Appointment.schedule_id)
    own = own.where(Appointment.id == appointment_id, Schedule.practitioner_id == practitioner.id)
    if session.scalar(own) is None:
        raise NotFound
    appointment = locked(session, appointment_id)
    schedule = session.get_one(Schedule, appointment.schedule_id)
    if schedule.practitioner_id != practitioner.id:  # a colleague has taken it over meanwhile
        raise NotFound
    return appointment, schedule


def day_lists(session: Session, day: date) -> list[DayList]:
    """The doctors who have a WeChat account and somebody booked on a day, for the clinic's own messages."""
    rows = session.execute(
        select(Practitioner, Department, func.count(), func.min(Appointment.starts_at))
        .join(Schedule, Schedule.practitioner_id == Practitioner.id)
        .join(Department, Department.id == Practitioner.department_id)
        .join(Appointment, Appointment.schedule_id == Schedule.id)
        .where(Schedule.day == day, Schedule.status == ScheduleStatus.ACTIVE, Appointment.status.in_(COMING))
        .where(Practitioner.active, Practitioner.account_id.is_not(None))
        .group_by(Practitioner.id, Department.id)
    )
    return [DayList(day, *row) for row in rows]


def practitioner_offers(
    session: Session, viewer: Viewer, first: date, last: date, *, stopped: bool = False
) -> list[Offer]:
    """The viewer's own periods from ``first`` to ``last``, soonest first; with ``stopped`` also those that are stopped.

    Raises NotStaff.
    """
    own = [Schedule.practitioner_id == practitioner_of(session, viewer).id, Schedule.day.between(first, last)]
    found = select_offers(session, *own, stopped=stopped)
    return sorted(found, key=lambda offer: offer.schedule.starts_at)


def practitioner_week(session: Session, viewer: Viewer, day: date) -> list[tuple[Roster, Department]]:
    """The viewer's weekly template as it stands on a day, with what is to change later. Raises NotStaff."""
    rows = session.execute(
        select(Roster, Department)
        .join(Department, Department.id == Roster.department_id)
        .where(Roster.practitioner_id == practitioner_of(session, viewer).id)
        .where(Roster.valid_to.is_(None) | (Roster.valid_to >= day))
        .order_by(Roster.weekday, Roster.valid_from)
    )
    found = {roster: department for roster, department in rows}
    return [(roster, found[roster]) for roster in rules.in_force(list(found), day)]
