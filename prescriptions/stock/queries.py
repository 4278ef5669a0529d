"""Reads of the stock: the shelves, one product's lots and movements, what an order needs, whom a recall touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import NotFound
from config.policy import Policy
from people.models import Patient, Practitioner
from prescriptions.formulary.product import Product
from prescriptions.models import Medication, MedicationVersion
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine
from prescriptions.stock.models import Lot, MoveKind, RecalledChild, Reservation, Shelf, StockMove

MOVES = 200  # of a product, on its page


@dataclass(frozen=True)
class Stocked:
    """A product with what is there of it, in packages. ``next_expiry`` is of what is there; ``soon``: it is near;
    ``low``: fewer are free than the minimum."""

    medication: Medication
    product: Product
    minimum: int
    on_hand: int
    reserved: int
    usable: int
    next_expiry: date | None
    soon: bool

    @property
    def low(self) -> bool:
        """Whether it is to be ordered."""
        return self.usable < self.minimum


def stocked(session: Session, now: datetime, policy: Policy, medication_id: UUID | None = None) -> list[Stocked]:
    """Every product that is used or of which something is there: what is low first, then what expires soon, then by
    code. ``medication_id``: only that one."""
    day = today(now)
    good = and_(Lot.recalled_at.is_(None), Lot.expires_on > day)
    sums = (
        select(
            Lot.medication_id,
            func.sum(Lot.on_hand).label("on_hand"),
            func.sum(Lot.reserved).label("reserved"),
            func.sum(case((good, Lot.on_hand - Lot.reserved), else_=0)).label("usable"),
            func.min(Lot.expires_on).label("expiry"),
        )
        .where(Lot.on_hand > 0)
        .group_by(Lot.medication_id)
        .subquery()
    )
    current = and_(MedicationVersion.medication_id == Medication.id, MedicationVersion.n == Medication.latest)
    wanted = (
        select(Medication, MedicationVersion.content, Shelf.minimum, *list(sums.c)[1:])
        .join(MedicationVersion, current)
        .outerjoin(Shelf, Shelf.medication_id == Medication.id)
        .outerjoin(sums, sums.c.medication_id == Medication.id)
        .where(Medication.active | sums.c.on_hand.is_not(None))
    )
    if medication_id:
        wanted = wanted.where(Medication.id == medication_id)
    near = day + timedelta(days=policy.expiring_days)
    found = [
        Stocked(
            medication,
            Product.model_validate(content),
            minimum or 0,
            int(on_hand or 0),
            int(reserved or 0),
            int(usable or 0),
            expiry,
            expiry is not None and expiry <= near,
        )
        for medication, content, minimum, on_hand, reserved, usable, expiry in session.execute(wanted)
    ]
    return sorted(found, key=lambda one: (not one.low, not one.soon, one.medication.code))


def lots_of(session: Session, medication_id: UUID) -> Sequence[Lot]:
    """A product's lots of which something is there, by expiry; then the last ones of which nothing is."""
    lots = select(Lot).where(Lot.medication_id == medication_id)
    there = session.scalars(lots.where(Lot.on_hand > 0).order_by(Lot.expires_on, Lot.id)).all()
    empty = session.scalars(lots.where(Lot.on_hand == 0).order_by(Lot.expires_on.desc(), Lot.id).limit(20)).all()
    return [*there, *empty]


def lot(session: Session, lot_id: UUID) -> Lot:
    """One lot. Raises NotFound."""
    found = session.get(Lot, lot_id)
    if found is None:
        raise NotFound
    return found


def moves_of(
    session: Session, medication_id: UUID
) -> list[tuple[StockMove, Lot, Practitioner | None, MedicineOrder | None]]:
    """The last movements of a product's lots, the newest first, with who made them and for which order."""
    wanted = (
        select(StockMove, Lot, Practitioner, MedicineOrder)
        .join(Lot, Lot.id == StockMove.lot_id)
        .outerjoin(Practitioner, Practitioner.id == StockMove.practitioner_id)
        .outerjoin(MedicineOrderLine, MedicineOrderLine.id == StockMove.order_line_id)
        .outerjoin(MedicineOrder, MedicineOrder.id == MedicineOrderLine.order_id)
        .where(Lot.medication_id == medication_id)
        .order_by(StockMove.id.desc())
        .limit(MOVES)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(wanted)]


