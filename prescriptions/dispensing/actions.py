"""The pharmacy's work on a paid order: picked by one person, checked by another with the packages in hand, then sent or
laid at the window. Locks are taken as by the orders: order, work, shelves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import NotFound
from config.ids import new_id
from config.jobs import emit
from config.states import advance
from people.audit import record as audit
from people.models import Practitioner
from prescriptions.dispensing import queries
from prescriptions.dispensing.events import DispenseDeclined, MedicineDispensed, ReadyForPickup
from prescriptions.dispensing.models import DispensedItem, DispenseStatus, MedicationDispense
from prescriptions.dispensing.queries import PickLine
from prescriptions.dispensing.refusals import (
    LotOfSeveral,
    NotAllScanned,
    NotInThisState,
    OneTooMany,
    OwnPick,
    ReasonMissing,
    WrongAmounts,
    WrongPackage,
)
from prescriptions.dispensing.rules import DECLINES, folded, matches
from prescriptions.orders.models import MedicineOrder, OrderStatus, Way
from prescriptions.signing.actions import sign
from prescriptions.signing.keys import Signer
from prescriptions.signing.models import Signature, SignatureRole
from prescriptions.stock import actions as stock
from prescriptions.stock.models import Lot
from prescriptions.writing.models import Prescription

SENT_BACK = "sent-back"
Picks = Mapping[UUID, Mapping[UUID, int]]  # packages by line of the order and lot


def prepare(session: Session, order_id: UUID, now: datetime) -> None:
    """A paid order comes to the pharmacy; told twice it comes once. One that is just being cancelled doesn't come."""
    order = _order(session, order_id)
    if order.status is not OrderStatus.PAID:
        return
    row = {
        "id": new_id(),
        "order_id": order.id,
        "prescription_id": order.prescription_id,
        "patient_id": order.patient_id,
        "status": DispenseStatus.PREPARATION,
        "created_at": now,
    }
    session.execute(insert(MedicationDispense).values(row).on_conflict_do_nothing(index_elements=["order_id"]))


def pick(
    session: Session,
    dispense_id: UUID,
    picks: Picks,
    reasons: Mapping[UUID, str],
    by: Practitioner,
    signer: Signer,
    now: datetime,
) -> None:
    """The packages are out of the shelves, of these lots; ``reasons`` say why of others than those kept back. Signed as
    dispenser. Raises NotInThisState, WrongAmounts, ReasonMissing, and what signing raises."""
    dispense, order = _ours(session, dispense_id, DispenseStatus.PREPARATION)
    stock.lock_shelves(session, [line.line.medication_id for line in queries.sheet(session, order)])
    for line in queries.sheet(session, order):
        taken = {lot: packages for lot, packages in picks.get(line.line.id, {}).items() if packages}
        reason = reasons.get(line.line.id, "").strip()[:200]
        _pick_line(session, dispense, line, taken, reason, by, now)
    dispense.picker_id, dispense.picked_at = by.id, now
    advance(dispense, DispenseStatus.IN_PROGRESS, by=f"practitioner:{by.id}", why="picked", now=now)
    session.flush()
    _sign(session, dispense, SignatureRole.DISPENSER, by, signer, now)


def _pick_line(
    session: Session,
    dispense: MedicationDispense,
    line: PickLine,
    taken: Mapping[UUID, int],
    reason: str,
    by: Practitioner,
    now: datetime,
) -> None:
    """Every package of one line, the stock's books following what was really taken."""
    kept = {lot.id: packages for lot, packages in line.kept}
    usable = {lot.id for lot, _ in line.kept if lot.recalled_at is None and lot.expires_on > today(now)}
    usable |= {lot.id for lot in line.others}
    name = line.medicine.product.name
    if sum(taken.values()) != line.line.packages or min(taken.values(), default=0) < 1 or not taken.keys() <= usable:
        raise WrongAmounts(field=str(line.line.id), medicine=name.zh_CN, packages=line.line.packages)
    other = {lot: packages - kept.get(lot, 0) for lot, packages in taken.items() if packages > kept.get(lot, 0)}
    if other and not reason:
        raise ReasonMissing(field=f"reason-{line.line.id}", medicine=name.zh_CN)
    left = {lot: packages - taken.get(lot, 0) for lot, packages in kept.items() if packages > taken.get(lot, 0)}
    for to, wanted in other.items():
        _exchange(session, line.line.id, left, to, wanted, by, now)
    for lot, packages in taken.items():
        why = reason if lot in other else None
        session.add(
            DispensedItem(
                dispense_id=dispense.id, order_line_id=line.line.id, lot_id=lot, quantity=packages, reason=why
            )
        )


