"""Rows of the message table for tests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from config.ids import new_id
from notifications.models import Notification
from people.models import Account

DATA = {"child": "王**", "department": "内科", "doctor": "赵医生", "time": "x", "number": "1"}


def queued(
    session: Session,
    to: Account,
    now: datetime,
    *,
    message: str = "appointment-booked",
    expires_at: datetime | None = None,
    data: dict[str, str] | None = None,
) -> Notification:
    """One message about a visit of its own, due now."""
    row = Notification(
        account_id=to.id,
        message=message,
        source_id=new_id(),
        occasion="",
        data=data or DATA,
        path="/visits/1",
        due_at=now,
        expires_at=expires_at,
        attempts=0,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row
