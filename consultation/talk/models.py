"""The tables of the talk: what was written in a room, and links that open its call in another browser."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from consultation.encounters.models import SeatRole

TEXT = "messages.text"  # what the key of a text is bound to


class Message(Base):
    """Something written in a room (FHIR R4 Communication): a text, a picture, or a picture with a text.

    ``role`` is as what the writer sat there. ``key`` is made by the page, so that what is sent twice is there once.
    ``read_at``: when somebody of the other side first had it on the screen.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("text is not null or media_id is not null", name="something"),
        UniqueConstraint("encounter_id", "account_id", "key"),
        Index("ix_messages_unread", "encounter_id", "role", postgresql_where=text("read_at is null")),
    )

    id: Mapped[Id]
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[SeatRole] = mapped_column(stored_enum(SeatRole, "role"))
    key: Mapped[UUID]
    text: Mapped[str | None] = mapped_column(Encrypted(TEXT))
    media_id: Mapped[UUID | None] = mapped_column(ForeignKey("media.id"), index=True)
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class CallLink(Base):
    """A link that opens one room in another browser of the same person: good once, for a few minutes.

    Only the SHA-256 of its token is kept. Once used it lets that browser into this room until ``ends_at``.
    """

    __tablename__ = "call_links"

    id: Mapped[Id]
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
