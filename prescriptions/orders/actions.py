"""The life of an order once it was placed (placing.py): paid, lapsed, cancelled, completed.

Locks are taken in one order: the prescription, the order, the pharmacy's work on it, shelves by product, the payment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.jobs import emit
from config.states import advance
from config.text import N_
from payments import actions as payments
from payments.models import Payment
from people import tasks
from people.access import Viewer
from people.audit import record as audit
from prescriptions.dispensing.models import DispenseStatus, MedicationDispense
from prescriptions.orders import queries
from prescriptions.orders.events import OrderCancelled, OrderLapsed, OrderPaid, OrderPaidTooLate
from prescriptions.orders.models import MedicineOrder, OrderStatus
from prescriptions.orders.refusals import (
    DispensingBegun,
    NotCancellable,
    NotTheirs,
)
from prescriptions.stock import actions as stock

PURPOSE = "medicines"  # of a payment: its reference is the order's id
ASKED = tasks.kind(
    "medicine-refund-asked",
    title=N_("A family wants its money back for order %(about)s"),
    path="/desk/medicine-orders/{id}",
    there=True,
)
SHORT = tasks.kind(
    "medicine-order-short",
    title=N_("Packages are missing for paid order %(about)s"),
    path="/desk/medicine-orders/{id}",
    there=True,
)


class Ended(StrEnum):
    """Why an order was cancelled; the value is the code of its refund, too (payments/reasons.py)."""

    FAMILY = "parent"
    UNPAID = "unpaid"
    DECLINED = "pharmacy"
    NO_STOCK = "no-stock"
    WITHDRAWN = "withdrawn"
    DECIDED = "decision"


def paid(session: Session, order: MedicineOrder, now: datetime, *, why: str) -> None:
    advance(order, OrderStatus.PAID, by="clinic", why=why, now=now)
    order.paid_at = now
    emit(session, OrderPaid(order_id=order.id))


def locked(session: Session, order_id: UUID) -> MedicineOrder:
    """The order as it is now, ours until the transaction ends. Raises NotFound."""
    wanted = select(MedicineOrder).where(MedicineOrder.id == order_id).with_for_update(key_share=True)
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def work_on(session: Session, order: MedicineOrder) -> MedicationDispense | None:
    """The pharmacy's work on an order (locked), locked too."""
    wanted = select(MedicationDispense).where(MedicationDispense.order_id == order.id).with_for_update(key_share=True)
    return session.scalar(wanted.execution_options(populate_existing=True))


def payment_settled(session: Session, payment_id: UUID, now: datetime) -> None:
    """The order is paid; money for one that has ended goes back in full, and the family is told."""
    order = _paid_for(session, payment_id)
    if order is None:
        return
    if order.status is OrderStatus.PENDING:
        paid(session, order, now, why="paid")
    elif order.status is OrderStatus.CANCELLED and payments.refund(session, payment_id, reason="late", now=now):
        emit(session, OrderPaidTooLate(order_id=order.id))


def payment_closed(session: Session, payment_id: UUID, now: datetime) -> None:
    """Nobody can pay any more: the order lapses, and what was kept back is free again."""
    order = _paid_for(session, payment_id)
    if order is not None and order.status is OrderStatus.PENDING:
        end(session, order, Ended.UNPAID, now, by="worker")
        emit(session, OrderLapsed(order_id=order.id))


def _paid_for(session: Session, payment_id: UUID) -> MedicineOrder | None:
    """The order (locked) that a payment is for; None when it is for something else."""
    payment = session.get_one(Payment, payment_id)
    return locked(session, payment.reference_id) if payment.purpose == PURPOSE else None


def cancel(session: Session, viewer: Viewer, order_id: UUID, now: datetime) -> MedicineOrder:
    """Whoever ordered gives it up before the pharmacy has begun: all that was paid goes back.

    Raises NotFound, NotTheirs, NotCancellable, DispensingBegun.
    """
    order = own(session, viewer, order_id)
    if order.status not in {OrderStatus.PENDING, OrderStatus.PAID}:
        raise NotCancellable
    if queries.begun(work_on(session, order)):
        raise DispensingBegun
    end(session, order, Ended.FAMILY, now, by=f"account:{viewer.account_id}")
    who = viewer.account_id
    audit(session, "cancel-medicines", at=now, entity="medicine_order", entity_id=order.id, account_id=who)
    emit(session, OrderCancelled(order_id=order.id))
    return order


def own(session: Session, viewer: Viewer, order_id: UUID) -> MedicineOrder:
    """An order (locked) that the viewer has made for a child of theirs. Raises NotFound, NotTheirs."""
    queries.for_family(session, viewer, order_id)
    order = locked(session, order_id)
    if order.account_id != viewer.account_id:
        raise NotTheirs
    return order


def end(session: Session, order: MedicineOrder, why: Ended, now: datetime, *, by: str) -> None:
    """End an order (locked) before its medicines were given out: the pharmacy stops, the stock is free again, and what
    is left of the money goes back. Whoever ends it tells of it."""
    advance(order, OrderStatus.CANCELLED, by=by, why=why, now=now)
    order.cancel_reason = why
    work = work_on(session, order)
    if work and work.status in {DispenseStatus.PREPARATION, DispenseStatus.IN_PROGRESS}:
        advance(work, DispenseStatus.CANCELLED, by=by, why=why, now=now)
    session.flush()
    stock.release(session, order.id, now)
    if order.payment_id and order.paid_at:
        payments.refund(session, order.payment_id, reason=why, now=now)
    for kind in (ASKED, SHORT):
        tasks.settle(session, kind, order.id, why=why, now=now)


def declined(session: Session, order_id: UUID, now: datetime) -> None:
    """The pharmacy does not give it out: the order ends with all its money back, and the family is told. Raises
    NotFound."""
    _end_paid(session, order_id, Ended.DECLINED, now)


def prescription_cancelled(session: Session, prescription_id: UUID, now: datetime) -> None:
    """The doctor has withdrawn the prescription: an order that was not given out ends with it."""
    found = queries.standing(session, prescription_id)
    if found is None:
        return
    order = locked(session, found.id)
    work = work_on(session, order)
    if work is None or work.status is not DispenseStatus.COMPLETED:
        _end_paid(session, order.id, Ended.WITHDRAWN, now)


def _end_paid(session: Session, order_id: UUID, why: Ended, now: datetime) -> None:
    order = locked(session, order_id)
    if order.status in {OrderStatus.PENDING, OrderStatus.PAID}:
        end(session, order, why, now, by="clinic")
        emit(session, OrderCancelled(order_id=order.id))


def completed(session: Session, order_id: UUID, now: datetime) -> None:
    """The medicines are with the family: what is left of the money is the hospital's. Raises NotFound, WrongState."""
    order = locked(session, order_id)
    advance(order, OrderStatus.COMPLETED, by="clinic", why="there", now=now)
    order.completed_at = now
    session.flush()
    if order.payment_id:
        payments.earn(session, order.payment_id, now)
