"""What payments and recalls mean for orders of medicines, and what is said of them; no medicine is named."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.formats import masked
from config.text import N_, known, translate
from notifications.writing import Values, put
from payments.events import PaymentClosed, PaymentSettled
from people.models import Account, Department, GuardianStatus, Patient, Practitioner
from people.queries import guardians
from prescriptions.orders import actions, deciding, queries
from prescriptions.orders.actions import Ended
from prescriptions.orders.events import OrderCancelled, OrderLapsed, OrderPaid, OrderPaidTooLate, RefundAnswered
from prescriptions.orders.models import MedicineOrder
from prescriptions.stock.events import LotRecalled
from prescriptions.stock.queries import lot, recalled
from prescriptions.writing.events import PrescriptionCancelled
from prescriptions.writing.queries import found

ORDER, RECALL = "medicine-order", "medicine-recalled"
# At most 20 characters each, in both languages (``thing``).
PAID_HINT = N_("Order is paid")
LAPSED_HINT = N_("Order was not paid")
LATE_HINT = N_("Money comes back")
ANSWER_HINT = N_("See our answer")
RECALL_HINT = N_("Stop using it, tap")
ENDED = {
    Ended.FAMILY: N_("Order is cancelled"),
    Ended.NO_STOCK: N_("Order ended, see why"),
    Ended.WITHDRAWN: N_("Order ended, see why"),
}  # what a pharmacist decided, and what the pharmacy declined, have messages of their own
TEXTS = (PAID_HINT, LAPSED_HINT, LATE_HINT, ANSWER_HINT, RECALL_HINT, *ENDED.values())


def order_paid(session: Session, fact: PaymentSettled, now: datetime) -> None:
    """A payment came: the order that it is for is paid."""
    actions.payment_settled(session, fact.payment_id, now)


def order_unpaid(session: Session, fact: PaymentClosed, now: datetime) -> None:
    """A payment can't come any more: the order that it is for lapses."""
    actions.payment_closed(session, fact.payment_id, now)


def end_withdrawn(session: Session, fact: PrescriptionCancelled, now: datetime) -> None:
    """The doctor has withdrawn a prescription: its order ends."""
    actions.prescription_cancelled(session, fact.prescription_id, now)


def see_to_recalled(session: Session, fact: LotRecalled, now: datetime) -> None:
    """Orders that lack something by a recall are refilled, ended, or a pharmacist's task."""
    deciding.lot_recalled(session, fact.lot_id, now)


def tell_paid(session: Session, fact: OrderPaid, now: datetime) -> None:
    """Who ordered learns that the pharmacy begins."""
    _tell(session, fact.order_id, "paid", PAID_HINT, now)


def tell_lapsed(session: Session, fact: OrderLapsed, now: datetime) -> None:
    """Who ordered learns that nothing comes, and can order again."""
    _tell(session, fact.order_id, "lapsed", LAPSED_HINT, now)


def tell_cancelled(session: Session, fact: OrderCancelled, now: datetime) -> None:
    """Who ordered learns that it has ended."""
    why = queries.order(session, fact.order_id).cancel_reason
    if why in ENDED:
        _tell(session, fact.order_id, "cancelled", ENDED[Ended(why)], now)


def tell_late(session: Session, fact: OrderPaidTooLate, now: datetime) -> None:
    """Who ordered learns that the money came too late and goes back."""
    _tell(session, fact.order_id, "late", LATE_HINT, now)


def tell_answer(session: Session, fact: RefundAnswered, now: datetime) -> None:
    """Who asked for the money back learns that there is an answer."""
    _tell(session, fact.order_id, "answer", ANSWER_HINT, now)


def tell_recalled(session: Session, fact: LotRecalled, now: datetime) -> None:
    """Every guardian of every child who got packages of the lot, by day and by night."""
    at = lot(session, fact.lot_id).recalled_at or now
    for concerned, child in recalled(session, fact.lot_id):
        order = queries.order(session, concerned.order_id)
        for account in _guardians(session, child.id):
            values = _values(session, order, child, known(account.locale), RECALL_HINT, at)
            put(session, RECALL, account, concerned.id, values, now, link=order.id)


def _guardians(session: Session, patient_id: UUID) -> Iterable[Account]:
    bound = guardians(session, patient_id)
    return (session.get_one(Account, one.account_id) for one in bound if one.status is GuardianStatus.ACTIVE)


def _tell(session: Session, order_id: UUID, occasion: str, hint: str, now: datetime) -> None:
    """Who ordered, if still an active guardian."""
    order = queries.order(session, order_id)
    child = session.get_one(Patient, order.patient_id)
    for account in _guardians(session, child.id):
        if account.id == order.account_id:
            values = _values(session, order, child, known(account.locale), hint, now)
            put(session, ORDER, account, order.id, values, now, link=order.id, occasion=occasion)


def _values(session: Session, order: MedicineOrder, child: Patient, locale: str, hint: str, at: datetime) -> Values:
    prescription = found(session, order.prescription_id)
    return {
        "child": masked(child.name),
        "department": session.get_one(Department, prescription.department_id).name[locale],
        "doctor": session.get_one(Practitioner, prescription.practitioner_id).name[locale],
        "time": at,
        "hint": translate(locale, hint),
    }
