"""The tables of a prescription: its states, its lines, and who reviewed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import today
from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class PrescriptionStatus(StrEnum):
    """Being written; signed, and waiting for a pharmacist; good to be dispensed; sent back with reasons; withdrawn by
    the doctor, or over before anybody reviewed it. Ours, mapped to FHIR's MedicationRequest at the edge."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Prescription(Stateful):
    """A prescription of one encounter. ``draft`` is what is being written (JSON), ``version`` counts on with what
    is saved, signed or given up in the encounter; ``content`` is what was signed, canonical JSON, and ``digest`` its
    SHA-256: neither is ever changed. A correction is a new row that ``replaces_id`` the rejected one.

    Good until ``valid_until`` (the end of the day on which it was signed, by the doctor's reason of at most two more:
    处方管理办法 art. 18). ``emergency``: at most three days' supply. ``review_by``: until when a pharmacist is to have
    looked at it. ``codes``: the reviewer's reasons (config/data/review_reasons.toml) when it was rejected.
    ``withdrawn``: why the doctor has taken it back. What is encrypted is read when it is asked for, so that one damaged
    row does not hide a list.
    """

    __tablename__ = "prescriptions"
    __table_args__ = (
        CheckConstraint("version >= 0", name="version"),
        CheckConstraint("(content is null) = (digest is null)", name="content"),
        CheckConstraint("(content is null) = (signed_at is null)", name="signed"),
        CheckConstraint("(content is null) = (valid_until is null)", name="validity"),
        CheckConstraint("status in ('draft', 'cancelled') or content is not null", name="has_content"),
        CheckConstraint("(reviewer_id is null) = (reviewed_at is null)", name="reviewed"),
        CheckConstraint("status not in ('approved', 'rejected') or reviewer_id is not null", name="has_reviewer"),
        CheckConstraint("reviewer_id <> practitioner_id", name="another"),
        Index("uq_prescriptions_draft", "encounter_id", unique=True, postgresql_where=text("status = 'draft'")),
        Index("ix_prescriptions_review", "review_by", postgresql_where=text("status = 'in-review'")),
        Index(
            "ix_prescriptions_valid",
            "valid_until",
            postgresql_where=text("status in ('in-review', 'approved', 'rejected')"),
        ),
        Index(None, "encounter_id", "id"),
        Index(None, "patient_id", "id"),
    )
    MOVES: ClassVar[Mapping[PrescriptionStatus, frozenset[PrescriptionStatus]]] = {
        PrescriptionStatus.DRAFT: frozenset({PrescriptionStatus.IN_REVIEW, PrescriptionStatus.CANCELLED}),
        PrescriptionStatus.IN_REVIEW: frozenset(
            {PrescriptionStatus.APPROVED, PrescriptionStatus.REJECTED, PrescriptionStatus.CANCELLED}
        ),
        PrescriptionStatus.APPROVED: frozenset({PrescriptionStatus.CANCELLED}),
        PrescriptionStatus.REJECTED: frozenset({PrescriptionStatus.CANCELLED}),
    }

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("prescriptions.id"), index=True)
    status: Mapped[PrescriptionStatus] = mapped_column(
        stored_enum(PrescriptionStatus, "status"), default=PrescriptionStatus.DRAFT
    )
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    draft: Mapped[str | None] = mapped_column(Encrypted("prescriptions.draft"), deferred=True)
    content: Mapped[str | None] = mapped_column(Encrypted("prescriptions.content"), deferred=True)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    emergency: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    review_by: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    reviewed_at: Mapped[datetime | None]
    codes: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default="[]")
    review_text: Mapped[str | None] = mapped_column(Encrypted("prescriptions.review_text"), deferred=True)
    withdrawn: Mapped[str | None] = mapped_column(Encrypted("prescriptions.withdrawn"), deferred=True)

    @property
    def accepted(self) -> bool:
        """A pharmacist has accepted it, cancelled since or not: only such a one is shown to its family. Who sends one
        back names reasons."""
        return self.reviewed_at is not None and not self.codes

    @property
    def last_day(self) -> date | None:
        """The last day on which it is good; None before it is signed."""
        return today(self.valid_until - timedelta(seconds=1)) if self.valid_until else None


class PrescriptionLine(Base):
    """One medicine of a signed prescription, written with the signature and never changed: the version of the product,
    ``dose`` in thousandths of a unit of the form, ``times`` a day at least ``interval`` hours apart for ``days``,
    ``packages`` in all; running from ``starts_on`` to ``until`` (both included)."""

    __tablename__ = "prescription_lines"
    __table_args__ = (
        UniqueConstraint("prescription_id", "n"),
        UniqueConstraint("prescription_id", "medication_id"),
        CheckConstraint("n between 1 and 5", name="n"),
        CheckConstraint("least(dose, times, interval, days, packages) >= 1", name="amounts"),
        CheckConstraint("until >= starts_on", name="course"),
        Index(None, "patient_id", "until"),
    )

    id: Mapped[Id]
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    n: Mapped[int]
    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medications.id"), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("medication_versions.id"), index=True)
    rule: Mapped[str] = mapped_column(String(60), default="", server_default="")
    dose: Mapped[int]
    times: Mapped[int]
    interval: Mapped[int]
    days: Mapped[int]
    packages: Mapped[int]
    starts_on: Mapped[date]
    until: Mapped[date]


class PrescriptionQuestion(Base):
    """What a pharmacist asks the doctor about a prescription that waits, and the answer."""

    __tablename__ = "prescription_questions"
    __table_args__ = (
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        Index(None, "prescription_id", "id"),
    )

    id: Mapped[Id]
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"))
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    text: Mapped[str] = mapped_column(Encrypted("prescription_questions.text"))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Encrypted("prescription_questions.answer"))
    answered_at: Mapped[datetime | None]


class PrescriptionTemplate(Base):
    """A doctor's own set of medicines under a name: codes of products. The doses are proposed anew for each child."""

    __tablename__ = "prescription_templates"
    __table_args__ = (UniqueConstraint("practitioner_id", "name"),)

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    name: Mapped[str] = mapped_column(String(40))
    codes: Mapped[list[Any]] = mapped_column(JSONB, default=list)
