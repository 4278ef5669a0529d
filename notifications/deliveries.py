"""What is said of an order's medicines from the pharmacy on: nothing of which they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.errors import NotFound
from config.formats import masked
from config.text import N_, known, translate
from notifications.writing import Values, put
from people import access
from people.access import Viewer
from people.models import Account
from prescriptions.after import actions as after
from prescriptions.delivery import actions
from prescriptions.delivery.events import DeliveryDelivered, DeliveryFailed, DeliveryShipped
from prescriptions.delivery.models import Delivery
from prescriptions.dispensing import actions as pharmacy
from prescriptions.dispensing.events import (
    DispenseDeclined,
    MedicineDispensed,
    MedicineHandedOver,
    ReadyForPickup,
)
from prescriptions.orders import actions as orders
from prescriptions.orders.events import OrderPaid
from prescriptions.orders.models import MedicineOrder

SHIPPED, ARRIVED, TROUBLE = "delivery-shipped", "delivery-arrived", "delivery-trouble"
READY, FETCHED, DECLINED = "pickup-ready", "pickup-fetched", "order-declined"
# At most 20 characters each, in both languages (``thing``).
PHARMACY = N_("Pharmacy")
WINDOW = N_("Pick-up window")
COURIER = N_("Home delivery")
HINTS = {
    SHIPPED: N_("It is on its way"),
    ARRIVED: N_("How to give it: here"),
    TROUBLE: N_("Late: we see to it"),
    READY: N_("Ready to be fetched"),
    FETCHED: N_("How to give it: here"),
    DECLINED: N_("Not given out: see"),
}
TEXTS = (PHARMACY, WINDOW, COURIER, *HINTS.values())


def prepare(session: Session, fact: OrderPaid, now: datetime) -> None:
    """A paid order comes to the pharmacy."""
    pharmacy.prepare(session, fact.order_id, now)


def end_order(session: Session, fact: DispenseDeclined, now: datetime) -> None:
    """What the pharmacy can't give out is over, and its money goes back."""
    orders.declined(session, fact.order_id, now)


def send_parcel(session: Session, fact: MedicineDispensed, now: datetime) -> None:
    """What is given out and is to be delivered becomes a parcel."""
    actions.begin(session, fact.order_id, now)


def begin_course(session: Session, fact: DeliveryDelivered | MedicineHandedOver, now: datetime) -> None:
    """The medicines are with the child: their days are counted from now."""
    if isinstance(fact, DeliveryDelivered):
        prescription_id = session.get_one(Delivery, fact.delivery_id).prescription_id
    else:
        prescription_id = session.get_one(MedicineOrder, fact.order_id).prescription_id
    after.begun(session, prescription_id, now)


def tell_shipped(session: Session, fact: DeliveryShipped, now: datetime) -> None:
    """It is on its way; once, also when it was stopped on the way and goes on."""
    _of_parcel(session, SHIPPED, fact.delivery_id, now)


def tell_delivered(session: Session, fact: DeliveryDelivered, now: datetime) -> None:
    """It has arrived, and how to give it."""
    _of_parcel(session, ARRIVED, fact.delivery_id, now)


def tell_failed(session: Session, fact: DeliveryFailed, now: datetime) -> None:
    """It has not arrived, and somebody sees to it; once for each reason."""
    _of_parcel(session, TROUBLE, fact.delivery_id, now, occasion=fact.why)


def tell_ready(session: Session, fact: ReadyForPickup, now: datetime) -> None:
    """It lies at the window."""
    _tell(session, READY, fact.order_id, fact.order_id, WINDOW, now)


def tell_fetched(session: Session, fact: MedicineHandedOver, now: datetime) -> None:
    """How to give it."""
    _tell(session, FETCHED, fact.order_id, fact.order_id, WINDOW, now)


def tell_declined(session: Session, fact: DispenseDeclined, now: datetime) -> None:
    """The pharmacy can't give it out; what happens now stands on the order's page."""
    _tell(session, DECLINED, fact.order_id, fact.order_id, WINDOW, now)


def _of_parcel(session: Session, message: str, delivery_id: UUID, now: datetime, occasion: str = "") -> None:
    parcel = session.get_one(Delivery, delivery_id)
    _tell(session, message, parcel.order_id, parcel.id, COURIER, now, occasion)


def _tell(
    session: Session, message: str, order_id: UUID, source_id: UUID, where: str, now: datetime, occasion: str = ""
) -> None:
    """Who ordered, as long as they are an active guardian."""
    order = session.get_one(MedicineOrder, order_id)
    account = session.get_one(Account, order.account_id)
    locale = known(account.locale)
    try:
        child = access.patient_of(session, Viewer(account.id, locale), order.patient_id)
    except NotFound:
        return
    values: Values = {
        "child": masked(child.name),
        "department": translate(locale, PHARMACY),
        "doctor": translate(locale, where),
        "time": now,
        "hint": translate(locale, HINTS[message]),
    }
    put(session, message, account, source_id, values, now, link=order_id, occasion=occasion)
