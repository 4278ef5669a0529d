"""The tables of the medical record: the record and its draft, its signed versions, and doctors' own phrases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class CompositionStatus(StrEnum):
    """FHIR R4 CompositionStatus: being written, signed, signed anew."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"


class Composition(Stateful):
    """The record of one encounter. ``draft`` is what is being written, ``version`` counts its saves, so that the later
    save of a page opened twice is noticed; ``reason`` is why a signed record is being amended; ``signed`` counts the
    versions that were signed."""

    __tablename__ = "compositions"
    __table_args__ = (
        CheckConstraint("version >= 0 and signed >= 0", name="counts"),
        CheckConstraint("(status = 'preliminary') = (signed = 0)", name="signed"),
        CheckConstraint("draft is not null or signed > 0", name="something"),
    )
    MOVES: ClassVar[Mapping[CompositionStatus, frozenset[CompositionStatus]]] = {
        CompositionStatus.PRELIMINARY: frozenset({CompositionStatus.FINAL}),
        CompositionStatus.FINAL: frozenset({CompositionStatus.AMENDED}),
        CompositionStatus.AMENDED: frozenset({CompositionStatus.AMENDED}),
    }

    id: Mapped[Id]
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"), unique=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    status: Mapped[CompositionStatus] = mapped_column(
        stored_enum(CompositionStatus, "status"), default=CompositionStatus.PRELIMINARY
    )
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    draft: Mapped[str | None] = mapped_column(Encrypted("compositions.draft"))
    reason: Mapped[str | None] = mapped_column(Encrypted("compositions.reason"))
    signed: Mapped[int] = mapped_column(default=0, server_default="0")
    saved_at: Mapped[datetime]


class CompositionVersion(Base):
    """A version as it was signed; never changed. ``content`` is canonical JSON that holds who, when, why and the digest
    of the version before; ``digest`` is its SHA-256. Both are compared at every reading (queries.py)."""

    __tablename__ = "composition_versions"
    __table_args__ = (UniqueConstraint("composition_id", "n"), CheckConstraint("n >= 1", name="n"))

    id: Mapped[Id]
    composition_id: Mapped[UUID] = mapped_column(ForeignKey("compositions.id"))
    n: Mapped[int]
    content: Mapped[str] = mapped_column(Encrypted("composition_versions.content"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    signed_at: Mapped[datetime]


class Phrase(Base):
    """A phrase of a doctor's own for one field of the record, inserted by a tap or by its short code."""

    __tablename__ = "phrases"
    __table_args__ = (UniqueConstraint("practitioner_id", "code"),)

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    code: Mapped[str] = mapped_column(String(12))
    field: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Encrypted("phrases.text"))
