"""A parcel begun when the medicines are given out, and given to the courier: under one id, so that it is never two."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.ids import new_id
from config.states import advance
from prescriptions.delivery.actions.troubles import locked, standing, trouble
from prescriptions.delivery.addresses import receiver
from prescriptions.delivery.couriers import Parcel
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.delivery.rules import OVER
from prescriptions.orders.models import MedicineOrder, OrderStatus, Way

LEASE = timedelta(minutes=2)  # who has claimed a parcel and not written by then is gone
AGAIN = timedelta(minutes=1)  # the courier did not answer
ASK_EVERY = timedelta(hours=2)  # when nothing is pushed
COURIER = "courier"


def begin(session: Session, order_id: UUID, now: datetime) -> Delivery | None:
    """A parcel for an order that is given out. None: it is for pick-up, has one already, or is over."""
    order = session.get_one(MedicineOrder, order_id, with_for_update=True)
    if order.way is not Way.DELIVERY or order.status is not OrderStatus.PAID or standing(session, order_id):
        return None
    parcel = Delivery(
        id=new_id(),
        order_id=order.id,
        prescription_id=order.prescription_id,
        patient_id=order.patient_id,
        code=f"{secrets.randbelow(10_000):04d}",
        due_at=order.promised_at,
        ask_at=now,
        created_at=now,
    )
    session.add(parcel)
    session.flush()
    return parcel


def claim(session: Session, now: datetime) -> Delivery | None:
    """A parcel about which the courier is to be asked now; nobody else asks about it for a while."""
    due = select(Delivery).where(Delivery.ask_at <= now).order_by(Delivery.ask_at).limit(1)
    parcel = session.scalar(due.with_for_update(skip_locked=True))
    if parcel:
        parcel.ask_at = now + LEASE
    return parcel


def as_parcel(session: Session, parcel: Delivery) -> Parcel:
    """What the courier is told of it."""
    return Parcel(parcel.id, receiver(session.get_one(MedicineOrder, parcel.order_id)), parcel.code)


def taken(session: Session, delivery_id: UUID, courier: str, waybill: str, now: datetime, *, traces: bool) -> None:
    """The courier has taken the order. ``traces``: it can be asked about it."""
    parcel = locked(session, delivery_id)
    if parcel.waybill is None:
        parcel.courier, parcel.waybill = courier, waybill
    parcel.error = None
    parcel.ask_at = now + ASK_EVERY if traces and parcel.status not in OVER else None


def unanswered(session: Session, delivery_id: UUID, code: str, now: datetime) -> None:
    """The courier did not answer: it is asked again soon, under the same id. When it stays so the parcel is late."""
    parcel = locked(session, delivery_id)
    parcel.error = code[:40]
    parcel.ask_at = None if parcel.status in OVER else now + AGAIN


def not_taken(session: Session, delivery_id: UUID, code: str, now: datetime) -> None:
    """The courier does not carry it: the dispatchers see to it."""
    parcel = locked(session, delivery_id)
    parcel.error, parcel.ask_at = code[:40], None
    if parcel.status is DeliveryStatus.ORDERED:
        advance(parcel, DeliveryStatus.FAILED, by=COURIER, why=code[:200], now=now)
        trouble(session, parcel, COURIER, now)
