"""The tables of recordings: what a page records without a break, and its pieces."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from consultation.encounters.models import SeatRole


class Stopped(StrEnum):
    """Why a recording has no further pieces, or none at all."""

    OVER = "over"  # left the call, changed camera or microphone, closed the page
    NOTHING = "nothing"  # this side sends neither picture nor sound
    UNSUPPORTED = "unsupported"  # the browser can't record
    BROKEN = "broken"  # the browser's recorder failed
    LOST = "lost"  # nothing was heard of it any more until the visit was over


FAILED = (Stopped.UNSUPPORTED, Stopped.BROKEN)


class Recording(Base):
    """What one page recorded of its own picture and sound without a break; a camera changed or a page loaded again
    begins another. Its pieces in order are one file.

    ``id`` is made by the page. ``last_at``: when the newest piece was kept. ``lost_at``: since when nothing came,
    while it should. ``pieces``: how many the page says it sent; ``size``: bytes kept.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        CheckConstraint("(ended_at is null) = (why is null)", name="ended"),
        CheckConstraint("size >= 0 and pieces >= 0", name="counts"),
        Index(None, "encounter_id", "id"),
        Index(None, "started_at", "id"),
        Index("ix_recordings_going_on", "started_at", postgresql_where=text("ended_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[SeatRole] = mapped_column(stored_enum(SeatRole, "role"))
    content_type: Mapped[str | None] = mapped_column(String(80))
    started_at: Mapped[datetime]
    last_at: Mapped[datetime | None]
    lost_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    why: Mapped[Stopped | None] = mapped_column(stored_enum(Stopped, "why"))
    pieces: Mapped[int | None]
    size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class RecordingChunk(Base):
    """A piece of a recording: row first, then the file, then ``kept_at``; ``n`` counts from 0."""

    __tablename__ = "recording_chunks"
    __table_args__ = (
        CheckConstraint("n >= 0 and size > 0", name="counts"),
        UniqueConstraint("recording_id", "n"),
        Index("ix_recording_chunks_left", "received_at", postgresql_where=text("kept_at is null")),
    )

    id: Mapped[Id]
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id"))
    n: Mapped[int]
    file_name: Mapped[str] = mapped_column(String(32), unique=True)
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    received_at: Mapped[datetime]
    kept_at: Mapped[datetime | None]
