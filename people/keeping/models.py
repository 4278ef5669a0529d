"""The tables of keeping: protocols of what was removed, holds, copies of a child's whole file, wishes to erase."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from config.states import Stateful

REASON = 300  # characters of a hold's reason, of the hospital's reason for a copy
WORDS = 1000  # characters of a wish and of its answer


class Purge(Base):
    """One removal of all that was due at ``as_of``; ``finished_at`` empty: it is under way, or was interrupted.

    ``left_over``: how many rows were found due when it was asked again at the end; nought, or it has failed.
    """

    __tablename__ = "purges"
    __table_args__ = (
        CheckConstraint("(finished_at is null) = (left_over is null)", name="proved"),
        Index(
            "uq_purges_open", text("(finished_at is null)"), unique=True, postgresql_where=text("finished_at is null")
        ),
    )

    id: Mapped[Id]
    as_of: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    finished_at: Mapped[datetime | None]
    left_over: Mapped[int | None]


class PurgeLine(Base):
    """What one purge removed of one kind: how many rows, from which day to which, and which (``digest``, see
    purging.py: digest_of). Written by the transaction that removes. ``held``: rows that were due and stay."""

    __tablename__ = "purge_lines"
    __table_args__ = (CheckConstraint("rows >= 0 and held >= 0", name="counts"),)

    purge_id: Mapped[UUID] = mapped_column(ForeignKey("purges.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(60), primary_key=True)
    rows: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    oldest: Mapped[datetime | None]
    newest: Mapped[datetime | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class PurgeFile(Base):
    """A file whose row is gone and that is still to be deleted from the store; the name says nothing."""

    __tablename__ = "purge_files"

    file_name: Mapped[str] = mapped_column(String(32), primary_key=True)
    purge_id: Mapped[UUID] = mapped_column(ForeignKey("purges.id"), index=True)


class LegalHold(Base):
    """Nothing of this child is removed until it is lifted, whatever the clocks say."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        Index("uq_legal_holds_child", "patient_id", unique=True, postgresql_where=text("lifted_at is null")),
        Index(None, "patient_id"),
        CheckConstraint("(lifted_at is null) = (lifted_by is null)", name="lifted"),
    )

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    reason: Mapped[str] = mapped_column(Encrypted("legal_holds.reason"))
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(60))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(60))


class CopyStatus(StrEnum):
    """Asked for and being prepared; to be had; could not be made; over (its file is gone, or was never kept here)."""

    REQUESTED = "requested"
    READY = "ready"
    FAILED = "failed"
    OVER = "over"


class FileCopy(Stateful):
    """A copy of a child's whole file, for the guardian ``account_id``, or for the hospital (empty, with a ``reason``).

    ``file_name`` is written down before the file is put. ``done`` of ``total``: how far the preparation has come.
    """

    __tablename__ = "file_copies"
    __table_args__ = (
        Index(
            "uq_file_copies_open",
            "patient_id",
            "account_id",
            unique=True,
            postgresql_where=text("status = 'requested'"),
        ),
        Index("ix_file_copies_kept", "expires_at", postgresql_where=text("file_name is not null")),
        Index(None, "patient_id", "id"),
        CheckConstraint("(account_id is null) = (reason is not null)", name="whose"),
        CheckConstraint("done >= 0 and total >= 0 and downloads >= 0", name="counts"),
    )
    MOVES: ClassVar[Mapping[CopyStatus, frozenset[CopyStatus]]] = {
        CopyStatus.REQUESTED: frozenset({CopyStatus.READY, CopyStatus.FAILED, CopyStatus.OVER}),
        CopyStatus.READY: frozenset({CopyStatus.OVER}),
        CopyStatus.FAILED: frozenset({CopyStatus.OVER}),
    }

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Encrypted("file_copies.reason"))
    locale: Mapped[str] = mapped_column(String(8))
    status: Mapped[CopyStatus] = mapped_column(stored_enum(CopyStatus, "status"), default=CopyStatus.REQUESTED)
    file_name: Mapped[str | None] = mapped_column(String(32), unique=True)
    size: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    downloads: Mapped[int] = mapped_column(default=0)


class WishStatus(StrEnum):
    """Waiting for the hospital's answer; answered."""

    OPEN = "open"
    ANSWERED = "answered"


class ErasureWish(Stateful):
    """A guardian's wish that something of a child be erased, kept as typed, and the hospital's answer."""

    __tablename__ = "erasure_wishes"
    __table_args__ = (
        Index(
            "uq_erasure_wishes_open", "patient_id", "account_id", unique=True, postgresql_where=text("status = 'open'")
        ),
        Index(None, "patient_id", "id"),
        CheckConstraint(
            "(status = 'answered') = (num_nonnulls(answer, answered_at, answered_by_id) = 3)", name="answered"
        ),
    )
    MOVES: ClassVar[Mapping[WishStatus, frozenset[WishStatus]]] = {WishStatus.OPEN: frozenset({WishStatus.ANSWERED})}

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    text: Mapped[str] = mapped_column(Encrypted("erasure_wishes.text"))
    status: Mapped[WishStatus] = mapped_column(stored_enum(WishStatus, "status"), default=WishStatus.OPEN)
    asked_at: Mapped[datetime]
    deadline: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Encrypted("erasure_wishes.answer"))
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
