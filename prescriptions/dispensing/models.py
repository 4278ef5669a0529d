"""The tables of dispensing: the work on one order, and what was given out of which lot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.states import Stateful


class DispenseStatus(StrEnum):
    """FHIR R4 MedicationDispenseStatus as far as it is used: to be picked, picked and to be checked, checked and ready;
    declined by the pharmacy; cancelled."""

    PREPARATION = "preparation"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class MedicationDispense(Stateful):
    """The pharmacy's work on one paid order. Who checks is never who picked (处方管理办法: 四查十对, two people).
    ``reason``: a code, when it was declined."""

    __tablename__ = "medication_dispenses"
    __table_args__ = (
        CheckConstraint("checker_id <> picker_id", name="another"),
        CheckConstraint("status <> 'completed' or (picker_id is not null and checker_id is not null)", name="signed"),
        CheckConstraint("(status = 'declined') = (reason is not null)", name="reason"),
        Index(
            "ix_medication_dispenses_open",
            "id",
            postgresql_where=text("status in ('preparation', 'in-progress')"),
        ),
    )
    MOVES: ClassVar[Mapping[DispenseStatus, frozenset[DispenseStatus]]] = {
        DispenseStatus.PREPARATION: frozenset(
            {DispenseStatus.IN_PROGRESS, DispenseStatus.DECLINED, DispenseStatus.CANCELLED}
        ),
        DispenseStatus.IN_PROGRESS: frozenset(
            {
                DispenseStatus.PREPARATION,
                DispenseStatus.COMPLETED,
                DispenseStatus.DECLINED,
                DispenseStatus.CANCELLED,
            }
        ),
    }

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("medicine_orders.id"), unique=True)
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    status: Mapped[DispenseStatus] = mapped_column(
        stored_enum(DispenseStatus, "status"), default=DispenseStatus.PREPARATION
    )
    picker_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    checker_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    reason: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    picked_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class DispensedItem(Base):
    """Packages of one lot, picked for one line of the order; ``reason``: why of another lot than the one kept back.
    ``scanned`` of them the checker has scanned, ``scanned_at``: the last."""

    __tablename__ = "dispensed_items"
    __table_args__ = (
        UniqueConstraint("dispense_id", "order_line_id", "lot_id"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("scanned between 0 and quantity", name="scanned"),
        CheckConstraint("(scanned = quantity) = (scanned_at is not null)", name="all_scanned"),
    )

    id: Mapped[Id]
    dispense_id: Mapped[UUID] = mapped_column(ForeignKey("medication_dispenses.id"))
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("medicine_order_lines.id"), index=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"), index=True)
    quantity: Mapped[int]
    reason: Mapped[str | None] = mapped_column(String(200))
    scanned: Mapped[int] = mapped_column(default=0, server_default="0")
    scanned_at: Mapped[datetime | None]
