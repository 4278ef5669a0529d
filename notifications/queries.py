"""Reads about messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from notifications.catalogue import messages
from notifications.models import Notification, NotificationStatus
from notifications.texting import SOURCES


@dataclass(frozen=True)
class Missed:
    """One message that did not arrive: its title in both languages, what it says (no full name), and when."""

    title: Mapping[str, str]
    says: tuple[str, ...]
    at: datetime


def by_status(session: Session, since: datetime) -> dict[str, int]:
    """How many messages made since then stand where. Ids begin with their moment (UUIDv7), so the key finds them."""
    first = UUID(int=int(since.timestamp() * 1000) << 80)
    rows = session.execute(
        select(Notification.status, func.count()).where(Notification.id >= first).group_by(Notification.status)
    )
    return {status.value: count for status, count in rows}


def missed(session: Session, patient_id: UUID) -> list[Missed]:
    """What a child's family had to be told and did not get in WeChat, latest first; one line for each event."""
    found: list[Missed] = []
    for name, sources in SOURCES.items():
        rows = session.scalars(
            select(Notification)
            .ext(distinct_on(Notification.source_id))
            .where(Notification.message == name, Notification.source_id.in_(sources(patient_id)))
            .where(Notification.status == NotificationStatus.FAILED, Notification.phone.is_(None))
            .order_by(Notification.source_id, Notification.id)
        )
        entry = messages()[name]
        found += [Missed(entry.title, entry.spoken(row.data), row.created_at) for row in rows]
    return sorted(found, key=lambda missed: missed.at, reverse=True)


def taken_of(session: Session, message: str, source_ids: Select[UUID]) -> int:
    """How many messages of a kind about these things the channel has taken."""
    taken = (NotificationStatus.SENT, NotificationStatus.DELIVERED)
    found = select(func.count()).where(
        Notification.message == message, Notification.source_id.in_(source_ids), Notification.status.in_(taken)
    )
    return session.scalar(found) or 0
