"""What the gateway is to be asked about now: rows whose ``ask_at`` has come, each given to one asker at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.models import Payment, Refund
from payments.rules import LEASE

Row = TypeVar("Row", Payment, Refund)


@dataclass(frozen=True)
class Due:
    """A refund, or a payment (``over``: its time to pay has passed)."""

    id: UUID
    refund: bool
    over: bool = False


def claim(session: Session, now: datetime, limit: int) -> list[Due]:
    """Take rows that are due, at most ``limit`` and half of it refunds: many of them don't keep payments waiting.

    Nobody else gets a row before the lease of whoever asks has run out.
    """
    refunds = [Due(row.id, refund=True) for row in _take(session, Refund, now, limit // 2)]
    payments = _take(session, Payment, now, limit - len(refunds))
    return refunds + [Due(row.id, refund=False, over=row.open and row.expires_at <= now) for row in payments]


def _take(session: Session, kind: type[Row], now: datetime, limit: int) -> Sequence[Row]:
    due = select(kind).where(kind.ask_at <= now).order_by(kind.ask_at).limit(limit)
    rows = session.scalars(due.with_for_update(skip_locked=True)).all()
    for row in rows:
        row.ask_at = now + LEASE
    return rows
