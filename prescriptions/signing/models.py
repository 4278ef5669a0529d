"""The tables of signatures: who holds which key, and what was signed with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted


class SigningCertificate(Base):
    """A person's X.509 certificate (PEM, with those between it and the root) and, where the clinic keeps it, its
    private key (PEM, encrypted; empty where a signing service keeps it). Without a person: the clinic's own seal, for
    papers. ``demo``: from the set-up's own authority, which production refuses."""

    __tablename__ = "signing_certificates"
    __table_args__ = (
        Index(
            "uq_signing_certificates_current",
            "practitioner_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index(
            "uq_signing_certificates_seal",
            "demo",
            unique=True,
            postgresql_where=text("ended_at is null and practitioner_id is null"),
        ),
        CheckConstraint("not_before < not_after", name="span"),
    )

    id: Mapped[Id]
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"))
    serial: Mapped[str] = mapped_column(String(64), unique=True)
    certificate: Mapped[str]
    key: Mapped[str | None] = mapped_column(Encrypted("signing_certificates.key"))
    demo: Mapped[bool] = mapped_column(default=False)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignatureRole(StrEnum):
    """As what somebody signs a prescription (处方管理办法: doctor, reviewing, dispensing and checking pharmacist)."""

    PRESCRIBER = "prescriber"
    REVIEWER = "reviewer"
    DISPENSER = "dispenser"
    CHECKER = "checker"


class Signature(Base):
    """One person's signature on one prescription. ``over`` is the canonical text that was signed: it names the
    prescription's digest, the role and the moment, for dispenser and checker also the lots given out."""

    __tablename__ = "signatures"
    __table_args__ = (UniqueConstraint("prescription_id", "role"),)

    id: Mapped[Id]
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"))
    role: Mapped[SignatureRole] = mapped_column(stored_enum(SignatureRole, "role"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("signing_certificates.id"), index=True)
    over: Mapped[str] = mapped_column(Encrypted("signatures.over"), deferred=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
