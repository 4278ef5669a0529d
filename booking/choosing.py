"""Reads for choosing: narrowed to what a parent wants, the earliest number, one doctor's coming days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking import queries
from booking.models import Period, Pool, Schedule, ScheduleStatus, Slot, SlotStatus
from people.models import Practitioner, Title


@dataclass(frozen=True)
class Wanted:
    """What a parent narrows the choice to: one doctor, a title, a time of day. Empty: everything."""

    practitioner_id: UUID | None = None
    title: Title | None = None
    period: Period | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a query that joins Schedule and Practitioner."""
        named = (
            (Practitioner.id, self.practitioner_id),
            (Practitioner.title, self.title),
            (Schedule.period, self.period),
        )
        return [column == value for column, value in named if value is not None]


def earliest(session: Session, department_id: UUID, days: Sequence[date], now: datetime, wanted: Wanted) -> UUID | None:
    """The schedule with the department's soonest free number on these days, any doctor; None: nothing is free.

    Asked day by day: a department of 138 doctors has some 60,000 numbers, and mostly the first day answers.
    """
    found = (
        select(Schedule.id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .where(Schedule.department_id == department_id, *wanted.conditions())
        .where(Schedule.status == ScheduleStatus.ACTIVE, Slot.status == SlotStatus.FREE)
        .where(Slot.pool == Pool.OPEN, Slot.starts_at > now)
        .order_by(Slot.starts_at, Practitioner.code)
        .limit(1)
    )
    return next((hit for day in days if (hit := session.scalar(found.where(Schedule.day == day)))), None)


def doctors(session: Session, department_id: UUID, first: date, last: date) -> Sequence[Practitioner]:
    """The doctors who have a clinic in the department between the days, by rank and name."""
    found = (
        select(Schedule.practitioner_id)
        .where(Schedule.department_id == department_id, Schedule.day.between(first, last))
        .where(Schedule.status == ScheduleStatus.ACTIVE)
    )
    return session.scalars(select(Practitioner).where(Practitioner.id.in_(found)).order_by(Practitioner.code)).all()


def doctor_offers(
    session: Session, practitioner_id: UUID, first: date, last: date, pool: Pool = Pool.OPEN
) -> list[queries.Offer]:
    """One doctor's periods between the days, soonest first, with the free numbers of a pool."""
    mine = (Schedule.practitioner_id == practitioner_id, Schedule.day.between(first, last))
    return sorted(queries.select_offers(session, *mine, pool=pool), key=lambda offer: offer.schedule.starts_at)


def area_offers(session: Session, department_id: UUID, days: Sequence[date]) -> list[queries.Offer]:
    """The department's periods that have free numbers for areas under control measures, soonest first."""
    found = queries.select_offers(
        session, Schedule.department_id == department_id, Schedule.day.in_(days), pool=Pool.AREA
    )
    return sorted((offer for offer in found if offer.free), key=lambda offer: offer.schedule.starts_at)
