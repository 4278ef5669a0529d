"""What a pharmacist decides about an order: money back after the work has begun, and packages that are missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from config.clock import today
from config.formats import yuan
from config.jobs import emit
from config.policy import Policy, current
from payments import actions as payments
from payments.models import Payment
from people import tasks
from people.access import Viewer
from people.audit import record as audit
from people.models import Practitioner, Role
from prescriptions.dispensing.models import DispenseStatus
from prescriptions.orders import queries
from prescriptions.orders.actions import ASKED, SHORT, Ended, end, locked, own, work_on
from prescriptions.orders.events import OrderCancelled, RefundAnswered
from prescriptions.orders.models import Answer, MedicineOrder, OrderStatus
from prescriptions.orders.refusals import AlreadyAsked, AnswerMissing, NotCancellable, WrongAmount
from prescriptions.stock import actions as stock
from prescriptions.stock.actions import Need
from prescriptions.stock.queries import lacking, lot, taken_out
from prescriptions.stock.rules import good_until


def ask_back(session: Session, viewer: Viewer, order_id: UUID, now: datetime, policy: Policy) -> MedicineOrder:
    """Whoever ordered wants the money back although the pharmacy is at work, or has given the medicines out: a
    pharmacist decides. Raises NotFound, NotTheirs, NotCancellable, AlreadyAsked."""
    order = own(session, viewer, order_id)
    if order.status not in {OrderStatus.PAID, OrderStatus.COMPLETED} or not left_fen(session, order):
        raise NotCancellable
    if order.asked_at is not None:
        raise AlreadyAsked
    order.asked_at = now
    _task(session, ASKED, order, timedelta(hours=policy.refund_asked_hours), now)
    return order


def left_fen(session: Session, order: MedicineOrder) -> int:
    """What can still go back."""
    payment = session.get(Payment, order.payment_id) if order.payment_id else None
    return payment.amount_fen - payment.refunded_fen if payment and payment.paid else 0


def answer(
    session: Session,
    order_id: UUID,
    said: Answer,
    amount_fen: int,
    text: str,
    *,
    by: Practitioner,
    now: datetime,
) -> MedicineOrder:
    """A pharmacist decides: everything back (what was not given out ends), a part, or nothing; and says why. Delivered
    medicines are not taken back, whatever goes back of the money.

    Raises NotFound, NotCancellable, AnswerMissing, WrongAmount.
    """
    order = locked(session, order_id)
    if order.asked_at is None or order.answer is not None or order.status is OrderStatus.CANCELLED:
        raise NotCancellable
    if len(text.strip()) < 2:
        raise AnswerMissing
    left = left_fen(session, order)
    if said is Answer.PART and not 0 < amount_fen <= left:
        raise WrongAmount(yuan(left))
    order.answer, order.answer_text = said, text.strip()[:300]
    session.flush()
    _give_back(session, order, said, amount_fen, now)
    tasks.settle(session, ASKED, order.id, why=said, now=now)
    who = by.account_id
    audit(session, "answer-refund", at=now, entity="medicine_order", entity_id=order.id, account_id=who, answer=said)
    emit(session, RefundAnswered(order_id=order.id))
    return order


def _give_back(session: Session, order: MedicineOrder, said: Answer, amount_fen: int, now: datetime) -> None:
    work = work_on(session, order)
    given_out = work is not None and work.status is DispenseStatus.COMPLETED
    if said is Answer.FULL and not given_out and order.status is OrderStatus.PAID:
        end(session, order, Ended.DECIDED, now, by="pharmacist")
        emit(session, OrderCancelled(order_id=order.id))
    elif said is not Answer.NONE and order.payment_id:
        part = amount_fen if said is Answer.PART else None
        payments.refund(session, order.payment_id, reason=Ended.DECIDED, now=now, amount_fen=part)


def _task(session: Session, kind: str, order: MedicineOrder, within: timedelta, now: datetime) -> None:
    about = {"zh_CN": order.number, "en": order.number}
    tasks.open(
        session,
        kind=kind,
        subject_id=order.id,
        about=about,
        role=Role.PHARMACIST,
        deadline=now + within,
        now=now,
    )


def lot_recalled(session: Session, lot_id: UUID, now: datetime) -> None:
    """Orders out of which a recall has taken packages that there are not in other lots: what nobody has paid ends; for
    what was paid a pharmacist is asked."""
    for order_id in taken_out(session, lot(session, lot_id)):
        refill(session, order_id, now)


def refill(session: Session, order_id: UUID, now: datetime) -> dict[UUID, int]:
    """Keep back what is missing for an order, as far as there is any. Returns what still lacks, by line; then an unpaid
    order ends, and a pharmacist is asked about a paid one. Raises NotFound."""
    order = locked(session, order_id)
    if order.status not in {OrderStatus.PENDING, OrderStatus.PAID}:
        return {}
    policy = current(session, now)
    missing = lacking(session, order.id)
    needs = []
    for one in queries.lines(session, order.id):
        if packages := missing.get(one.line.id, 0):
            days = one.medicine.line.days
            until = good_until(max(today(order.promised_at), today(now)), days, policy.lot_margin_days)
            needs.append(Need(one.line.id, one.line.medication_id, packages, until))
    still = stock.reserve_rest(session, needs, now)
    if not still:
        tasks.settle(session, SHORT, order.id, why="refilled", now=now)
    elif order.status is OrderStatus.PENDING:
        end(session, order, Ended.NO_STOCK, now, by="clinic")
        emit(session, OrderCancelled(order_id=order.id))
    else:
        _task(session, SHORT, order, timedelta(hours=policy.refund_asked_hours), now)
    return still


def give_up(session: Session, order_id: UUID, *, by: Practitioner, now: datetime) -> None:
    """Packages are missing and will not come: the pharmacist ends the order, all its money goes back. Raises NotFound,
    NotCancellable."""
    order = locked(session, order_id)
    if order.status is not OrderStatus.PAID or not lacking(session, order.id):
        raise NotCancellable
    end(session, order, Ended.NO_STOCK, now, by=f"practitioner:{by.id}")
    who = by.account_id
    audit(session, "end-medicines", at=now, entity="medicine_order", entity_id=order.id, account_id=who)
    emit(session, OrderCancelled(order_id=order.id))
