"""Between us and the gateway: what is placed, asked, closed and refunded when answers are late, lost or wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from payments import actions, collecting
from payments.gateway import GatewayError, RefundState, TradeState
from payments.models import Payment, Refund
from payments.refusals import AlreadyPaid, GatewayAway, PaymentOver
from tests.payments.conftest import FEE, books, facts, open_tasks
from tests.payments.till import AWAY, UNVERIFIED, Till


@pytest.fixture
def later(now: datetime) -> datetime:
    """When the time to pay is over."""
    return now + timedelta(minutes=10)


def now_is(session: Session, payment: Payment) -> Payment:
    session.expire_all()
    return session.get_one(Payment, payment.id)


def test_an_order_can_be_placed_again_until_its_time_is_over(
    till: Till, payment: Payment, now: datetime, later: datetime
) -> None:
    first = collecting.checkout(till, payment.id, now)
    assert collecting.checkout(till, payment.id, now).prepay_id != first.prepay_id
    assert till.orders[payment.number].payer == "o-payer"
    with pytest.raises(PaymentOver):
        collecting.checkout(till, payment.id, later)


@pytest.mark.parametrize("error", [AWAY, UNVERIFIED, GatewayError("PARAM_ERROR")])
def test_a_gateway_that_is_away_hands_out_nothing(
    session: Session, till: Till, payment: Payment, now: datetime, error: GatewayError
) -> None:
    till.before = error
    with pytest.raises(GatewayAway):
        collecting.checkout(till, payment.id, now)
    assert now_is(session, payment).status is TradeState.NOTPAY


def test_paid_before_it_was_placed_again(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    collecting.checkout(till, payment.id, now)
    till.pay(payment.number, now)  # and the notice is lost
    with pytest.raises(AlreadyPaid):
        collecting.checkout(till, payment.id, now)
    assert now_is(session, payment).paid
    with pytest.raises(AlreadyPaid):
        collecting.checkout(till, payment.id, now)


def test_closed_while_it_was_placed(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    till.meanwhile = lambda: collecting.close(Till(), payment.id, now)
    with pytest.raises(PaymentOver):
        collecting.checkout(till, payment.id, now)


def test_a_lost_notice_is_found_by_asking(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    assert collecting.ask(till, payment.id, now) is TradeState.NOTPAY  # not placed yet
    collecting.checkout(till, payment.id, now)
    assert collecting.ask(till, payment.id, now) is TradeState.NOTPAY
    till.pay(payment.number, now)
    assert collecting.ask(till, payment.id, now) is TradeState.SUCCESS
    assert collecting.ask(till, payment.id, now) is TradeState.SUCCESS
    assert facts(session) == ["PaymentSettled"]
    books(session, gateway=FEE, held=-FEE)


def test_an_unpaid_order_is_closed_there_and_here(
    session: Session, till: Till, payment: Payment, later: datetime, now: datetime
) -> None:
    collecting.checkout(till, payment.id, now)
    assert collecting.close(till, payment.id, later) is TradeState.CLOSED
    assert till.states[payment.number].state is TradeState.CLOSED
    assert collecting.close(till, payment.id, later) is TradeState.CLOSED
    assert facts(session) == ["PaymentClosed"]


def test_an_order_that_was_never_placed_is_closed_here(till: Till, payment: Payment, later: datetime) -> None:
    assert collecting.close(till, payment.id, later) is TradeState.CLOSED


def test_paid_wins_when_we_come_to_close(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    collecting.checkout(till, payment.id, now)
    till.pay(payment.number, now)
    assert collecting.close(till, payment.id, now) is TradeState.SUCCESS
    assert till.calls[-1] == "query"
    books(session, gateway=FEE, held=-FEE)


def test_paid_wins_between_asking_and_closing(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    collecting.checkout(till, payment.id, now)

    def once_asked() -> None:
        till.meanwhile = lambda: till.pay(payment.number, now)

    till.meanwhile = once_asked
    assert collecting.close(till, payment.id, now) is TradeState.SUCCESS
    assert till.calls[-3:] == ["query", "close", "query"]
    assert facts(session) == ["PaymentSettled"]


@pytest.mark.parametrize("error", [AWAY, UNVERIFIED])
@pytest.mark.parametrize("at_close", [False, True])
def test_what_can_not_be_asked_stays_open(
    session: Session, till: Till, payment: Payment, later: datetime, now: datetime, error: GatewayError, at_close: bool
) -> None:
    collecting.checkout(till, payment.id, now)

    def broken() -> None:
        till.before = error

    def second() -> None:
        till.meanwhile = broken

    till.meanwhile = second if at_close else broken
    with pytest.raises(GatewayError):
        collecting.close(till, payment.id, later)
    waiting = now_is(session, payment)
    assert waiting.status is TradeState.NOTPAY
    assert waiting.ask_at is not None
    assert facts(session) == []
    assert collecting.close(till, payment.id, later) is TradeState.CLOSED


def test_a_lost_answer_to_closing(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    collecting.checkout(till, payment.id, now)
    till.meanwhile = lambda: setattr(till, "meanwhile", lambda: setattr(till, "lost", AWAY))
    with pytest.raises(GatewayError):
        collecting.close(till, payment.id, now)
    assert collecting.close(till, payment.id, now) is TradeState.CLOSED
    assert facts(session) == ["PaymentClosed"]


def test_another_amount_does_not_hold_the_number_for_ever(
    session: Session, till: Till, payment: Payment, later: datetime, now: datetime
) -> None:
    collecting.checkout(till, payment.id, now)
    till.pay(payment.number, now, amount_fen=1)
    assert collecting.ask(till, payment.id, now) is TradeState.NOTPAY
    assert collecting.close(till, payment.id, later) is TradeState.CLOSED
    assert open_tasks(session) == ["payment-other-amount"]
    books(session)


def refunding(session: Session, till: Till, payment: Payment, now: datetime) -> Refund:
    collecting.checkout(till, payment.id, now)
    till.pay(payment.number, now)
    collecting.ask(till, payment.id, now)
    made = actions.refund(session, payment.id, reason="parent", now=now)
    assert made is not None
    session.commit()
    return made


def test_a_refund_is_sent_and_ends(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    made = refunding(session, till, payment, now)
    assert collecting.ask_refund(till, made.id, now) is RefundState.PROCESSING  # nobody sent it yet: it is sent
    assert collecting.send_refund(till, made.id, now) is RefundState.PROCESSING
    assert len(till.refunds) == 1
    till.end(made.number, RefundState.SUCCESS, now)
    assert collecting.ask_refund(till, made.id, now) is RefundState.SUCCESS
    assert collecting.send_refund(till, made.id, now) is RefundState.SUCCESS
    assert till.calls.count("refund") == 2
    books(session)


@pytest.mark.parametrize("lost", [False, True])
def test_a_refund_whose_answer_is_lost_is_the_same_refund(
    session: Session, till: Till, payment: Payment, now: datetime, lost: bool
) -> None:
    made = refunding(session, till, payment, now)
    till.before, till.lost = (None, AWAY) if lost else (AWAY, None)
    with pytest.raises(GatewayError):
        collecting.send_refund(till, made.id, now)
    assert open_tasks(session) == []
    assert collecting.send_refund(till, made.id, now) is RefundState.PROCESSING
    assert len(till.refunds) == 1


def test_a_refused_refund_is_somebodys_task(session: Session, till: Till, payment: Payment, now: datetime) -> None:
    made = refunding(session, till, payment, now)
    till.before = GatewayError("FREQUENCY_LIMITED", again=True)
    assert collecting.send_refund(till, made.id, now) is RefundState.PROCESSING
    assert open_tasks(session) == []
    till.before = GatewayError("NOT_ENOUGH")
    assert collecting.send_refund(till, made.id, now) is RefundState.PROCESSING
    assert open_tasks(session) == ["refund-failed"]
    assert collecting.send_refund(till, made.id, now) is RefundState.PROCESSING
    assert open_tasks(session) == []
