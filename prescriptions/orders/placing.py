"""An order is placed: prices frozen, stock kept back, the payment opened, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import randbelow
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import local, today
from config.errors import NotFound
from config.ids import new_id
from config.policy import Policy
from config.text import N_, known, translate
from payments import actions as payments
from people.access import Viewer
from people.audit import record as audit
from people.models import Account
from prescriptions.orders import addresses, offers, queries
from prescriptions.orders.actions import PURPOSE, paid
from prescriptions.orders.models import Address, MedicineOrder, MedicineOrderLine, Way
from prescriptions.orders.offers import Offer
from prescriptions.orders.refusals import AlreadyOrdered, NotOrderable, OutOfArea, PickupOnly, QuoteChanged
from prescriptions.orders.rules import Priced, Quote
from prescriptions.stock import actions as stock
from prescriptions.stock.actions import Need
from prescriptions.stock.refusals import OutOfStock
from prescriptions.stock.rules import good_until
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import orderable

ON_THE_BILL = N_("Internet clinic, medicines")
WITH_DELIVERY = N_("Internet clinic, medicines and delivery")


def place(
    session: Session,
    viewer: Viewer,
    prescription: Prescription,
    way: Way,
    address_id: UUID | None,
    seen: str,
    now: datetime,
    policy: Policy,
) -> MedicineOrder:
    """Order the medicines of a prescription (from writing.queries.for_family): prices are frozen, the stock is kept
    back and the payment opened, or without anything to pay it is paid at once.

    ``seen`` is the token of what was shown (Offer.token). Raises NotOrderable, AlreadyOrdered, PickupOnly, OutOfArea,
    OutOfStock, QuoteChanged.
    """
    _lock_prescription(session, prescription)
    if (before := queries.standing(session, prescription.id)) is not None:
        raise AlreadyOrdered(before.id)
    if not orderable(prescription, now):
        raise NotOrderable
    as_of, seal = offers.shown(seen, now, policy)
    offer = offers.offer(session, prescription, addresses.book(session, viewer), as_of, policy)
    if offer.lacking:
        raise OutOfStock(offer.lacking)
    address, quote = _chosen(session, viewer, offer, way, address_id)
    if seal != offer.seal(address.id if address else None):
        raise QuoteChanged
    order = _made(viewer, offer, way, address, quote, now, policy)
    session.add(order)
    session.flush()
    _keep(session, order, offer.lines, policy, now)
    _ask_for_money(session, order, now)
    who = viewer.account_id
    audit(session, "order-medicines", at=now, entity="medicine_order", entity_id=order.id, account_id=who, way=way)
    return order


def _lock_prescription(session: Session, prescription: Prescription) -> None:
    """One order at a time, and none while the doctor withdraws it."""
    wanted = select(Prescription).where(Prescription.id == prescription.id).with_for_update(key_share=True)
    session.scalars(wanted.execution_options(populate_existing=True)).one()


def _chosen(
    session: Session, viewer: Viewer, offer: Offer, way: Way, address_id: UUID | None
) -> tuple[Address | None, Quote]:
    """The address, if it is delivered, and what was said of that way. Raises NotFound, PickupOnly, OutOfArea."""
    if way is Way.PICKUP:
        return None, offer.pickup
    if offer.cold:
        raise PickupOnly
    if address_id is None:
        raise NotFound
    address = addresses.one(session, viewer, address_id)
    quote = offer.quote(way, address.id)
    if quote is None:
        raise OutOfArea
    return address, quote


def _made(
    viewer: Viewer, offer: Offer, way: Way, address: Address | None, quote: Quote, now: datetime, policy: Policy
) -> MedicineOrder:
    order_id = new_id()
    to = None
    if address:
        parts = {"region": address.region, "street": address.street, "name": address.name, "phone": address.phone}
        to = json.dumps(parts, ensure_ascii=False)
    return MedicineOrder(
        id=order_id,
        number=f"{local(now):%y%m%d}{order_id.int % 10**8:08d}",
        prescription_id=offer.prescription.id,
        patient_id=offer.prescription.patient_id,
        account_id=viewer.account_id,
        way=way,
        address=to,
        region=address.region if address else None,
        medicines_fen=offer.medicines_fen,
        delivery_fen=quote.delivery_fen,
        hold_until=now + timedelta(minutes=policy.order_hold_minutes),
        promised_at=quote.promised_at,
        pickup_code=f"{randbelow(10**6):06d}" if way is Way.PICKUP else None,
        created_at=now,
    )


def _keep(session: Session, order: MedicineOrder, lines: Sequence[Priced], policy: Policy, now: datetime) -> None:
    """Write the lines and keep the stock back for them. Raises OutOfStock."""
    needs = []
    for line in lines:
        row = MedicineOrderLine(
            id=new_id(),
            order_id=order.id,
            prescription_line_id=line.line_id,
            medication_id=line.medication_id,
            packages=line.packages,
            price_fen=line.price_fen,
        )
        session.add(row)
        until = good_until(today(order.promised_at), line.days, policy.lot_margin_days)
        needs.append(Need(row.id, line.medication_id, line.packages, until))
    session.flush()
    stock.reserve(session, needs, now)


def _ask_for_money(session: Session, order: MedicineOrder, now: datetime) -> None:
    if not order.total_fen:
        paid(session, order, now, why="free")
        return
    account = session.get_one(Account, order.account_id)
    payment = payments.charge(
        session,
        account_id=account.id,
        purpose=PURPOSE,
        reference_id=order.id,
        description=translate(known(account.locale), WITH_DELIVERY if order.delivery_fen else ON_THE_BILL),
        amount_fen=order.total_fen,
        expires_at=order.hold_until,
        now=now,
    )
    order.payment_id = payment.id
