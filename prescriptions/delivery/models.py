"""The tables of delivery: a parcel on its way, and its trace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from config.states import Stateful
from prescriptions.delivery.couriers import Mark


class DeliveryStatus(StrEnum):
    """Ours: the courier is to come; on its way; there; not delivered; back at the pharmacy."""

    ORDERED = "ordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"


class Delivery(Stateful):
    """One parcel of one order. ``courier`` names the adapter, ``waybill`` is the courier's number (both empty until the
    courier has taken the order), ``code`` is what the family says at the door. ``due_at``: when it is late;
    ``warned_at``: when that was told; ``ask_at``: when the courier is asked next, empty once that is over. ``error``:
    why the courier refused, or did not answer."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("courier", "waybill"),
        CheckConstraint("status not in ('shipped', 'delivered') or waybill is not null", name="waybill"),
        CheckConstraint("(waybill is null) = (courier is null)", name="courier"),
        CheckConstraint("(status = 'delivered') = (delivered_at is not null)", name="delivered"),
        Index(
            "uq_deliveries_standing",
            "order_id",
            unique=True,
            postgresql_where=text("status not in ('failed', 'returned')"),
        ),
        Index("ix_deliveries_ask", "ask_at", postgresql_where=text("ask_at is not null")),
        Index("ix_deliveries_due", "due_at", postgresql_where=text("status in ('ordered', 'shipped')")),
        Index(None, "order_id", "id"),
    )
    MOVES: ClassVar[Mapping[DeliveryStatus, frozenset[DeliveryStatus]]] = {
        DeliveryStatus.ORDERED: frozenset(
            {DeliveryStatus.SHIPPED, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.RETURNED}
        ),
        DeliveryStatus.SHIPPED: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.RETURNED}),
        DeliveryStatus.FAILED: frozenset({DeliveryStatus.SHIPPED, DeliveryStatus.DELIVERED, DeliveryStatus.RETURNED}),
        DeliveryStatus.DELIVERED: frozenset({DeliveryStatus.RETURNED}),
    }

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("medicine_orders.id"))
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    courier: Mapped[str | None] = mapped_column(String(20))
    waybill: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(Encrypted("deliveries.code"))
    status: Mapped[DeliveryStatus] = mapped_column(
        stored_enum(DeliveryStatus, "status"), default=DeliveryStatus.ORDERED
    )
    error: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class DeliveryStep(Base):
    """One step of the trace as the courier told it, or the desk wrote it; the same step told twice is one. ``place``
    is a city or depot, ``words`` the courier's own, with who brings it perhaps."""

    __tablename__ = "delivery_steps"
    __table_args__ = (UniqueConstraint("delivery_id", "at", "mark"),)

    id: Mapped[Id]
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    mark: Mapped[Mark] = mapped_column(stored_enum(Mark, "mark"))
    place: Mapped[str | None] = mapped_column(Encrypted("delivery_steps.place"))
    words: Mapped[str | None] = mapped_column(Encrypted("delivery_steps.words"))
    at: Mapped[datetime]
    heard_at: Mapped[datetime]
