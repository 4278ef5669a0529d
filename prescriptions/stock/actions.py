"""What changes in the stock. Each verb locks the shelves of its products first, in the order of the products' ids, so
that two of them never wait in a circle; the database's CHECKs are the last word (docs/prescriptions.md)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import NotFound
from config.ids import new_id
from people.audit import record as audit
from people.models import Practitioner
from prescriptions.models import Medication
from prescriptions.orders.models import MedicineOrderLine
from prescriptions.stock import rules
from prescriptions.stock.models import Lot, MoveKind, Reservation, Shelf, StockMove
from prescriptions.stock.refusals import (
    BelowReserved,
    Expired,
    NotReserved,
    NotUsable,
    OtherExpiry,
    OutOfStock,
    Recalled,
)


@dataclass(frozen=True)
class Need:
    """Packages that a line of an order needs, of lots that are good until a day."""

    order_line_id: UUID
    medication_id: UUID
    packages: int
    good_until: date


def lock_shelves(session: Session, medications: Collection[UUID]) -> None:
    """Nobody else changes the stock of these products until the transaction ends."""
    wanted = select(Shelf.id).where(Shelf.medication_id.in_(set(medications))).order_by(Shelf.medication_id)
    session.execute(wanted.with_for_update()).all()


def locked(session: Session, lot_id: UUID) -> Lot:
    """A lot as it is now, with its shelf. Raises NotFound."""
    of = session.scalar(select(Lot.medication_id).where(Lot.id == lot_id))
    if of is None:
        raise NotFound
    lock_shelves(session, [of])
    return fresh(session, lot_id)


def fresh(session: Session, lot_id: UUID) -> Lot:
    """A lot as the database has it now."""
    return session.get_one(Lot, lot_id, populate_existing=True)


def shelf_of(session: Session, medication_id: UUID) -> Shelf:
    """The product's shelf, locked; made if there is none. Raises NotFound."""
    if session.get(Medication, medication_id) is None:
        raise NotFound
    made = insert(Shelf).values(id=new_id(), medication_id=medication_id)
    session.execute(made.on_conflict_do_nothing(index_elements=["medication_id"]))
    wanted = select(Shelf).where(Shelf.medication_id == medication_id).with_for_update()
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def receive(
    session: Session,
    medication_id: UUID,
    number: str,
    expires_on: date,
    packages: int,
    *,
    by: Practitioner | None,
    now: datetime,
    note: str = "",
    key: UUID | None = None,
) -> Lot:
    """Packages of a lot have come; the same with the same ``key`` are there already. Raises NotFound, Expired,
    OtherExpiry, Recalled; ValueError for none."""
    if packages < 1:
        raise ValueError("no package")
    shelf_of(session, medication_id)
    lot = session.scalar(select(Lot).where(Lot.medication_id == medication_id, Lot.number == number))
    if lot is None:
        lot = Lot(id=new_id(), medication_id=medication_id, number=number, expires_on=expires_on)
        session.add(lot)
        session.flush()
    moved = _moved(session, key)
    if moved and _same(moved, lot.id, MoveKind.RECEIVE, packages):
        return lot
    if lot.recalled_at is not None:
        raise Recalled
    if lot.expires_on != expires_on:
        raise OtherExpiry(lot.expires_on)
    if expires_on <= today(now):
        raise Expired
    unused = None if moved else key
    move(session, lot.id, MoveKind.RECEIVE, packages, now, on_hand=packages, by=by, note=note, key=unused)
    return fresh(session, lot.id)


def adjust(
    session: Session, lot_id: UUID, change: int, note: str, *, by: Practitioner, now: datetime, key: UUID | None = None
) -> Lot:
    """There are more or fewer packages than the books say; the same with the same ``key`` is written already. Raises
    NotFound, BelowReserved; ValueError for none."""
    return _correct(session, lot_id, MoveKind.ADJUST, change, note, by, now, key)


def discard(
    session: Session,
    lot_id: UUID,
    packages: int,
    note: str,
    *,
    by: Practitioner,
    now: datetime,
    key: UUID | None = None,
) -> Lot:
    """Packages are destroyed or sent back: expired, broken, recalled. ``key`` and errors as ``adjust``."""
    return _correct(session, lot_id, MoveKind.DISCARD, -packages, note, by, now, key)


