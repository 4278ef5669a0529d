"""Orders on their way, for tests: paid, in the pharmacy, given out, with a courier."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from people.models import Practitioner
from prescriptions.delivery import actions as deliveries
from prescriptions.delivery.models import Delivery
from prescriptions.dispensing import actions, queries
from prescriptions.dispensing.models import MedicationDispense
from prescriptions.orders.models import MedicineOrder
from prescriptions.signing.keys import Signer
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER
from tests.prescriptions.pharmacy import home, pay, pharmacist, place, received
from tests.product import Hospital


def paid(
    session: Session, hospital: Hospital, now: datetime, *codes: str, sent: bool = True, lots: int = 1
) -> MedicineOrder:
    """An order of the mother's child that is paid; of each medicine there are some lots."""
    prescription = signed(session, hospital, now, *codes)
    for code in codes or (FEVER,):
        for n in range(lots):
            received(session, now, 10, code, number=f"{code[:6].upper()}-{n}")
    to = home(session, hospital.mother, now) if sent else None
    return pay(session, place(session, hospital.mother, prescription, now, to), now)


def in_pharmacy(session: Session, order: MedicineOrder, now: datetime) -> MedicationDispense:
    """The order has come to the pharmacy."""
    actions.prepare(session, order.id, now)
    found = queries.of_order(session, order.id)
    assert found
    return found


def kept(session: Session, order: MedicineOrder) -> dict[object, dict[object, int]]:
    """What is kept back, as it is picked."""
    return {one.line.id: {lot.id: packages for lot, packages in one.kept} for one in queries.sheet(session, order)}


def picked(
    session: Session, order: MedicineOrder, by: Practitioner, signer: Signer, now: datetime
) -> MedicationDispense:
    """Picked as it was kept back."""
    work = in_pharmacy(session, order, now)
    actions.pick(session, work.id, kept(session, order), {}, by, signer, now)  # type: ignore[arg-type]
    return work


def checked(session: Session, order: MedicineOrder, signer: Signer, now: datetime) -> MedicationDispense:
    """Picked by one, scanned by another."""
    work = picked(session, order, pharmacist(session, "PH1"), signer, now)
    checker = pharmacist(session, "PH2")
    for one in queries.picked(session, work):
        for _ in range(one.item.quantity):
            actions.scan(session, work.id, one.lot.number, checker, now)
    actions.complete(session, work.id, checker, signer, now)
    return work


def parcel(session: Session, order: MedicineOrder, now: datetime, waybill: str | None = "SF1") -> Delivery:
    """A parcel of an order that the courier has taken."""
    made = deliveries.begin(session, order.id, now)
    assert made
    if waybill:
        deliveries.taken(session, made.id, "fengqiao", waybill, now, traces=True)
    return made
