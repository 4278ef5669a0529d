"""Medicines of the demo that were ordered: paid, picked and checked by two people, on their way or at home; made by the
same actions as by pages. Each thing happens at its moment after the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from config.clock import today
from config.policy import Policy
from config.text import CHINESE
from payments import actions as payments
from payments import gateway, reconciling
from payments.bill import Bill, Line
from payments.gateway import TradeState
from payments.models import Payment
from people.access import Viewer
from people.models import Practitioner
from prescriptions.after import actions as after
from prescriptions.delivery import actions as deliveries
from prescriptions.delivery.couriers import Mark, Step, Told
from prescriptions.dispensing import actions as pharmacy
from prescriptions.dispensing import queries as work
from prescriptions.orders import actions as orders
from prescriptions.orders import addresses, offers, placing
from prescriptions.orders.models import Address, MedicineOrder, Way
from prescriptions.signing.keys import Signer
from prescriptions.writing.models import Prescription

PAID, PICKED, CHECKED = timedelta(minutes=2), timedelta(minutes=40), timedelta(minutes=50)
TRACE = (  # hours after the order, what it means, where, the courier's words
    (3, Mark.COLLECTED, "北京市西城区", "已收取快件"),
    (6, Mark.MOVING, "北京市顺义区", "快件已完成分拣，正发往下一站"),
    (22, Mark.OUT, "北京市昌平区", "正在派送，派送员高师傅，电话13900007766"),
    (23, Mark.DELIVERED, "北京市昌平区", "已凭签收码签收"),
)
COMES = {"shipped": 2, "delivered": len(TRACE)}  # how many of these steps were done


@dataclass(frozen=True)
class Pharmacy:
    """Who picks and who checks, and the courier's name in the rows."""

    picker: Practitioner
    checker: Practitioner
    signer: Signer
    courier: str


def bring(
    session: Session,
    prescription: Prescription,
    account_id: UUID,
    to: Mapping[str, str],
    comes: str,
    by: Pharmacy,
    ordered: datetime,
    policy: Policy,
) -> Payment:
    """The family orders it to its address and pays; it is given out and with the courier as far as ``comes`` says:
    ``shipped`` or ``delivered``. Returns the payment."""
    who = Viewer(account_id, CHINESE)
    address = _address(session, who, to, ordered)
    offer = offers.offer(session, prescription, addresses.book(session, who), ordered, policy)
    seen = offer.token(address.id)
    order = placing.place(session, who, prescription, Way.DELIVERY, address.id, seen, ordered, policy)
    payment = _pay(session, order, ordered + PAID)
    _give_out(session, order, by, ordered)
    _carry(session, order, by.courier, ordered, TRACE[: COMES[comes]])
    return payment


def bills(session: Session, paid: Iterable[Payment], now: datetime) -> None:
    """The gateway's bills of those days, which name what was paid: nothing differs. What was paid today comes with the
    day's own bill."""
    days: dict[date, list[Line]] = defaultdict(list)
    for one in paid:
        assert one.paid_at  # noqa: S101 - as it was just made
        assert one.transaction  # noqa: S101
        days[today(one.paid_at)].append(Line(False, one.number, one.transaction, one.amount_fen, "SUCCESS"))
    for day, lines in days.items():
        reconciling.compare(session, day, Bill(lines), now)


def _address(session: Session, who: Viewer, to: Mapping[str, str], now: datetime) -> Address:
    known = addresses.book(session, who)
    return known[0] if known else addresses.add(session, who, to["region"], to["street"], to["name"], to["phone"], now)


def _pay(session: Session, order: MedicineOrder, now: datetime) -> Payment:
    assert order.payment_id  # noqa: S101 - medicines of the demo cost something
    payment = session.get_one(Payment, order.payment_id)
    transaction = f"DEMO{payment.number}"[:32]
    payments.settle(
        session, gateway.Payment(payment.number, TradeState.SUCCESS, transaction, payment.amount_fen, None, now), now
    )
    orders.payment_settled(session, payment.id, now)
    return payment


def _give_out(session: Session, order: MedicineOrder, by: Pharmacy, ordered: datetime) -> None:
    picked, checked = ordered + PICKED, ordered + CHECKED
    pharmacy.prepare(session, order.id, ordered + PAID)
    kept = {one.line.id: {lot.id: packages for lot, packages in one.kept} for one in work.sheet(session, order)}
    dispense = work.of_order(session, order.id)
    assert dispense  # noqa: S101 - as it was just made
    pharmacy.pick(session, dispense.id, kept, {}, by.picker, by.signer, picked)
    for one in work.picked(session, dispense):
        for _ in range(one.item.quantity):
            pharmacy.scan(session, dispense.id, one.lot.number, by.checker, checked)
    pharmacy.complete(session, dispense.id, by.checker, by.signer, checked)


def _carry(
    session: Session,
    order: MedicineOrder,
    courier: str,
    ordered: datetime,
    trace: Iterable[tuple[int, Mark, str, str]],
) -> None:
    """The parcel is no book of the simulated courier's, so nothing moves it on but the desk."""
    parcel = deliveries.begin(session, order.id, ordered + CHECKED)
    assert parcel  # noqa: S101 - it is to be delivered, and has none
    waybill = f"SF77{order.number[-10:]}"
    deliveries.taken(session, parcel.id, courier, waybill, ordered + CHECKED, traces=False)
    for hours, mark, place, words in trace:
        at = ordered + timedelta(hours=hours)
        deliveries.hear(session, Told(parcel.id, waybill, (Step(mark, at, place, words),)), courier, at)
        if mark is Mark.DELIVERED:
            after.begun(session, order.prescription_id, at)
    parcel.ask_at = None
