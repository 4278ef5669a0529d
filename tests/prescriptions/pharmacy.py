"""A pharmacy for tests: stock, addresses, orders placed and paid, the work of others played by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import today
from config.policy import Policy
from config.states import advance
from payments import actions as payments
from payments import gateway
from payments.gateway import TradeState
from payments.models import Payment
from people.access import Viewer
from people.models import Account, Practitioner, Role
from prescriptions.dispensing.models import DispensedItem, DispenseStatus, MedicationDispense
from prescriptions.models import Medication
from prescriptions.orders import actions as orders
from prescriptions.orders import addresses, offers, placing
from prescriptions.orders.models import Address, MedicineOrder, Way
from prescriptions.stock import actions as stock
from prescriptions.stock.models import Lot
from prescriptions.stock.queries import reserved_for
from prescriptions.writing.models import Prescription
from tests.prescriptions.orders import FEVER
from tests.product import member

XICHENG, TIANJIN, WUHAN = "110102", "120101", "420102"
FAR = timedelta(days=400)


def medication(session: Session, code: str = FEVER) -> UUID:
    """The product of a code."""
    return session.scalars(select(Medication.id).where(Medication.code == code)).one()


def received(
    session: Session,
    now: datetime,
    packages: int = 10,
    code: str = FEVER,
    *,
    number: str = "A1",
    expires: date | None = None,
) -> Lot:
    """Packages have come."""
    expires_on = expires or today(now) + FAR
    return stock.receive(session, medication(session, code), number, expires_on, packages, by=None, now=now)


def pharmacist(session: Session, code: str = "PH1", account: Account | None = None) -> Practitioner:
    """Somebody of the pharmacy."""
    known = session.scalar(select(Practitioner).where(Practitioner.code == code))
    return known or member(session, code, account, Role.PHARMACIST, Role.DISPATCHER)


def viewer(account: Account) -> Viewer:
    """Who is signed in."""
    return Viewer(account.id, "zh_CN")


def home(session: Session, account: Account, now: datetime, region: str = XICHENG) -> Address:
    """An address of an account's book."""
    return addresses.add(session, viewer(account), region, "南礼士路56号3单元201", "王芳", "13800001234", now)


def place(
    session: Session,
    account: Account,
    prescription: Prescription,
    now: datetime,
    to: Address | None = None,
    policy: Policy | None = None,
) -> MedicineOrder:
    """Order what was offered: to an address, or to be picked up."""
    rules, who = policy or Policy(), viewer(account)
    shown = offers.offer(session, prescription, addresses.book(session, who), now, rules)
    way, where = (Way.DELIVERY, to.id) if to else (Way.PICKUP, None)
    return placing.place(session, who, prescription, way, where, shown.token(where), now, rules)


def payment_of(session: Session, order: MedicineOrder) -> Payment:
    """Its payment."""
    assert order.payment_id
    return session.get_one(Payment, order.payment_id)


def settle(session: Session, payment: Payment, now: datetime) -> None:
    """WeChat Pay says that it was paid; the fact is not heard yet."""
    found = gateway.Payment(
        payment.number, TradeState.SUCCESS, f"T{payment.number[:20]}", payment.amount_fen, None, now
    )
    payments.settle(session, found, now)


def pay(session: Session, order: MedicineOrder, now: datetime) -> MedicineOrder:
    """It is paid, and the fact is heard."""
    payment = payment_of(session, order)
    settle(session, payment, now)
    orders.payment_settled(session, payment.id, now)
    return order


def prepared(session: Session, order: MedicineOrder, now: datetime) -> MedicationDispense:
    """The pharmacy has the order before it."""
    made = MedicationDispense(
        order_id=order.id, prescription_id=order.prescription_id, patient_id=order.patient_id, created_at=now
    )
    session.add(made)
    session.flush()
    return made


def begin(session: Session, work: MedicationDispense, by: Practitioner, now: datetime) -> None:
    """What is reserved is picked."""
    for kept, lot in reserved_for(session, work.order_id):
        line = kept.order_line_id
        session.add(DispensedItem(dispense_id=work.id, order_line_id=line, lot_id=lot.id, quantity=kept.quantity))
    work.picker_id, work.picked_at = by.id, now
    advance(work, DispenseStatus.IN_PROGRESS, by="test", why="picked", now=now)
    session.flush()


def hand_out(session: Session, work: MedicationDispense, by: Practitioner, now: datetime) -> None:
    """What was picked is checked, and leaves the pharmacy."""
    for item in session.scalars(select(DispensedItem).where(DispensedItem.dispense_id == work.id)).all():
        stock.give_out(session, item.order_line_id, item.lot_id, item.quantity, by, now)
    work.checker_id, work.completed_at = by.id, now
    advance(work, DispenseStatus.COMPLETED, by="test", why="checked", now=now)
    session.flush()


def given(session: Session, order: MedicineOrder, now: datetime) -> MedicationDispense:
    """The whole of the pharmacy's work."""
    work = prepared(session, order, now)
    begin(session, work, pharmacist(session, "PH1"), now)
    hand_out(session, work, pharmacist(session, "PH2"), now)
    return work
