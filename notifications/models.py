"""The table of messages: one row per recipient and event, with its life."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Id, Json, stored_enum
from config.states import Stateful


class NotificationStatus(StrEnum):
    """Waiting, being sent, taken by the channel, seen to have arrived, or failed for good (``error`` says why)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


OPEN = (NotificationStatus.QUEUED, NotificationStatus.SENDING)


class Notification(Stateful):
    """One message to one account. ``id`` is the channel's ``client_msg_id``, so a double is dropped there.

    ``data`` holds the catalogue's values by name, already fitted: no full name, symptom, diagnosis or medicine.
    ``source_id`` is what it is about (an appointment, say), ``occasion`` tells several about the same apart.
    ``due_at`` is when it may be sent (again), ``expires_at`` from when on it would only confuse (a late reminder).
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_due", "due_at", "id", postgresql_where=text("status = 'queued'")),
        Index("ix_notifications_open", "account_id", "id", postgresql_where=text("status in ('queued', 'sending')")),
        Index("ix_notifications_sending", "claimed_at", postgresql_where=text("status = 'sending'")),
        Index("uq_notifications_once", "message", "source_id", "account_id", "occasion", unique=True),
    )
    MOVES: ClassVar[Mapping[NotificationStatus, frozenset[NotificationStatus]]] = {
        NotificationStatus.QUEUED: frozenset({NotificationStatus.SENDING, NotificationStatus.FAILED}),
        NotificationStatus.SENDING: frozenset(
            {NotificationStatus.QUEUED, NotificationStatus.SENT, NotificationStatus.FAILED}
        ),
        NotificationStatus.SENT: frozenset({NotificationStatus.DELIVERED, NotificationStatus.FAILED}),
    }

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    message: Mapped[str] = mapped_column(String(40))
    source_id: Mapped[UUID]
    occasion: Mapped[str] = mapped_column(String(40), default="")
    data: Mapped[Json]
    path: Mapped[str] = mapped_column(String(200))
    status: Mapped[NotificationStatus] = mapped_column(
        stored_enum(NotificationStatus, "status"), default=NotificationStatus.QUEUED
    )
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(60))
    channel_id: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime]