def available(session: Session, needs: Mapping[UUID, tuple[int, date]]) -> frozenset[UUID]:
    """The products of which there is enough, for packages by product that are good until a day."""
    found = set()
    for medication_id, (packages, good_until) in needs.items():
        there = session.scalar(
            select(func.sum(Lot.on_hand - Lot.reserved)).where(
                Lot.medication_id == medication_id,
                Lot.recalled_at.is_(None),
                Lot.on_hand > Lot.reserved,
                Lot.expires_on >= good_until,
            )
        )
        if int(there or 0) >= packages:
            found.add(medication_id)
    return frozenset(found)


def reserved_for(session: Session, order_id: UUID) -> list[tuple[Reservation, Lot]]:
    """What is kept back for an order, line by line, what expires first first: what is to be picked."""
    wanted = (
        select(Reservation, Lot)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(MedicineOrderLine, MedicineOrderLine.id == Reservation.order_line_id)
        .where(MedicineOrderLine.order_id == order_id)
        .order_by(MedicineOrderLine.id, Lot.expires_on, Lot.id)
    )
    return [(row[0], row[1]) for row in session.execute(wanted)]


def lacking(session: Session, order_id: UUID) -> dict[UUID, int]:
    """Packages that are neither kept back nor given out, by the order's line."""
    kept = select(func.sum(Reservation.quantity)).where(Reservation.order_line_id == MedicineOrderLine.id)
    out = select(func.sum(StockMove.quantity)).where(
        StockMove.order_line_id == MedicineOrderLine.id, StockMove.kind == MoveKind.DISPENSE
    )
    rows = session.execute(
        select(
            MedicineOrderLine.id,
            MedicineOrderLine.packages,
            kept.correlate(MedicineOrderLine).scalar_subquery(),
            out.correlate(MedicineOrderLine).scalar_subquery(),
        ).where(MedicineOrderLine.order_id == order_id)
    )
    found = {line: packages - int(kept or 0) + int(out or 0) for line, packages, kept, out in rows}
    return {line: packages for line, packages in found.items() if packages > 0}


def given_of(session: Session, lot_id: UUID) -> dict[UUID, UUID]:
    """The children who got packages of a lot, each with its last order."""
    rows = session.execute(_through_moves(MoveKind.DISPENSE, StockMove.lot_id == lot_id))
    return {row[0]: row[1] for row in rows}


def waiting_for(session: Session, lot_id: UUID) -> list[UUID]:
    """The orders for which packages of a lot are kept back."""
    wanted = select(MedicineOrderLine.order_id).distinct().join(Reservation).where(Reservation.lot_id == lot_id)
    return list(session.scalars(wanted))


def taken_out(session: Session, recalled: Lot) -> list[UUID]:
    """The orders out of which the recall took packages of this lot, by id."""
    if recalled.recalled_at is None:
        return []
    at = and_(StockMove.lot_id == recalled.id, StockMove.at == recalled.recalled_at)
    rows = session.execute(_through_moves(MoveKind.RELEASE, at))
    return sorted({order_id for _, order_id in rows})


def _through_moves(kind: MoveKind, *which: ColumnElement[bool]) -> Select[UUID, UUID]:
    return (
        select(MedicineOrder.patient_id, MedicineOrder.id)
        .join(MedicineOrderLine, MedicineOrderLine.order_id == MedicineOrder.id)
        .join(StockMove, StockMove.order_line_id == MedicineOrderLine.id)
        .where(StockMove.kind == kind, *which)
        .order_by(MedicineOrder.id)
    )


def recalled(session: Session, lot_id: UUID) -> list[tuple[RecalledChild, Patient]]:
    """The children of a recall, those not yet reached first."""
    wanted = select(RecalledChild, Patient).join(Patient).where(RecalledChild.lot_id == lot_id)
    order = (RecalledChild.reached_at.is_not(None), RecalledChild.id)
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(*order))]


def recalled_one(session: Session, recalled_id: UUID) -> tuple[RecalledChild, Lot]:
    """One child of a recall. Raises NotFound."""
    found = session.get(RecalledChild, recalled_id)
    if found is None:
        raise NotFound
    return found, session.get_one(Lot, found.lot_id)


def recalls_for(session: Session, order: MedicineOrder) -> list[tuple[RecalledChild, Lot]]:
    """The recalls that concern an order which the viewer may see (orders.queries.for_family)."""
    got = select(StockMove.lot_id).join(MedicineOrderLine).where(
        MedicineOrderLine.order_id == order.id, StockMove.kind == MoveKind.DISPENSE
    )  # fmt: skip
    wanted = select(RecalledChild, Lot).join(Lot).where(RecalledChild.patient_id == order.patient_id, Lot.id.in_(got))
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(RecalledChild.id))]
