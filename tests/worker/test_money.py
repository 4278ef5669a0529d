"""The worker and money: what is due is asked about once, and a gateway that is away is left alone for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config import redis
from config.clock import today
from config.settings import Settings
from payments import actions
from payments.due import claim
from payments.gateway import GatewayError, RefundState, TradeState
from payments.models import Payment, Reconciliation, ReconciliationStatus, Refund
from payments.rules import LEASE
from people.models import Account
from tests.payments.conftest import charged, payer, payment, till
from tests.payments.till import AWAY, Till
from wechat.service import connect
from worker import money
from worker.app import build

__all__ = ["payer", "payment", "till"]  # fixtures


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def now_is(session: Session, payment: Payment) -> Payment:
    session.expire_all()
    return session.get_one(Payment, payment.id)


def test_what_nobody_paid_is_closed_when_its_time_is_over(
    session: Session, till: Till, payment: Payment, now: datetime, clock: time_machine.Traveller
) -> None:
    money.sweep(till, lanes=1)
    assert till.calls == []
    clock.move_to(now + timedelta(minutes=10))
    money.sweep(till, lanes=1)
    assert now_is(session, payment).status is TradeState.CLOSED
    money.sweep(till, lanes=1)
    assert till.calls == ["query", "close"]


def test_a_refund_is_sent_and_asked_about_until_it_ends(
    session: Session, till: Till, payment: Payment, now: datetime, clock: time_machine.Traveller
) -> None:
    till.order_of(payment)
    paid = till.pay(payment.number, now)
    assert paid is not None
    actions.settle(session, paid, now)
    actions.refund(session, payment.id, reason="late", now=now)
    session.commit()
    money.sweep(till, lanes=1)
    assert till.calls == ["refund"]
    number = session.scalars(select(Refund.number)).one()
    till.end(number, RefundState.SUCCESS, now)
    money.sweep(till, lanes=1)
    assert till.calls == ["refund"]  # not at once
    clock.move_to(now + timedelta(minutes=1))
    money.sweep(till, lanes=1)
    assert till.calls == ["refund", "query-refund"]
    assert session.scalars(select(Refund.status)).one() is RefundState.SUCCESS


def test_a_gateway_that_is_away_is_asked_later(
    session: Session, till: Till, payment: Payment, now: datetime, clock: time_machine.Traveller
) -> None:
    clock.move_to(later := now + timedelta(minutes=10))
    till.before = AWAY
    money.sweep(till, lanes=1)
    waiting = now_is(session, payment)
    assert waiting.status is TradeState.NOTPAY
    assert waiting.ask_at is not None
    assert later < waiting.ask_at <= later + timedelta(minutes=10)


def test_one_that_is_broken_does_not_keep_the_others_waiting(
    session: Session, till: Till, payment: Payment, payer: Account, now: datetime, clock: time_machine.Traveller
) -> None:
    other = charged(session, payer, now)
    session.commit()
    clock.move_to(now + timedelta(minutes=10))
    till.meanwhile = lambda: 1 / 0
    money.sweep(till, lanes=1)
    assert {now_is(session, one).status for one in (payment, other)} == {TradeState.NOTPAY, TradeState.CLOSED}


def test_many_refunds_do_not_keep_a_payment_waiting(
    session: Session, till: Till, payment: Payment, payer: Account, now: datetime
) -> None:
    for _ in range(4):
        one = charged(session, payer, now)
        till.order_of(one)
        paid = till.pay(one.number, now)
        assert paid is not None
        actions.settle(session, paid, now)
        actions.refund(session, one.id, reason="suspended", now=now)
    session.flush()
    assert [due.refund for due in claim(session, now + timedelta(minutes=10), 4)] == [True, True, False]


def test_two_workers_never_ask_about_one_row_at_once(committed: sessionmaker[Session], now: datetime) -> None:
    with committed() as setup, setup.begin():
        one = Account(openid="o-payer", followed=True, created_at=now)
        setup.add(one)
        setup.flush()
        made = charged(setup, one, now)
    over = now + timedelta(minutes=10)
    with committed() as first, first.begin(), committed() as second, second.begin():
        assert [due.id for due in claim(first, over, 10)] == [made.id]
        assert claim(second, over, 10) == []
    with committed() as third, third.begin():
        assert claim(third, over + LEASE - timedelta(seconds=1), 10) == []
        assert len(claim(third, over + LEASE, 10)) == 1  # whoever had it was killed


def test_bills_are_compared_and_a_missing_one_is_fetched_again(
    session: Session, till: Till, payment: Payment, now: datetime, clock: time_machine.Traveller
) -> None:
    money.reconcile(till)
    assert till.calls == []
    clock.move_to(now + timedelta(days=1))
    till.before = GatewayError("INVALID_REQUEST")
    money.reconcile(till)
    assert session.scalars(select(Reconciliation.status)).all() == [ReconciliationStatus.WAITING]
    money.reconcile(till)
    session.expire_all()
    found = session.scalars(select(Reconciliation)).one()
    assert (found.day, found.status) == (today(now), ReconciliationStatus.MATCHED)
    money.reconcile(till)
    assert till.calls == ["bill", "bill"]


def test_the_worker_of_a_clinic_that_can_be_paid(settings: Settings, till: Till) -> None:
    tags = connect(settings, redis.connect(settings.redis_url)).tags
    names = {"payments.sweep", "payments.reconcile"}
    assert names <= set(build(settings, lambda: None, tags, gateway=till).tasks)
    assert names.isdisjoint(build(settings, lambda: None, tags).tasks)