def _exchange(
    session: Session, line_id: UUID, left: dict[UUID, int], to: UUID, wanted: int, by: Practitioner, now: datetime
) -> None:
    """Packages of another lot instead of those that stay in the shelf."""
    for lot in list(left):
        part = min(wanted, left[lot])
        if part:
            stock.exchange(session, line_id, lot, to, part, by, now)
            left[lot] -= part
            wanted -= part
    if wanted:  # what is kept back is less than the line: a lot was recalled, and nothing came in its place
        raise NotInThisState


def scan(session: Session, dispense_id: UUID, code: str, by: Practitioner, now: datetime) -> DispensedItem:
    """The checker has scanned the code of one package. Raises OwnPick, WrongPackage, LotOfSeveral,
    OneTooMany, NotInThisState."""
    dispense = _to_check(session, dispense_id, by)
    if dispense.checker_id != by.id:  # whoever takes the check over begins anew
        _forget_scans(session, dispense)
        dispense.checker_id = by.id
    wanted = [one.wanted for one in queries.picked(session, dispense)]
    fitting = matches(code, wanted)
    if not fitting:
        raise WrongPackage(field="code", scanned=folded(code) or "?")
    if len({one.code for one in fitting}) > 1:
        raise LotOfSeveral(field="code", scanned=folded(code))
    found = next((one for one in fitting if one.open), None)
    if found is None:
        raise OneTooMany(field="code", scanned=folded(code))
    item = session.get_one(DispensedItem, found.id)
    item.scanned_at = now if item.scanned + 1 == item.quantity else None
    item.scanned += 1
    session.flush()
    return item


def complete(session: Session, dispense_id: UUID, by: Practitioner, signer: Signer, now: datetime) -> None:
    """Everything was scanned, and is what was prescribed: signed as checker, and out of the stock. Raises OwnPick,
    NotAllScanned, NotInThisState, and what the stock and signing raise."""
    dispense = _to_check(session, dispense_id, by)
    items = _items(session, dispense)
    missing = sum(item.quantity - item.scanned for item in items)
    if missing or dispense.checker_id != by.id:
        raise NotAllScanned(count=missing or sum(item.quantity for item in items))
    for item in sorted(items, key=lambda item: item.lot_id):
        stock.give_out(session, item.order_line_id, item.lot_id, item.quantity, by, now)
    dispense.completed_at = now
    advance(dispense, DispenseStatus.COMPLETED, by=f"practitioner:{by.id}", why="checked", now=now)
    session.flush()
    _sign(session, dispense, SignatureRole.CHECKER, by, signer, now)
    emit(session, MedicineDispensed(dispense.order_id, dispense.id))
    if session.get_one(MedicineOrder, dispense.order_id).way is Way.PICKUP:
        emit(session, ReadyForPickup(dispense.order_id))


def send_back(session: Session, dispense_id: UUID, reason: str, by: Practitioner, now: datetime) -> None:
    """What was picked is not right: it is picked anew, and the picker's signature is void. Raises OwnPick,
    NotInThisState."""
    dispense = _to_check(session, dispense_id, by)
    session.execute(delete(DispensedItem).where(DispensedItem.dispense_id == dispense.id))
    _void(session, dispense, now)
    dispense.picker_id = dispense.checker_id = dispense.picked_at = None
    why = f"{SENT_BACK}: {reason.strip()[:150]}"
    advance(dispense, DispenseStatus.PREPARATION, by=f"practitioner:{by.id}", why=why, now=now)


