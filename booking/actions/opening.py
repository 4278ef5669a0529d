"""Numbers that were kept back open to everybody: later on the day of their release, or unused near their day."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, and_, false, or_, select, update
from sqlalchemy.orm import Session

from booking.locks import lock_schedules
from booking.models import Pool, Schedule, Slot, SlotStatus
from booking.pools import last_days
from config.clock import today
from config.policy import current
from people.models import Department

KEPT = (Pool.LATER, Pool.FOLLOWUP, Pool.AREA)


def open_pools(session: Session, now: datetime) -> list[UUID]:
    """Open the free numbers whose time has come. Returns the schedules that have new free numbers.

    A number that somebody is taking at this moment waits for the next sweep.
    """
    due = [
        and_(Slot.pool == pool, Schedule.department_id == department_id, Schedule.day <= last)
        for department_id, code in session.execute(_departments(today(now))).all()
        for pool, last in last_days(now, current(session, now, code))
    ]
    numbers = select(Slot.id).join(Schedule, Schedule.id == Slot.schedule_id)
    numbers = numbers.where(Slot.status == SlotStatus.FREE, or_(false(), *due))
    lock_schedules(session, session.scalars(numbers.with_only_columns(Slot.schedule_id)))
    here = numbers.with_for_update(of=Slot, skip_locked=True).scalar_subquery()
    opened = update(Slot).where(Slot.id.in_(here)).values(pool=Pool.OPEN).returning(Slot.schedule_id)
    return sorted(set(session.scalars(opened)))


def _departments(first: date) -> Select[UUID, str]:
    """The departments that keep free numbers back from ``first`` on."""
    return (
        select(Department.id, Department.code)
        .join(Schedule, Schedule.department_id == Department.id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Slot.status == SlotStatus.FREE, Slot.pool.in_(KEPT), Schedule.day >= first)
        .distinct()
    )
