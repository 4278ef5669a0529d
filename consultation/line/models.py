"""The tables of the line: what was confirmed about who is there, the doctors' own checks, and hand-overs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.states import Stateful


class Confirmed(StrEnum):
    """What somebody confirmed: the guardian that they are with the child; the doctor who the child is, who the guardian
    is, and that a guardian and a doctor of the right specialty are there (internet diagnosis rules 2018, art. 19)."""

    PRESENT = "present"
    CHILD = "child"
    GUARDIAN = "guardian"
    SPECIALTY = "specialty"


class Attestation(Base):
    """One confirmation, by whom and when, and which version of its text was shown (config/data/attestations.toml)."""

    __tablename__ = "encounter_attestations"
    __table_args__ = (UniqueConstraint("encounter_id", "kind", "account_id"),)

    id: Mapped[Id]
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"))
    kind: Mapped[Confirmed] = mapped_column(stored_enum(Confirmed, "kind"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    version: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]


class CheckedDoctor(Base):
    """A doctor's identity was checked before a session (one period of a doctor). ``method`` names the check."""

    __tablename__ = "real_name_checks"
    __table_args__ = (UniqueConstraint("practitioner_id", "schedule_id"),)

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id"), index=True)
    method: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]


class Pin(Base):
    """A doctor's PIN, as a salted scrypt hash, and the wrong tries since the last right one."""

    __tablename__ = "practitioner_pins"
    __table_args__ = (CheckConstraint("wrong >= 0", name="wrong"),)

    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    wrong: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    set_at: Mapped[datetime]


class HandoverStatus(StrEnum):
    """The parent is asked; agreed; would rather wait; no longer needed."""

    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Handover(Stateful):
    """A child is to be seen by another doctor, under that doctor's own name, if the parent agrees."""

    __tablename__ = "handovers"
    __table_args__ = (
        Index("uq_handovers_asked", "encounter_id", unique=True, postgresql_where=text("status = 'asked'")),
        CheckConstraint("from_id <> to_id", name="another"),
        Index(None, "encounter_id", "id"),
    )
    MOVES: ClassVar[Mapping[HandoverStatus, frozenset[HandoverStatus]]] = {
        HandoverStatus.ASKED: frozenset({HandoverStatus.AGREED, HandoverStatus.DECLINED, HandoverStatus.WITHDRAWN}),
    }

    id: Mapped[Id]
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"))
    from_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    to_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    status: Mapped[HandoverStatus] = mapped_column(stored_enum(HandoverStatus, "status"), default=HandoverStatus.ASKED)
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
