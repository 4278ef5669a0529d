"""The tables of fairness: who may not book for a time (爽约), and numbers that changed hands too quickly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from config.states import Stateful

APPEAL = 500  # characters of an appeal, and of the reason for what was decided


class SuspensionStatus(StrEnum):
    """In force; appealed against (still in force); upheld; lifted."""

    ACTIVE = "active"
    APPEALED = "appealed"
    UPHELD = "upheld"
    LIFTED = "lifted"


class Suspension(Stateful):
    """A child, or an account, that can't be booked for, or book, for a time, because visits were missed.

    ``appointment_id`` is the miss that reached the limit, ``missed`` how many there were in the year before. One appeal
    is possible; its text is kept as typed.
    """

    __tablename__ = "suspensions"
    __table_args__ = (
        CheckConstraint("num_nonnulls(patient_id, account_id) = 1", name="subject"),
        CheckConstraint("until > since", name="until"),
        CheckConstraint("missed >= 1", name="missed"),
        Index("uq_suspensions_patient", "appointment_id", "patient_id", unique=True),
        Index("uq_suspensions_account", "appointment_id", "account_id", unique=True),
        Index(None, "patient_id", "until"),
        Index(None, "account_id", "until"),
    )
    MOVES: ClassVar[Mapping[SuspensionStatus, frozenset[SuspensionStatus]]] = {
        SuspensionStatus.ACTIVE: frozenset({SuspensionStatus.APPEALED, SuspensionStatus.LIFTED}),
        SuspensionStatus.APPEALED: frozenset({SuspensionStatus.UPHELD, SuspensionStatus.LIFTED}),
    }

    id: Mapped[Id]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"))
    missed: Mapped[int]
    since: Mapped[datetime]
    until: Mapped[datetime]
    status: Mapped[SuspensionStatus] = mapped_column(
        stored_enum(SuspensionStatus, "status"), default=SuspensionStatus.ACTIVE
    )
    appeal: Mapped[str | None] = mapped_column(Encrypted("suspensions.appeal"))
    appealed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    appealed_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Encrypted("suspensions.answer"))
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    decided_at: Mapped[datetime | None]


class Suspicion(Base):
    """A number of a (nearly) full period that one account gave back and an unrelated one took ``seconds`` later."""

    __tablename__ = "suspicions"
    __table_args__ = (Index(None, "giver_id", "at"), Index(None, "taker_id", "at"))

    id: Mapped[Id]
    at: Mapped[datetime]
    giver_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    taker_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    given_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), index=True)
    taken_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), unique=True)
    why: Mapped[str] = mapped_column(String(20))
    seconds: Mapped[int]
