"""Money comes, goes back and is earned; what comes late, twice or wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from payments import actions, gateway, mending
from payments.gateway import RefundState, TradeState
from payments.ledger import post
from payments.models import LedgerAccount, LedgerEntry, Payment, Refund
from payments.queries import payments_for
from payments.refusals import MoreThanLeft, NotRepeatable
from people.models import Account, AuditEvent
from tests.payments.conftest import FEE, books, charged, facts, open_tasks


def paid(payment: Payment, now: datetime, fee: int = FEE) -> gateway.Payment:
    return gateway.Payment(payment.number, TradeState.SUCCESS, "4200001", fee, "o-payer", now)


def result(refund: Refund, payment: Payment, state: RefundState, now: datetime) -> gateway.Refund:
    at = now if state is RefundState.SUCCESS else None
    return gateway.Refund(
        refund.number, payment.number, state, "5030001", refund.amount_fen, payment.amount_fen, refunded_at=at
    )


def outcomes(session: Session, action: str) -> list[str]:
    session.flush()
    return list(session.scalars(select(AuditEvent.outcome).where(AuditEvent.action == action).order_by(AuditEvent.id)))


def test_paid_twice_told_is_booked_once(session: Session, payment: Payment, now: datetime) -> None:
    for _ in range(2):
        settled = actions.settle(session, paid(payment, now), now)
        assert settled is payment
    assert (payment.status, payment.transaction, payment.paid_at) == (TradeState.SUCCESS, "4200001", now)
    assert payment.ask_at is None
    books(session, gateway=FEE, held=-FEE)
    assert facts(session) == ["PaymentSettled"]
    assert payments_for(session, payment.reference_id) == [payment]


def test_another_amount_is_never_booked(session: Session, payment: Payment, now: datetime) -> None:
    for _ in range(2):
        actions.settle(session, paid(payment, now, FEE - 1), now)
    assert payment.status is TradeState.NOTPAY
    books(session)
    assert (facts(session), open_tasks(session)) == ([], ["payment-other-amount"])
    actions.settle(session, paid(payment, now), now)
    assert open_tasks(session) == []


def test_an_unknown_number_changes_nothing(session: Session, payment: Payment, now: datetime) -> None:
    assert actions.settle(session, replace(paid(payment, now), number="T-unknown"), now) is None
    books(session)
    assert outcomes(session, "settle") == ["unknown-number"]


def test_another_payer_is_noted(session: Session, payment: Payment, now: datetime) -> None:
    actions.settle(session, replace(paid(payment, now), payer="o-somebody"), now)
    assert payment.paid
    assert outcomes(session, "settle") == ["other-payer"]


def test_paid_wins_over_closing_in_either_order(session: Session, payer: Account, now: datetime) -> None:
    first, second = charged(session, payer, now), charged(session, payer, now)
    actions.settle(session, paid(first, now), now)
    assert not actions.closed(session, first.id, now)
    assert actions.closed(session, second.id, now)
    assert actions.closed(session, second.id, now)
    actions.settle(session, paid(second, now), now)
    assert (first.status, second.status) == (TradeState.SUCCESS, TradeState.SUCCESS)
    assert facts(session) == ["PaymentSettled", "PaymentClosed", "PaymentSettled"]
    books(session, gateway=2 * FEE, held=-2 * FEE)


def test_cancelled_twice_is_refunded_once(session: Session, payment: Payment, now: datetime) -> None:
    assert actions.refund(session, payment.id, reason="parent", now=now) is None
    actions.settle(session, paid(payment, now), now)
    made = actions.refund(session, payment.id, reason="parent", now=now)
    assert made is not None
    assert (made.amount_fen, made.status, made.ask_at) == (FEE, RefundState.PROCESSING, now)
    assert actions.refund(session, payment.id, reason="parent", now=now) is None
    assert payment.status is TradeState.REFUND
    books(session, gateway=FEE, returning=-FEE)


def test_never_more_goes_back_than_came(session: Session, payment: Payment, now: datetime) -> None:
    actions.settle(session, paid(payment, now), now)
    assert actions.refund(session, payment.id, reason="clinic", now=now, amount_fen=3000)
    with pytest.raises(MoreThanLeft):
        actions.refund(session, payment.id, reason="clinic", now=now, amount_fen=2001)
    rest = actions.refund(session, payment.id, reason="clinic", now=now)
    assert rest is not None
    assert rest.amount_fen == 2000
    session.flush()
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(Payment).values(refunded_fen=FEE + 1))


def test_only_success_moves_the_money(session: Session, payment: Payment, now: datetime) -> None:
    made = refunding(session, payment, now)
    actions.refund_result(session, result(made, payment, RefundState.PROCESSING, now), now)
    assert made.sent_at == now
    books(session, gateway=FEE, returning=-FEE)
    for _ in range(2):
        actions.refund_result(session, result(made, payment, RefundState.SUCCESS, now), now)
    actions.refund_result(session, result(made, payment, RefundState.PROCESSING, now), now)  # overtaken on its way
    session.flush()
    assert (made.status, made.refunded_at, made.ask_at) == (RefundState.SUCCESS, now, None)
    books(session)
    assert facts(session) == ["PaymentSettled", "RefundFinished"]


def refunding(session: Session, payment: Payment, now: datetime) -> Refund:
    actions.settle(session, paid(payment, now), now)
    made = actions.refund(session, payment.id, reason="parent", now=now)
    assert made is not None
    return made


def test_an_abnormal_refund_is_a_task_until_it_went_through(session: Session, payment: Payment, now: datetime) -> None:
    made = refunding(session, payment, now)
    for _ in range(2):
        actions.refund_result(session, result(made, payment, RefundState.ABNORMAL, now), now)
    assert (made.status, open_tasks(session)) == (RefundState.ABNORMAL, ["refund-failed"])
    assert made.ask_at is not None
    books(session, gateway=FEE, returning=-FEE)
    actions.refund_result(session, result(made, payment, RefundState.SUCCESS, now), now)
    assert open_tasks(session) == []
    assert facts(session) == ["PaymentSettled", "RefundFailed", "RefundFinished"]
    books(session)


def test_a_closed_refund_is_made_anew_once(session: Session, payment: Payment, payer: Account, now: datetime) -> None:
    made = refunding(session, payment, now)
    with pytest.raises(NotRepeatable):
        mending.refund_again(session, made.id, by=payer.id, now=now)
    actions.refund_result(session, result(made, payment, RefundState.CLOSED, now), now)
    assert open_tasks(session) == ["refund-failed"]
    anew = mending.refund_again(session, made.id, by=payer.id, now=now)
    assert anew.number != made.number
    assert (made.again_id, open_tasks(session)) == (anew.id, [])
    with pytest.raises(NotRepeatable):
        mending.refund_again(session, made.id, by=payer.id, now=now)
    actions.refund_result(session, result(made, payment, RefundState.SUCCESS, now), now)  # never the same money twice
    books(session, gateway=FEE, returning=-FEE)
    actions.refund_result(session, result(anew, payment, RefundState.SUCCESS, now), now)
    books(session)


def test_a_refused_refund_is_a_task_and_is_tried_again(session: Session, payment: Payment, now: datetime) -> None:
    made = refunding(session, payment, now)
    for _ in range(2):
        mending.refund_refused(session, made.id, "NOT_ENOUGH", now)
    assert (made.error, made.status) == ("NOT_ENOUGH", RefundState.PROCESSING)
    assert made.ask_at is not None
    assert made.ask_at > now
    assert (open_tasks(session), facts(session)) == (["refund-failed"], ["PaymentSettled", "RefundFailed"])
    actions.refund_result(session, result(made, payment, RefundState.PROCESSING, now), now)
    assert (made.error, open_tasks(session)) == (None, [])


def test_a_refund_of_another_amount_or_an_unknown_one(session: Session, payment: Payment, now: datetime) -> None:
    made = refunding(session, payment, now)
    told = result(made, payment, RefundState.SUCCESS, now)
    assert actions.refund_result(session, replace(told, number="R-unknown"), now) is None
    actions.refund_result(session, replace(told, refund_fen=1), now)
    assert (made.status, made.ask_at) == (RefundState.PROCESSING, now + timedelta(hours=6))
    assert open_tasks(session) == ["refund-failed"]
    assert outcomes(session, "refund-result") == ["unknown-number", "other-amount"]


def test_earned_once_and_refunded_from_there(session: Session, payment: Payment, now: datetime) -> None:
    assert not actions.earn(session, payment.id, now)
    actions.settle(session, paid(payment, now), now)
    actions.refund(session, payment.id, reason="clinic", now=now, amount_fen=1000)
    assert actions.earn(session, payment.id, now)
    assert not actions.earn(session, payment.id, now)
    books(session, gateway=FEE, earned=-4000, returning=-1000)
    actions.refund(session, payment.id, reason="clinic", now=now)
    books(session, gateway=FEE, returning=-FEE)


def test_a_posting_that_does_not_balance_is_refused(session: Session, payment: Payment, now: datetime) -> None:
    with pytest.raises(ValueError, match="no posting"):
        post(session, {LedgerAccount.GATEWAY: 1, LedgerAccount.HELD: -2}, payment_id=payment.id, why="x", now=now)
    assert session.scalars(select(LedgerEntry)).all() == []
