"""Money and the gateway: read, end the transaction, call, write what came of it in another.

Entry points give the gateway and the moment. What can't be reached or believed changes nothing and is asked again: the
worker sweeps ``ask_at``. Raises GatewayError where a page or a job has to know.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from config.database import transaction
from config.errors import NotFound
from config.text import CHINESE, translate
from payments import actions, mending, rules
from payments.due import Due
from payments.gateway import Checkout, Gateway, GatewayError, Order, RefundOrder, RefundState, TradeState
from payments.models import PAID, Payment, Refund
from payments.reasons import reason_text
from payments.refusals import AlreadyPaid, GatewayAway, PaymentOver
from people.models import Account

UNKNOWN_ORDER, UNKNOWN_REFUND = "ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"
NO_ANSWER = frozenset({"unavailable", "unverified"})


def checkout(gateway: Gateway, payment_id: UUID, now: datetime) -> Checkout:
    """Place the order, or the same again, so that its payer can pay. Raises PaymentOver, AlreadyPaid, GatewayAway.

    An order that was closed while it was being placed is not handed out: nobody can pay what nobody has.
    """
    with transaction() as session:
        payment = _payable(session.get(Payment, payment_id), now)
        payer = session.get_one(Account, payment.account_id).openid
        order = Order(payment.number, payment.description, payment.amount_fen, payer, payment.expires_at)
    try:
        placed = gateway.order(order)
    except GatewayError as error:
        if error.code in {"OUT_TRADE_NO_USED", "ORDER_CLOSED", "ORDERPAID"}:  # paid or closed meanwhile: find out
            _payable_still(gateway, payment_id, now)
        raise GatewayAway from error
    with transaction() as session:
        payment = _payable(actions.locked(session, payment_id), now)
        payment.ask_at = rules.ask_payment_at(payment.created_at, payment.expires_at, now)
    return placed


def _payable_still(gateway: Gateway, payment_id: UUID, now: datetime) -> None:
    try:
        state = ask(gateway, payment_id, now)
    except GatewayError as error:
        raise GatewayAway from error
    if state in PAID:
        raise AlreadyPaid
    if state is TradeState.CLOSED:
        raise PaymentOver


def _payable(payment: Payment | None, now: datetime) -> Payment:
    if payment is None:
        raise NotFound
    if payment.paid:
        raise AlreadyPaid
    if not payment.open or now >= payment.expires_at:
        raise PaymentOver
    return payment


def ask(gateway: Gateway, payment_id: UUID, now: datetime) -> TradeState:
    """Ask what became of an order and write it down. Returns our state afterwards. Raises GatewayError, NotFound."""
    with transaction() as session:
        payment = actions.found(session, payment_id)
        if payment.paid:
            return payment.status
        number = payment.number
    try:
        answer = gateway.query(number)
    except GatewayError as error:
        if error.code != UNKNOWN_ORDER:
            raise
        answer = None
    with transaction() as session:
        if answer is None:  # never placed
            return actions.note_state(session, payment_id, TradeState.NOTPAY, now).status
        if answer.state in PAID:
            settled = actions.settle(session, answer, now)
            if settled and settled.open and now >= settled.expires_at:  # another amount: a task by now
                actions.closed(session, payment_id, now)
        elif answer.state in {TradeState.CLOSED, TradeState.REVOKED}:
            actions.closed(session, payment_id, now)
        return actions.note_state(session, payment_id, answer.state, now).status


def close(gateway: Gateway, payment_id: UUID, now: datetime) -> TradeState:
    """End an unpaid order: asked first, closed at the gateway, then here. Returns our state afterwards: a paid one
    stays paid, and one that is being paid this minute is left and asked about again.

    Raises GatewayError when the gateway can't be reached or believed, or does not close yet (WeChat Pay wants orders to
    be some minutes old): nothing is changed then, and the worker closes it when its time is over. Raises NotFound.
    """
    with transaction() as session:
        payment = actions.found(session, payment_id)
        if not payment.open:
            return payment.status
        number = payment.number
    state = ask(gateway, payment_id, now)
    if state is not TradeState.NOTPAY and state is not TradeState.PAYERROR:
        return state
    try:
        gateway.close(number)
    except GatewayError as error:
        if error.code in NO_ANSWER:
            raise
        if error.code != UNKNOWN_ORDER:
            state = ask(gateway, payment_id, now)
            if state in {TradeState.NOTPAY, TradeState.PAYERROR}:
                raise
            return state
    with transaction() as session:
        actions.closed(session, payment_id, now)
        return actions.found(session, payment_id).status


def see_to(gateway: Gateway, due: Due, now: datetime) -> None:
    """Ask about one payment or refund that is due, close what nobody paid in time, send what was not sent. What fails
    is due again, later; raises GatewayError so that whoever calls can tell of it."""
    if due.refund:
        ask_refund(gateway, due.id, now)
        return
    try:
        if due.over:
            close(gateway, due.id, now)
        else:
            ask(gateway, due.id, now)
    except GatewayError:
        with transaction() as session:
            actions.ask_later(session, due.id, now)
        raise


def send_refund(gateway: Gateway, refund_id: UUID, now: datetime) -> RefundState:
    """Send a refund, or the same again; the gateway takes one number once. Returns our state afterwards.

    A refusal becomes a task. Raises GatewayError when it can't be reached or believed (tried again), NotFound.
    """
    with transaction() as session:
        refund = _refund(session.get(Refund, refund_id))
        if refund.status is not RefundState.PROCESSING:
            return refund.status
        payment = session.get_one(Payment, refund.payment_id)
        reason = reason_text(refund.reason)
        order = RefundOrder(
            refund.number, payment.number, refund.amount_fen, payment.amount_fen, translate(CHINESE, reason)
        )
    try:
        found = gateway.refund(order)
    except GatewayError as error:
        with transaction() as session:
            if error.again or error.code in NO_ANSWER:
                mending.refund_later(session, refund_id, now)
            else:
                mending.refund_refused(session, refund_id, error.code, now)
        if error.code in NO_ANSWER:
            raise
        return RefundState.PROCESSING
    with transaction() as session:
        actions.refund_result(session, found, now)
        return session.get_one(Refund, refund_id).status


def ask_refund(gateway: Gateway, refund_id: UUID, now: datetime) -> RefundState:
    """Ask what became of a refund and write it down; one that the gateway does not know is sent. Returns our state
    afterwards. Raises GatewayError, NotFound."""
    with transaction() as session:
        refund = _refund(session.get(Refund, refund_id))
        status, number, sent = refund.status, refund.number, refund.sent_at is not None
    if not sent:
        return send_refund(gateway, refund_id, now)
    if status is RefundState.SUCCESS:
        return status
    try:
        found = gateway.query_refund(number)
    except GatewayError as error:
        if error.code == UNKNOWN_REFUND and status is RefundState.PROCESSING:
            return send_refund(gateway, refund_id, now)
        with transaction() as session:
            mending.refund_later(session, refund_id, now)
        raise
    with transaction() as session:
        actions.refund_result(session, found, now)
        return session.get_one(Refund, refund_id).status


def _refund(found: Refund | None) -> Refund:
    if found is None:
        raise NotFound
    return found