def _correct(
    session: Session,
    lot_id: UUID,
    kind: MoveKind,
    change: int,
    note: str,
    by: Practitioner,
    now: datetime,
    key: UUID | None,
) -> Lot:
    lot = locked(session, lot_id)
    moved = _moved(session, key)
    if moved and _same(moved, lot_id, kind, change):
        return lot
    if lot.on_hand + change < lot.reserved:
        raise BelowReserved(lot.on_hand - lot.reserved)
    unused = None if moved else key
    move(session, lot_id, kind, change, now, on_hand=change, by=by, note=note, key=unused)
    return fresh(session, lot_id)


def _moved(session: Session, key: UUID | None) -> StockMove | None:
    """What a form with this key has moved before (the shelf locked)."""
    return session.scalar(select(StockMove).where(StockMove.key == key)) if key else None


def _same(moved: StockMove, lot_id: UUID, kind: MoveKind, change: int) -> bool:
    """Whether it was this: who goes back to a form and types something else means another movement."""
    return (moved.lot_id, moved.kind, moved.quantity) == (lot_id, kind, change)


def set_minimum(session: Session, medication_id: UUID, minimum: int, *, by: Practitioner, now: datetime) -> None:
    """From how many free packages on the product is to be ordered. Raises NotFound."""
    shelf_of(session, medication_id).minimum = minimum
    audit(
        session,
        "stock-minimum",
        at=now,
        entity="medication",
        entity_id=medication_id,
        account_id=by.account_id,
        minimum=minimum,
    )


def reserve(session: Session, needs: Sequence[Need], now: datetime) -> None:
    """Keep back everything that is needed, what expires first first. Raises OutOfStock, and then keeps nothing."""
    lock_shelves(session, [need.medication_id for need in needs])
    parts = [(need, rules.pick(free(session, need.medication_id), need.packages, need.good_until)) for need in needs]
    lacking = {need.medication_id for need, found in parts if sum(n for _, n in found) < need.packages}
    if lacking:
        raise OutOfStock(lacking)
    for need, found in parts:
        for lot_id, packages in found:
            keep(session, need, lot_id, packages, now)


def reserve_rest(session: Session, needs: Sequence[Need], now: datetime) -> dict[UUID, int]:
    """Keep back as much as there is. Returns what still lacks: packages by the order's line."""
    lock_shelves(session, [need.medication_id for need in needs])
    lacking = {}
    for need in needs:
        found = rules.pick(free(session, need.medication_id), need.packages, need.good_until)
        for lot_id, packages in found:
            keep(session, need, lot_id, packages, now)
        if missing := need.packages - sum(packages for _, packages in found):
            lacking[need.order_line_id] = missing
    return lacking


def free(session: Session, medication_id: UUID) -> list[rules.Free]:
    """What nobody was promised, of lots that were not recalled."""
    usable = select(Lot.id, Lot.expires_on, Lot.on_hand - Lot.reserved)
    usable = usable.where(Lot.medication_id == medication_id, Lot.recalled_at.is_(None), Lot.on_hand > Lot.reserved)
    return [rules.Free(*row) for row in session.execute(usable)]


def keep(session: Session, need: Need, lot_id: UUID, packages: int, now: datetime) -> None:
    """Keep back packages of a lot (its shelf locked) for a line."""
    row = {
        "id": new_id(),
        "order_line_id": need.order_line_id,
        "lot_id": lot_id,
        "quantity": packages,
        "good_until": need.good_until,
    }
    made = insert(Reservation).values(row)
    more = {"quantity": Reservation.quantity + packages}
    session.execute(made.on_conflict_do_update(index_elements=["order_line_id", "lot_id"], set_=more))
    line = need.order_line_id
    move(session, lot_id, MoveKind.RESERVE, packages, now, reserved=packages, order_line_id=line)


