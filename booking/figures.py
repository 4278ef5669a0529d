"""A day in figures, by department: what became of its appointments, who waits, what was stopped, and the day's money.

Everything is read from that day's rows alone, whatever the years before hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import at
from payments.models import LedgerAccount, LedgerEntry

Statuses = dict[AppointmentStatus, int]


@dataclass(frozen=True)
class Figures:
    """Of one day: clinics rostered and how many of them are stopped, appointments of that day by state, children on
    its waiting lists; fen that came and went back on that day, for visits of whatever day."""

    clinics: int = 0
    stopped: int = 0
    waiting: int = 0
    came_fen: int = 0
    returned_fen: int = 0
    appointments: Statuses = field(default_factory=dict)

    def of(self, status: str) -> int:
        """Appointments in this state."""
        return self.appointments.get(AppointmentStatus(status), 0)

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.clinics + other.clinics,
            self.stopped + other.stopped,
            self.waiting + other.waiting,
            self.came_fen + other.came_fen,
            self.returned_fen + other.returned_fen,
            {status: self.of(status) + other.of(status) for status in AppointmentStatus},
        )


def total(figures: Iterable[Figures]) -> Figures:
    """All of them together."""
    return reduce(Figures.__add__, figures, Figures())


def figures(session: Session, department_ids: Collection[UUID], day: date) -> dict[UUID, Figures]:
    """The day of each of these departments; those where nothing was to happen and no money moved are left out."""
    found = {department: Figures() for department in department_ids}
    for department, clinics, stopped in session.execute(_clinics(department_ids, day)):
        found[department] = replace(found[department], clinics=clinics, stopped=stopped)
    for department, waiting in session.execute(_waiting(department_ids, day)):
        found[department] = replace(found[department], waiting=waiting)
    for department, came, returned in session.execute(_money(department_ids, day)):
        found[department] = replace(found[department], came_fen=int(came or 0), returned_fen=-int(returned or 0))
    for department, status, count in session.execute(_appointments(department_ids, day)):
        found[department].appointments[status] = count
    return {department: figure for department, figure in found.items() if figure != Figures()}


def _clinics(department_ids: Collection[UUID], day: date) -> Select[UUID, int, int]:
    stopped = func.count().filter(Schedule.status == ScheduleStatus.SUSPENDED)
    return (
        select(Schedule.department_id, func.count(), stopped)
        .where(Schedule.department_id.in_(department_ids), Schedule.day == day)
        .group_by(Schedule.department_id)
    )


def _waiting(department_ids: Collection[UUID], day: date) -> Select[UUID, int]:
    return (
        select(Schedule.department_id, func.count())
        .join(WaitingEntry, WaitingEntry.schedule_id == Schedule.id)
        .where(Schedule.department_id.in_(department_ids), Schedule.day == day)
        .where(WaitingEntry.status == WaitingStatus.WAITING)
        .group_by(Schedule.department_id)
    )


def _money(department_ids: Collection[UUID], day: date) -> Select[UUID, int | None, int | None]:
    first, next_day = _bounds(day)
    fen = LedgerEntry.amount_fen
    return (
        select(Appointment.department_id, func.sum(fen).filter(fen > 0), func.sum(fen).filter(fen < 0))
        .join(LedgerEntry, LedgerEntry.payment_id == Appointment.payment_id)
        .where(LedgerEntry.at >= first, LedgerEntry.at < next_day, LedgerEntry.account == LedgerAccount.GATEWAY)
        .where(Appointment.department_id.in_(department_ids))
        .group_by(Appointment.department_id)
    )


def _appointments(department_ids: Collection[UUID], day: date) -> Select[UUID, AppointmentStatus, int]:
    first, next_day = _bounds(day)
    return (
        select(Appointment.department_id, Appointment.status, func.count())
        .where(Appointment.department_id.in_(department_ids), Appointment.status.in_(list(AppointmentStatus)))
        .where(Appointment.starts_at >= first, Appointment.starts_at < next_day)
        .group_by(Appointment.department_id, Appointment.status)
    )


def _bounds(day: date) -> tuple[datetime, datetime]:
    """The day's first moment and the next day's, by the hospital's clock."""
    return at(day, time()), at(day + timedelta(days=1), time())
