"""Reads about messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifications.models import Notification


def by_status(session: Session, since: datetime) -> dict[str, int]:
    """How many messages made since then stand where. Ids begin with their moment (UUIDv7), so the key finds them."""
    first = UUID(int=int(since.timestamp() * 1000) << 80)
    rows = session.execute(
        select(Notification.status, func.count()).where(Notification.id >= first).group_by(Notification.status)
    )
    return {status.value: count for status, count in rows}
