"""The table of messages (one row per recipient and event, with its life) and what people do not want to hear."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, Json, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class NotificationStatus(StrEnum):
    """Waiting, being sent, taken by the channel, seen to have arrived, failed for good (``error`` says why); perhaps
    taken, for the answer was lost; or dropped: said together with others, or overtaken before it was said."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DROPPED = "dropped"


_OPEN = text("status in ('queued', 'sending') or (status = 'unknown' and due_at is not null)")


class Notification(Stateful):
    """One message to one account. ``id`` is the channel's ``client_msg_id``, so a double is dropped there.

    ``data`` holds the catalogue's values by name, already fitted: no full name, symptom, diagnosis or medicine.
    ``source_id`` is what it is about (an appointment, say), ``occasion`` tells several about the same apart.
    ``due_at`` is when it may be sent (again), empty: never again. ``expires_at``: from then on it would only confuse
    (a late reminder). ``unknown_since`` is when it was given to the channel for the first time without an answer.
    ``phone`` is where it goes as a text message instead of to the account; ``joined_id`` the message that says it too.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_due", "due_at", "id", postgresql_where=text("status in ('queued', 'unknown')")),
        Index("ix_notifications_open", "account_id", "id", postgresql_where=_OPEN),
        Index("ix_notifications_sending", "claimed_at", postgresql_where=text("status = 'sending'")),
        Index("uq_notifications_once", "message", "source_id", "account_id", "occasion", unique=True),
        Index(
            "uq_notifications_text_once",
            "message",
            "source_id",
            "occasion",
            unique=True,
            postgresql_where=text("phone is not null"),
        ),
    )
    MOVES: ClassVar[Mapping[NotificationStatus, frozenset[NotificationStatus]]] = {
        NotificationStatus.QUEUED: frozenset(
            {NotificationStatus.SENDING, NotificationStatus.FAILED, NotificationStatus.DROPPED}
        ),
        NotificationStatus.SENDING: frozenset(
            {
                NotificationStatus.QUEUED,
                NotificationStatus.SENT,
                NotificationStatus.FAILED,
                NotificationStatus.UNKNOWN,
            }
        ),
        NotificationStatus.UNKNOWN: frozenset(
            {NotificationStatus.SENDING, NotificationStatus.DELIVERED, NotificationStatus.FAILED}
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
    due_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(60))
    channel_id: Mapped[str | None] = mapped_column(String(64), index=True)
    unknown_since: Mapped[datetime | None]
    phone: Mapped[str | None] = mapped_column(Encrypted("notifications.phone"))
    joined_id: Mapped[UUID | None] = mapped_column(ForeignKey("notifications.id"), index=True)
    created_at: Mapped[datetime]


class MutedMessage(Base):
    """A message that an account does not want (a reminder; the catalogue says which may be muted)."""

    __tablename__ = "muted_messages"
    __table_args__ = (UniqueConstraint("account_id", "message"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    message: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Agreement(Base):
    """One yes of a person to one notice (订阅通知) of a template. ``given_at`` is WeChat's second of it, ``ended_at``
    when it was used up by ``notification_id`` or taken back."""

    __tablename__ = "notice_agreements"
    __table_args__ = (UniqueConstraint("account_id", "template", "given_at"), UniqueConstraint("notification_id"))

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    template: Mapped[str] = mapped_column(String(64))
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    notification_id: Mapped[UUID | None] = mapped_column(ForeignKey("notifications.id"))
