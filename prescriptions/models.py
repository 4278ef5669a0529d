"""The tables of the formulary: a medicine, its versions, and files that wait for a yes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, Json


class Medication(Base):
    """A product of the formulary. ``latest`` is the number of its version in force, ``search`` all that it is found
    by, in small letters; one that is not ``active`` is kept, but prescribed no more."""

    __tablename__ = "medications"
    __table_args__ = (CheckConstraint("latest >= 1", name="latest"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(60), unique=True)
    latest: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    search: Mapped[str]


class MedicationVersion(Base):
    """What a product was from one change to the next; never changed. ``content`` is a Product (formulary/product.py)
    as data, ``account_id`` who wrote it (empty: the hospital's file), ``verified_*`` the pharmacist who has verified
    it."""

    __tablename__ = "medication_versions"
    __table_args__ = (
        UniqueConstraint("medication_id", "n"),
        CheckConstraint("n >= 1", name="n"),
        CheckConstraint("(verified_by_id is null) = (verified_at is null)", name="verified"),
    )

    id: Mapped[Id]
    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medications.id"))
    n: Mapped[int]
    content: Mapped[Json]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime]
    verified_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    verified_at: Mapped[datetime | None]


class SentFile(Base):
    """A file (``kind``: formulary or stock) that was read without a fault and waits for its sender's yes; ``content``
    is CSV."""

    __tablename__ = "sent_files"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    content: Mapped[str]
    created_at: Mapped[datetime]
