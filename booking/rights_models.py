"""Rights to kept-back numbers: the doctor's invitation to a follow-up, a guardian's word on where a child is."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id


class FollowupGrant(Base):
    """A doctor invites a child to a follow-up: one number of the doctor's follow-up pool, for a day up to ``until``.

    ``appointment_id``: what was booked with it; when that is cancelled, the invitation is good again.
    """

    __tablename__ = "followup_grants"
    __table_args__ = (Index("uq_followup_grants_child", "practitioner_id", "department_id", "patient_id", unique=True),)

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    until: Mapped[date]
    granted_at: Mapped[datetime]
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"), index=True)


class AreaDeclaration(Base):
    """A guardian's word that a child is in an area under control measures, good until ``until``; the last counts."""

    __tablename__ = "area_declarations"
    __table_args__ = (
        Index(None, "patient_id", "until"),
        CheckConstraint("area <> ''", name="area"),
    )

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    area: Mapped[str] = mapped_column(String(100))
    declared_at: Mapped[datetime]
    until: Mapped[datetime]
