"""The tables of the stock: shelves, lots, what is kept back of them for whom, every movement, and recalls."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted


class Shelf(Base):
    """The place of a product: whoever changes anything of its lots locks this row first. ``minimum``: fewer packages
    than that free, and it is to be ordered."""

    __tablename__ = "shelves"
    __table_args__ = (CheckConstraint("minimum >= 0", name="minimum"),)

    id: Mapped[Id]
    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medications.id"), unique=True)
    minimum: Mapped[int] = mapped_column(default=0, server_default="0")


class Lot(Base):
    """A lot (批号) of a product with its expiry, counted in packages. ``on_hand`` lie there, ``reserved`` of them for
    orders. A recalled lot is given out no more."""

    __tablename__ = "lots"
    __table_args__ = (
        UniqueConstraint("medication_id", "number"),
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint("reserved between 0 and on_hand", name="reserved"),
        Index(
            "ix_lots_usable",
            "medication_id",
            "expires_on",
            postgresql_where=text("recalled_at is null and on_hand > reserved"),
        ),
    )

    id: Mapped[Id]
    medication_id: Mapped[UUID] = mapped_column(ForeignKey("medications.id"))
    number: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date]
    on_hand: Mapped[int] = mapped_column(default=0, server_default="0")
    reserved: Mapped[int] = mapped_column(default=0, server_default="0")
    recalled_at: Mapped[datetime | None]
    recall_reason: Mapped[str | None] = mapped_column(String(300))


class MoveKind(StrEnum):
    """Why packages came or went; reserving and releasing leave them where they are."""

    RECEIVE = "receive"
    RESERVE = "reserve"
    RELEASE = "release"
    DISPENSE = "dispense"
    ADJUST = "adjust"
    DISCARD = "discard"


class StockMove(Base):
    """One movement of a lot, written once: ``quantity`` is the change of ``on_hand`` or, for reserve and release, of
    ``reserved``; what is dispensed goes from both. ``order_line_id`` says for which line of an order, ``key`` which
    form that was shown sent it."""

    __tablename__ = "stock_moves"
    __table_args__ = (CheckConstraint("quantity <> 0", name="quantity"), Index(None, "lot_id", "id"))

    id: Mapped[Id]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"))
    kind: Mapped[MoveKind] = mapped_column(stored_enum(MoveKind, "kind"))
    quantity: Mapped[int]
    order_line_id: Mapped[UUID | None] = mapped_column(ForeignKey("medicine_order_lines.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    note: Mapped[str | None] = mapped_column(String(300))
    key: Mapped[UUID | None] = mapped_column(unique=True)
    at: Mapped[datetime]


class Reservation(Base):
    """Packages of a lot that are kept back for a line of an order, until they are given out or let go. The lot is good
    until ``good_until`` at least: the end of the course, and some days more."""

    __tablename__ = "reservations"
    __table_args__ = (
        UniqueConstraint("order_line_id", "lot_id"),
        CheckConstraint("quantity >= 1", name="quantity"),
    )

    id: Mapped[Id]
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("medicine_order_lines.id"))
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"), index=True)
    quantity: Mapped[int]
    good_until: Mapped[date]


class RecalledChild(Base):
    """A child who got packages of a recalled lot, until the family has been reached: by itself (``account_id``), or by
    somebody of the pharmacy (``practitioner_id``)."""

    __tablename__ = "recalled_children"
    __table_args__ = (
        UniqueConstraint("lot_id", "patient_id"),
        CheckConstraint("reached_at is null or num_nonnulls(account_id, practitioner_id) = 1", name="reached"),
    )

    id: Mapped[Id]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("medicine_orders.id"), index=True)
    created_at: Mapped[datetime]
    reached_at: Mapped[datetime | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    note: Mapped[str | None] = mapped_column(Encrypted("recalled_children.note"))