def release(session: Session, order_id: UUID, now: datetime) -> None:
    """Let go of everything that is kept back for an order."""
    lines = select(MedicineOrderLine).where(MedicineOrderLine.order_id == order_id).order_by(MedicineOrderLine.id)
    rows = session.scalars(lines).all()
    lock_shelves(session, [row.medication_id for row in rows])
    for kept in reservations(session, [row.id for row in rows]):
        let_go(session, kept, kept.quantity, now)


def reservations(session: Session, lines: Collection[UUID]) -> Sequence[Reservation]:
    """What is kept back for these lines (their shelves locked), as it is now."""
    wanted = select(Reservation).where(Reservation.order_line_id.in_(set(lines))).order_by(Reservation.id)
    return session.scalars(wanted.execution_options(populate_existing=True)).all()


def let_go(session: Session, kept: Reservation, packages: int, now: datetime, note: str = "") -> None:
    """Let go of packages of a reservation (its shelf locked)."""
    _shrink(session, kept, packages)
    line = kept.order_line_id
    move(session, kept.lot_id, MoveKind.RELEASE, -packages, now, reserved=-packages, order_line_id=line, note=note)


def give_out(
    session: Session, order_line_id: UUID, lot_id: UUID, quantity: int, by: Practitioner, now: datetime
) -> None:
    """Packages that were kept back for a line leave the pharmacy. Raises NotFound, Recalled, NotReserved."""
    if locked(session, lot_id).recalled_at is not None:
        raise Recalled
    kept = _kept(session, order_line_id, lot_id, quantity)
    _shrink(session, kept, quantity)
    line = order_line_id
    move(
        session,
        lot_id,
        MoveKind.DISPENSE,
        -quantity,
        now,
        on_hand=-quantity,
        reserved=-quantity,
        order_line_id=line,
        by=by,
    )


def exchange(
    session: Session, order_line_id: UUID, lot_id: UUID, other_id: UUID, quantity: int, by: Practitioner, now: datetime
) -> None:
    """Whoever picks takes packages of another lot of the product instead (the first is damaged, say).

    Raises NotFound, NotReserved, NotUsable.
    """
    lot = locked(session, lot_id)
    kept = _kept(session, order_line_id, lot_id, quantity)
    other = fresh(session, other_id) if session.get(Lot, other_id) else None
    if other is None or other.medication_id != lot.medication_id:
        raise NotFound
    spare = other.on_hand - other.reserved
    if other.recalled_at is not None or other.expires_on < kept.good_until or spare < quantity or other_id == lot_id:
        raise NotUsable
    need = Need(order_line_id, lot.medication_id, quantity, kept.good_until)
    let_go(session, kept, quantity, now, note=f"exchanged by {by.code}")
    keep(session, need, other_id, quantity, now)


def _kept(session: Session, order_line_id: UUID, lot_id: UUID, quantity: int) -> Reservation:
    kept = next((one for one in reservations(session, [order_line_id]) if one.lot_id == lot_id), None)
    if kept is None or not 1 <= quantity <= kept.quantity:
        raise NotReserved
    return kept


def _shrink(session: Session, kept: Reservation, packages: int) -> None:
    if packages == kept.quantity:
        session.delete(kept)
    else:
        kept.quantity -= packages
    session.flush()


def move(
    session: Session,
    lot_id: UUID,
    kind: MoveKind,
    quantity: int,
    now: datetime,
    *,
    on_hand: int = 0,
    reserved: int = 0,
    order_line_id: UUID | None = None,
    by: Practitioner | None = None,
    note: str = "",
    key: UUID | None = None,
) -> None:
    """Write one movement, and what it makes of the lot (its shelf locked)."""
    more: dict[str, Any] = {"on_hand": Lot.on_hand + on_hand, "reserved": Lot.reserved + reserved}
    session.execute(
        update(Lot).where(Lot.id == lot_id).values(more).execution_options(synchronize_session=False)
    )  # added in the database, so that its CHECKs see what is true
    session.add(
        StockMove(
            lot_id=lot_id,
            kind=kind,
            quantity=quantity,
            order_line_id=order_line_id,
            practitioner_id=by.id if by else None,
            note=note[:300] or None,
            key=key,
            at=now,
        )
    )
    session.flush()
