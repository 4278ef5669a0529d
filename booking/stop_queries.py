"""Reads about stopped clinics: whom a stop touches, how far it has come, which stops there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from booking.models import COMING, Appointment, AppointmentStatus, Period, Schedule, ScheduleStatus, Slot, Why
from booking.queries import Visit, whole_visits
from booking.stop_models import ClinicStop, StopStatus
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.errors import NotFound
from payments.queries import paid_in_all
from people.access import Member, leads, led
from people.models import Department, Practitioner, Role

SHOWN = 60  # stops on the list


@dataclass(frozen=True)
class Touched:
    """One period that a stop touches: children booked and children whose number is held while they pay."""

    schedule: Schedule
    practitioner: Practitioner
    booked: int
    held: int


@dataclass(frozen=True)
class Preview:
    """All that a stop touches now; ``fen`` is what will be paid back, ``waiting`` how many children's places on waiting
    lists end."""

    periods: list[Touched]
    fen: int
    waiting: int

    @property
    def booked(self) -> int:
        """Children booked."""
        return sum(period.booked for period in self.periods)

    @property
    def held(self) -> int:
        """Children whose number is held."""
        return sum(period.held for period in self.periods)


@dataclass(frozen=True)
class Progress:
    """How far a stop has come: periods stopped, and the appointments that ended with them."""

    periods: int
    children: int


@dataclass(frozen=True)
class Stop:
    """A stop with those whom it names."""

    stop: ClinicStop
    department: Department
    practitioner: Practitioner | None
    author: Practitioner


@dataclass(frozen=True)
class DoctorsPart:
    """What a stop means for one doctor: the first and last moment, and the children who were or are booked."""

    stop: ClinicStop
    department: Department
    practitioner_id: UUID
    first_at: datetime
    last_at: datetime
    children: int


def in_span(stop: ClinicStop, now: datetime) -> ColumnElement[bool]:
    """Schedules of the stop's doctor or department and span that are not over yet, whatever their status."""
    conditions = [
        Schedule.department_id == stop.department_id,
        Schedule.day.between(stop.first_day, stop.last_day),
        Schedule.ends_at > now,
    ]
    if stop.practitioner_id:
        conditions.append(Schedule.practitioner_id == stop.practitioner_id)
    if stop.first_period is Period.AFTERNOON:
        conditions.append(or_(Schedule.day > stop.first_day, Schedule.period == Period.AFTERNOON))
    if stop.last_period is Period.MORNING:
        conditions.append(or_(Schedule.day < stop.last_day, Schedule.period == Period.MORNING))
    return and_(*conditions)


def to_stop(session: Session, stop: ClinicStop, now: datetime) -> list[UUID]:
    """The schedules of the span that still take place, soonest first."""
    found = select(Schedule.id).where(in_span(stop, now), Schedule.status == ScheduleStatus.ACTIVE)
    return list(session.scalars(found.order_by(Schedule.starts_at, Schedule.id)))


def covering(session: Session, schedule: Schedule) -> ClinicStop | None:
    """A stop that stands and has this schedule in its span, if there is one."""
    return stop_over(session, schedule.department_id, schedule.practitioner_id, schedule.day, schedule.period)


def stop_over(
    session: Session, department_id: UUID, practitioner_id: UUID, day: date, period: Period
) -> ClinicStop | None:
    """A stop that stands over a doctor's period."""
    found = session.scalars(
        select(ClinicStop)
        .where(ClinicStop.status.in_((StopStatus.RUNNING, StopStatus.DONE)))
        .where(ClinicStop.department_id == department_id)
        .where(ClinicStop.practitioner_id.is_(None) | (ClinicStop.practitioner_id == practitioner_id))
        .where(ClinicStop.first_day <= day, ClinicStop.last_day >= day)
        .order_by(ClinicStop.id)
    )
    return next((stop for stop in found if not _outside(stop, day, period)), None)


def _outside(stop: ClinicStop, day: date, period: Period) -> bool:
    early = day == stop.first_day and stop.first_period is Period.AFTERNOON and period is Period.MORNING
    return early or (day == stop.last_day and stop.last_period is Period.MORNING and period is Period.AFTERNOON)