def decline(session: Session, dispense_id: UUID, reason: str, by: Practitioner, now: datetime) -> None:
    """The pharmacy can't give it out: the order ends, and its money goes back. Raises NotFound for another reason than
    those of DECLINES, NotInThisState."""
    if reason not in DECLINES:
        raise NotFound
    dispense, _ = _ours(session, dispense_id, DispenseStatus.PREPARATION, DispenseStatus.IN_PROGRESS)
    session.execute(delete(DispensedItem).where(DispensedItem.dispense_id == dispense.id))
    _void(session, dispense, now)
    dispense.reason = reason
    advance(dispense, DispenseStatus.DECLINED, by=f"practitioner:{by.id}", why=reason, now=now)
    emit(session, DispenseDeclined(dispense.order_id))


def _order(session: Session, order_id: UUID) -> MedicineOrder:
    """The order as it is now, ours until the transaction ends."""
    return session.get_one(MedicineOrder, order_id, with_for_update={"key_share": True}, populate_existing=True)


def _ours(session: Session, dispense_id: UUID, *states: DispenseStatus) -> tuple[MedicationDispense, MedicineOrder]:
    """The work and its order, ours until the transaction ends. Raises NotFound, NotInThisState."""
    order_id = session.scalar(select(MedicationDispense.order_id).where(MedicationDispense.id == dispense_id))
    if order_id is None:
        raise NotFound
    order = _order(session, order_id)
    dispense = session.get_one(MedicationDispense, dispense_id, with_for_update=True, populate_existing=True)
    if dispense.status not in states or order.status is not OrderStatus.PAID:
        raise NotInThisState
    return dispense, order


def _to_check(session: Session, dispense_id: UUID, by: Practitioner) -> MedicationDispense:
    dispense, _ = _ours(session, dispense_id, DispenseStatus.IN_PROGRESS)
    if dispense.picker_id == by.id:
        raise OwnPick
    return dispense


def _items(session: Session, dispense: MedicationDispense) -> Sequence[DispensedItem]:
    wanted = select(DispensedItem).where(DispensedItem.dispense_id == dispense.id)
    return session.scalars(wanted.execution_options(populate_existing=True)).all()


def _forget_scans(session: Session, dispense: MedicationDispense) -> None:
    for item in _items(session, dispense):
        item.scanned, item.scanned_at = 0, None
    session.flush()


def _void(session: Session, dispense: MedicationDispense, now: datetime) -> None:
    """The dispenser's signature is over lots that nobody gives out: it goes, and the record says so."""
    gone = delete(Signature).where(
        Signature.prescription_id == dispense.prescription_id, Signature.role == SignatureRole.DISPENSER
    )
    if session.execute(gone.returning(Signature.id)).all():
        audit(session, "void-signature", at=now, entity="dispense", entity_id=dispense.id, role="dispenser")


def _sign(
    session: Session,
    dispense: MedicationDispense,
    role: SignatureRole,
    by: Practitioner,
    signer: Signer,
    now: datetime,
) -> None:
    """The signature says which packages of which lots."""
    rows = session.execute(
        select(DispensedItem, Lot.number)
        .join(Lot, Lot.id == DispensedItem.lot_id)
        .where(DispensedItem.dispense_id == dispense.id)
        .order_by(DispensedItem.order_line_id, DispensedItem.lot_id)
    )
    lots = [
        {"line": str(item.order_line_id), "lot": number, "packages": item.quantity, "reason": item.reason}
        for item, number in rows
    ]
    prescription = session.get_one(Prescription, dispense.prescription_id)
    sign(session, prescription, role, by, {"dispense": str(dispense.id), "lots": lots}, signer, now)
