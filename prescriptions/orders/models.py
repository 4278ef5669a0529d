"""The tables of a family's order: addresses, the order, its lines with their frozen prices."""

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


class Address(Base):
    """An address of an account's own book. ``region`` is the code of the district (GB/T 2260), the rest is the
    family's words. One that was used stays as the order copied it."""

    __tablename__ = "addresses"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    region: Mapped[str] = mapped_column(String(6))
    street: Mapped[str] = mapped_column(Encrypted("addresses.street"))
    name: Mapped[str] = mapped_column(Encrypted("addresses.name"))
    phone: Mapped[str] = mapped_column(Encrypted("addresses.phone"))
    default: Mapped[bool] = mapped_column("is_default", default=False)
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Way(StrEnum):
    """How the medicines come to the child."""

    DELIVERY = "delivery"
    PICKUP = "pickup"


class OrderStatus(StrEnum):
    """Waiting for its payment; paid, and in the pharmacy's hands; with the family; over without."""

    PENDING = "pending"
    PAID = "paid"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Answer(StrEnum):
    """What the pharmacist answers when a family wants its money back after the work has begun."""

    FULL = "full"
    PART = "part"
    NONE = "none"


class MedicineOrder(Stateful):
    """The order for one approved prescription. Prices are frozen when it is made; ``address`` is what the family's
    address was then (JSON, encrypted; empty for pick-up), ``region`` its district. ``hold_until``: until when it waits
    for its payment. ``promised_at`` is when it is to arrive or can be picked up, as it was said before paying.
    ``pickup_code`` is what the family shows at the hospital's window. ``asked_at``: when the family wanted its money
    back although the pharmacy was at work; ``answer`` and ``answer_text`` are the pharmacist's."""

    __tablename__ = "medicine_orders"
    __table_args__ = (
        CheckConstraint("medicines_fen >= 0 and delivery_fen >= 0", name="fen"),
        CheckConstraint("(way = 'delivery') = (address is not null)", name="address"),
        CheckConstraint("(way = 'delivery') = (region is not null)", name="region"),
        CheckConstraint("way = 'delivery' or delivery_fen = 0", name="delivery_fen"),
        CheckConstraint("(status = 'cancelled') = (cancel_reason is not null)", name="cancelled"),
        CheckConstraint("(answer is null) = (answer_text is null)", name="answered"),
        Index(
            "uq_medicine_orders_standing",
            "prescription_id",
            unique=True,
            postgresql_where=text("status <> 'cancelled'"),
        ),
        Index("ix_medicine_orders_hold", "hold_until", postgresql_where=text("status = 'pending'")),
        Index(None, "prescription_id", "id"),
        Index(None, "patient_id", "id"),
        Index(None, "account_id", "id"),
    )
    MOVES: ClassVar[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
        OrderStatus.PENDING: frozenset({OrderStatus.PAID, OrderStatus.CANCELLED}),
        OrderStatus.PAID: frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED}),
    }

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    way: Mapped[Way] = mapped_column(stored_enum(Way, "way"))
    address: Mapped[str | None] = mapped_column(Encrypted("medicine_orders.address"))
    region: Mapped[str | None] = mapped_column(String(6))
    status: Mapped[OrderStatus] = mapped_column(stored_enum(OrderStatus, "status"), default=OrderStatus.PENDING)
    medicines_fen: Mapped[int]
    delivery_fen: Mapped[int]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"), index=True)
    hold_until: Mapped[datetime]
    promised_at: Mapped[datetime]
    pickup_code: Mapped[str | None] = mapped_column(Encrypted("medicine_orders.pickup_code"))
    cancel_reason: Mapped[str | None] = mapped_column(String(40))
    asked_at: Mapped[datetime | None]
    answer: Mapped[Answer | None] = mapped_column(stored_enum(Answer, "answer"))
    answer_text: Mapped[str | None] = mapped_column(Encrypted("medicine_orders.answer_text"))
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    @property
    def total_fen(self) -> int:
        """What is paid in all."""
        return self.medicines_fen + self.delivery_fen


class MedicineOrderLine(Base):
    """One medicine of an order: packages, and the price of one when the order was made."""

    __tablename__ = "medicine_order_lines"
    __table_args__ = (
        UniqueConstraint("order_id", "prescription_line_id"),
        CheckConstraint("packages >= 1", name="packages"),
        CheckConstraint("price_fen >= 0", name="price_fen"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("medicine_orders.id"))
    prescription_line_id: Mapped[UUID] = mapped_column(ForeignKey("prescription_lines.id"), index=True)
    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medications.id"), index=True)
    packages: Mapped[int]
    price_fen: Mapped[int]
