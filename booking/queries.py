"""Reads about booking. What belongs to a child or a doctor takes the viewer and asks people.access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from booking.models import COMING, HOLDING, Appointment, Period, Schedule, ScheduleStatus, Slot, SlotStatus
from config.errors import NotFound
from people.access import Viewer, practitioner_of
from people.models import Department, GuardianStatus, Patient, Practitioner, RelatedPerson


@dataclass(frozen=True)
class PeriodCount:
    """One period of one day in a department: how many doctors, how many numbers in all and left."""

    day: date
    period: Period
    doctors: int
    total: int
    free: int


@dataclass(frozen=True)
class Offer:
    """One doctor's period as it is offered: numbers left, and the time of the lowest free one (None: sold out)."""

    schedule: Schedule
    practitioner: Practitioner
    department: Department
    total: int
    free: int
    next_at: datetime | None


@dataclass(frozen=True)
class Visit:
    """An appointment with those whom it joins."""

    appointment: Appointment
    schedule: Schedule
    practitioner: Practitioner
    department: Department
    patient: Patient


@dataclass(frozen=True)
class DayList:
    """How many children a doctor with a WeChat account sees on a day, and when the first is expected."""

    day: date
    practitioner: Practitioner
    department: Department
    children: int
    first_at: datetime


_FREE = func.count().filter(Slot.status == SlotStatus.FREE)


def period_counts(session: Session, department_id: UUID, first: date, last: date) -> list[PeriodCount]:
    """The periods of a department from ``first`` to ``last`` that have an active schedule."""
    rows = session.execute(
        select(Schedule.day, Schedule.period, func.count(Schedule.id.distinct()), func.count(), _FREE)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Schedule.department_id == department_id, Schedule.day.between(first, last))
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
        select(Schedule.department_id, _FREE)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Schedule.day.between(first, last), Schedule.status == ScheduleStatus.ACTIVE)
        .group_by(Schedule.department_id)
    )
    return {department_id: free for department_id, free in rows}


def offers(session: Session, department_id: UUID, day: date, period: Period) -> list[Offer]:
    """The doctors of a period, those with numbers left first, then by rank and name."""
    found = _offers(session, Schedule.department_id == department_id, Schedule.day == day, Schedule.period == period)
    return sorted(found, key=lambda offer: (offer.free == 0, offer.practitioner.code))


def offer(session: Session, schedule_id: UUID) -> Offer:
    """One doctor's period. Raises NotFound when there is none or the clinic is stopped."""
    found = _offers(session, Schedule.id == schedule_id)
    if not found:
        raise NotFound
    return found[0]


def _offers(session: Session, *conditions: ColumnElement[bool]) -> list[Offer]:
    rows = session.execute(
        select(Schedule, Practitioner, Department, func.count(), _FREE, _next_at())
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Schedule.department_id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Schedule.status == ScheduleStatus.ACTIVE, *conditions)
        .group_by(Schedule.id, Practitioner.id, Department.id)
    )
    return [Offer(*row) for row in rows]


def _next_at() -> ColumnElement[datetime]:
    return func.min(Slot.starts_at).filter(Slot.status == SlotStatus.FREE)


def _visits() -> Select[Appointment, Schedule, Practitioner, Department, Patient]:
    return (
        select(Appointment, Schedule, Practitioner, Department, Patient)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Appointment.department_id)
        .join(Patient, Patient.id == Appointment.patient_id)
    )


def _of_my_children(viewer: Viewer) -> ColumnElement[bool]:
    return Appointment.patient_id.in_(
        select(RelatedPerson.patient_id).where(
            RelatedPerson.account_id == viewer.account_id, RelatedPerson.status == GuardianStatus.ACTIVE
        )
    )


def coming_visits(session: Session, viewer: Viewer, now: datetime) -> list[Visit]:
    """The coming visits of the viewer's children, soonest first, whoever of the guardians booked them."""
    rows = session.execute(
        _visits()
        .where(_of_my_children(viewer), Appointment.status.in_(COMING), Schedule.ends_at > now)
        .order_by(Appointment.starts_at, Appointment.number)
    )
    return [Visit(*row) for row in rows]


def past_visits(session: Session, viewer: Viewer, now: datetime, limit: int = 30) -> list[Visit]:
    """The visits of the viewer's children that are over or cancelled, latest first."""
    rows = session.execute(
        _visits()
        .where(_of_my_children(viewer), Appointment.status.notin_(COMING) | (Schedule.ends_at <= now))
        .order_by(Appointment.starts_at.desc(), Appointment.number)
        .limit(limit)
    )
    return [Visit(*row) for row in rows]


def visit_of(session: Session, viewer: Viewer, appointment_id: UUID) -> Visit:
    """One visit of one of the viewer's children. Raises NotFound for anybody else's."""
    row = session.execute(_visits().where(_of_my_children(viewer), Appointment.id == appointment_id)).one_or_none()
    if row is None:
        raise NotFound
    return Visit(*row)


def visit(session: Session, appointment_id: UUID) -> Visit:
    """One visit, for the clinic's own messages: no viewer, never for a page."""
    return Visit(*session.execute(_visits().where(Appointment.id == appointment_id)).one())


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
        _visits()
        .where(Schedule.practitioner_id == practitioner.id, Schedule.day.between(first, last))
        .where(Appointment.status.in_(HOLDING))
        .order_by(Appointment.starts_at, Appointment.number)
    )
    return [Visit(*row) for row in rows]


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


def practitioner_offers(session: Session, viewer: Viewer, first: date, last: date) -> list[Offer]:
    """The viewer's own periods from ``first`` to ``last``, soonest first. Raises NotStaff."""
    practitioner = practitioner_of(session, viewer)
    found = _offers(session, Schedule.practitioner_id == practitioner.id, Schedule.day.between(first, last))
    return sorted(found, key=lambda offer: offer.schedule.starts_at)
