"""A number given back is free at once; where policy says so, in a sold-out period only after a random while, so that
nobody can arrange who takes it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.models import Schedule, ScheduleStatus, Slot, SlotStatus
from config.policy import current
from people.models import Department


def free(session: Session, slot_id: UUID, schedule_id: UUID, now: datetime) -> None:
    """The number that nobody holds any more is free, now or after a while."""
    until = _kept_until(session, schedule_id, now)
    status = SlotStatus.BUSY if until else SlotStatus.FREE
    session.execute(update(Slot).where(Slot.id == slot_id).values(status=status, kept_until=until))


def keep(session: Session, slot_ids: Sequence[UUID], now: datetime) -> None:
    """Nobody takes these numbers before the next sweep has offered them (freeing.free_kept)."""
    session.execute(update(Slot).where(Slot.id.in_(slot_ids)).values(status=SlotStatus.BUSY, kept_until=now))


def _kept_until(session: Session, schedule_id: UUID, now: datetime) -> datetime | None:
    schedule = session.get_one(Schedule, schedule_id)
    if schedule.status is not ScheduleStatus.ACTIVE:
        return None
    code = session.get_one(Department, schedule.department_id).code
    most = current(session, now, code).giveback_minutes_max
    others = select(Slot.id).where(Slot.schedule_id == schedule_id, Slot.status == SlotStatus.FREE)
    if not most or session.scalar(select(others.exists())):
        return None
    until = now + timedelta(seconds=secrets.randbelow(most * 60) + 1)
    return until if until < schedule.starts_at else None