def preview(session: Session, stop: ClinicStop, now: datetime) -> Preview:
    """Whom the stop would touch if it were carried out now."""
    coming = and_(Appointment.schedule_id == Schedule.id, Appointment.status.in_(COMING))
    held = func.count(Appointment.id).filter(Appointment.status == AppointmentStatus.PENDING)
    active = and_(in_span(stop, now), Schedule.status == ScheduleStatus.ACTIVE)
    rows = session.execute(
        select(Schedule, Practitioner, func.count(Appointment.id) - held, held)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .outerjoin(Appointment, coming)
        .where(active)
        .group_by(Schedule.id, Practitioner.id)
        .order_by(Schedule.starts_at, Practitioner.code)
    )
    payments = select(Appointment.payment_id).join(Schedule, coming).where(active)
    waiting = (
        select(func.count())
        .select_from(WaitingEntry)
        .join(Schedule, Schedule.id == WaitingEntry.schedule_id)
        .where(active, WaitingEntry.status == WaitingStatus.WAITING)
    )
    touched = [Touched(*row) for row in rows]
    return Preview(touched, paid_in_all(session, payments), session.scalar(waiting) or 0)


def progress(session: Session, stop: ClinicStop) -> Progress:
    """What has been stopped, and how many appointments ended with it."""
    mine = Schedule.stop_id == stop.id
    return Progress(
        session.scalar(select(func.count()).select_from(Schedule).where(mine)) or 0,
        session.scalar(select(func.count()).select_from(ended(stop.id).subquery())) or 0,
    )


def ended(stop_id: UUID) -> Select[UUID]:
    """The ids of the appointments that a standing stop ended."""
    return (
        select(Appointment.id)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .where(Schedule.stop_id == stop_id, Appointment.cancel_reason == Why.SUSPENDED)
    )


def stop_of(session: Session, member: Member, stop_id: UUID) -> Stop:
    """One stop of a department that the member leads. Raises NotFound."""
    found = _stops(session, ClinicStop.id == stop_id)
    if not found or not leads(member, found[0].stop.department_id):
        raise NotFound
    return found[0]


def stops(session: Session, member: Member) -> Sequence[Stop]:
    """The stops of the departments that the member leads, the newest first; planned ones only if they are theirs."""
    mine = or_(ClinicStop.status != StopStatus.PLANNED, ClinicStop.author_id == member.practitioner.id)
    if Role.ADMINISTRATOR in member.roles:
        return _stops(session, mine)
    return _stops(session, and_(mine, ClinicStop.department_id.in_(led(member))))


def _stops(session: Session, condition: ColumnElement[bool]) -> list[Stop]:
    rows = session.execute(
        select(ClinicStop, Department).join(Department).where(condition).order_by(ClinicStop.id.desc()).limit(SHOWN)
    ).all()
    people = {
        person.id: person
        for person in session.scalars(
            select(Practitioner).where(
                Practitioner.id.in_({i for stop, _ in rows for i in (stop.practitioner_id, stop.author_id) if i})
            )
        )
    }
    return [
        Stop(
            stop,
            department,
            people[stop.practitioner_id] if stop.practitioner_id else None,
            people[stop.author_id],
        )
        for stop, department in rows
    ]


def doctors_parts(session: Session, stop_id: UUID, now: datetime) -> list[DoctorsPart]:
    """What a stop means for each of its doctors, for the clinic's own messages."""
    stop = session.get_one(ClinicStop, stop_id)
    touched = or_(Appointment.status.in_(COMING), Appointment.cancel_reason == Why.SUSPENDED)
    rows = session.execute(
        select(
            Schedule.practitioner_id,
            func.min(Schedule.starts_at),
            func.max(Schedule.ends_at),
            func.count(Appointment.id),
        )
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(in_span(stop, now), Slot.number == 1)
        .outerjoin(Appointment, and_(Appointment.schedule_id == Schedule.id, touched))
        .group_by(Schedule.practitioner_id)
    )
    department = session.get_one(Department, stop.department_id)
    return [DoctorsPart(stop, department, *row) for row in rows]


def stopped_visits(
    session: Session, schedule_id: UUID, now: datetime | None = None, *, without_another: bool = False
) -> list[Visit]:
    """The visits that ended because their period was stopped, for the clinic's own messages; ``without_another``: only
    those to come after ``now`` whose child has no other visit to come in the department."""
    found = whole_visits().where(Appointment.schedule_id == schedule_id, Appointment.cancel_reason == Why.SUSPENDED)
    if without_another:
        other = aliased(Appointment)
        another = select(other.id).where(
            other.patient_id == Appointment.patient_id,
            other.department_id == Appointment.department_id,
            other.status.in_(COMING),
            other.starts_at > now,
        )
        found = found.where(Appointment.starts_at > now, ~another.exists())
    return [Visit(*row) for row in session.execute(found.order_by(Appointment.number))]


def waiting_visits(session: Session, schedule_id: UUID) -> list[Visit]:
    """The visits of a period that are still to come, for the clinic's own messages."""
    found = whole_visits().where(Appointment.schedule_id == schedule_id, Appointment.status.in_(COMING))
    return [Visit(*row) for row in session.execute(found.order_by(Appointment.number))]
