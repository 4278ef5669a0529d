"""The trace of a parcel: kept step by step, and its state moved to where the whole of it says it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.ids import new_id
from config.jobs import emit
from config.states import advance
from people import tasks
from prescriptions.delivery.actions.sending import ASK_EVERY
from prescriptions.delivery.actions.troubles import PARCEL_TASK, ask_somebody, locked, standing, trouble
from prescriptions.delivery.couriers import Mark, Step, Told
from prescriptions.delivery.events import DeliveryDelivered, DeliveryShipped
from prescriptions.delivery.models import Delivery, DeliveryStatus, DeliveryStep
from prescriptions.delivery.rules import OVER, last, status_of
from prescriptions.orders import actions as orders
from prescriptions.orders.models import OrderStatus

COURIER = "courier"
STANDING = frozenset({DeliveryStatus.SHIPPED, DeliveryStatus.DELIVERED})


def hear(session: Session, told: Told, courier: str, now: datetime) -> bool:
    """Steps that the courier told by itself. False: the parcel is not one of ours."""
    parcel = session.scalar(select(Delivery).where(Delivery.id == told.id).with_for_update())
    if parcel is None or (parcel.courier or courier, parcel.waybill or told.waybill) != (courier, told.waybill):
        return False
    if parcel.waybill is None:  # the answer to our order was lost, or is not written yet
        parcel.courier, parcel.waybill, parcel.error = courier, told.waybill, None
    follow(session, parcel, told.steps, COURIER, now)
    if parcel.status not in OVER:
        parcel.ask_at = now + ASK_EVERY
    return True


def traced(session: Session, delivery_id: UUID, steps: Sequence[Step], now: datetime) -> None:
    """Steps that the courier told when it was asked; it is asked again later."""
    parcel = locked(session, delivery_id)
    follow(session, parcel, steps, COURIER, now)
    parcel.error = None
    parcel.ask_at = None if parcel.status in OVER else now + ASK_EVERY


def follow(session: Session, parcel: Delivery, told: Sequence[Step], by: str, now: datetime) -> None:
    """Keep what is new, and move the parcel. An older step than those known changes nothing but the trace."""
    for step in told:
        row = {"id": new_id(), "delivery_id": parcel.id, "mark": step.mark, "at": step.at, "heard_at": now}
        row |= {"place": step.place or None, "words": step.words or None}
        session.execute(insert(DeliveryStep).values(row).on_conflict_do_nothing())
    known = session.scalars(select(DeliveryStep).where(DeliveryStep.delivery_id == parcel.id)).all()
    to = status_of(known)
    if to is parcel.status or not known:
        return
    if to in STANDING and parcel.status not in STANDING and standing(session, parcel.order_id, but=parcel.id):
        ask_somebody(session, parcel, now)  # it was sent anew meanwhile: now there are two
        return
    advance(parcel, to, by=by, why=last(known).mark.value, now=now)
    _consequences(session, parcel, known, now)
    if to in OVER:
        parcel.ask_at = None


def _consequences(session: Session, parcel: Delivery, known: Sequence[DeliveryStep], now: datetime) -> None:
    parcel.shipped_at = parcel.shipped_at or min(step.at for step in known)
    handed_over = [step.at for step in known if step.mark is Mark.DELIVERED]
    parcel.delivered_at = min(handed_over) if parcel.status is DeliveryStatus.DELIVERED else None
    if parcel.status is DeliveryStatus.SHIPPED:
        emit(session, DeliveryShipped(parcel.id))
    elif parcel.status is DeliveryStatus.DELIVERED:
        tasks.settle(session, PARCEL_TASK, parcel.id, why="delivered", now=now)
        _complete(session, parcel.order_id, now)
        emit(session, DeliveryDelivered(parcel.id))
    else:
        why = Mark.RETURNED if parcel.status is DeliveryStatus.RETURNED else last(known).mark
        trouble(session, parcel, why.value, now)


def _complete(session: Session, order_id: UUID, now: datetime) -> None:
    """The family has the medicines: the order is done, and its money the hospital's."""
    if orders.locked(session, order_id).status is OrderStatus.PAID:
        orders.completed(session, order_id, now)
