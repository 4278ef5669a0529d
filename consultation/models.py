"""The tables of the visit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Id, stored_enum
from config.states import Stateful


class MediaStatus(StrEnum):
    """FHIR R4 Media.status: the file is being kept, is there, or is to be deleted."""

    PREPARATION = "preparation"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


class MediaKind(StrEnum):
    """What a picture shows, as who sent it said."""

    RASH = "rash"
    STOOL = "stool"
    RECORD = "record"
    REPORT = "report"


_KEPT = text("status <> 'entered-in-error'")


class Media(Stateful):
    """A picture that a guardian sent for a visit; the file itself lies in the file store under ``file_name``.

    The row stands before the file is put and goes after it was deleted, so that no file is ever forgotten. ``sha256``
    is of what was sent, width and height (pixels) and ``size`` (bytes) are of what is kept. ``message`` is the digest
    of the chat message that it came with, empty for an upload. ``kind`` is what it shows, when that was said.
    """

    __tablename__ = "media"
    __table_args__ = (
        CheckConstraint("width > 0 and height > 0 and size > 0", name="size"),
        Index("uq_media_once", "appointment_id", "sha256", unique=True, postgresql_where=_KEPT),
        Index("ix_media_unkept", "received_at", postgresql_where=text("status <> 'completed'")),
    )
    MOVES: ClassVar[Mapping[MediaStatus, frozenset[MediaStatus]]] = {
        MediaStatus.PREPARATION: frozenset({MediaStatus.COMPLETED, MediaStatus.ENTERED_IN_ERROR}),
        MediaStatus.COMPLETED: frozenset({MediaStatus.ENTERED_IN_ERROR}),
    }

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    status: Mapped[MediaStatus] = mapped_column(stored_enum(MediaStatus, "status"), default=MediaStatus.PREPARATION)
    file_name: Mapped[str] = mapped_column(String(32), unique=True)
    content_type: Mapped[str] = mapped_column(String(40))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    message: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    kind: Mapped[MediaKind | None] = mapped_column(stored_enum(MediaKind, "kind"))
    received_at: Mapped[datetime]
