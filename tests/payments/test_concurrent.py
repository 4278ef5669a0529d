"""Many at once, each on a connection of their own: booked once, refunded once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from config.database import transaction
from payments import actions, gateway
from payments.gateway import TradeState
from payments.models import Payment, Refund
from payments.refusals import MoreThanLeft
from people.models import Account
from tests.payments.conftest import FEE, books, charged, facts

MANY = 8


@pytest.fixture
def waiting(committed: sessionmaker[Session], now: datetime) -> Payment:
    with transaction() as session:
        payer = Account(openid="o-payer", followed=True, created_at=now)
        session.add(payer)
        session.flush()
        return charged(session, payer, now)


def all_at_once(what: Callable[[Session], object]) -> None:
    start = Barrier(MANY)

    def one(_: int) -> None:
        start.wait()
        with transaction() as session:
            what(session)

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(one, range(MANY)))


def test_told_by_everybody_at_once(waiting: Payment, now: datetime) -> None:
    told = gateway.Payment(waiting.number, TradeState.SUCCESS, "4200001", FEE, "o-payer", now)
    all_at_once(lambda session: actions.settle(session, told, now))
    all_at_once(lambda session: actions.refund(session, waiting.id, reason="parent", now=now))
    with transaction() as session:
        assert session.scalars(select(Refund.amount_fen)).all() == [FEE]
        assert facts(session) == ["PaymentSettled"]
        books(session, gateway=FEE, returning=-FEE)


def test_parts_are_never_more_than_the_whole(waiting: Payment, now: datetime) -> None:
    told = gateway.Payment(waiting.number, TradeState.SUCCESS, "4200001", FEE, "o-payer", now)
    with transaction() as session:
        actions.settle(session, told, now)

    def part(session: Session) -> None:
        with suppress(MoreThanLeft):
            actions.refund(session, waiting.id, reason="clinic", now=now, amount_fen=2000)

    all_at_once(part)
    with transaction() as session:
        assert session.scalars(select(Refund.amount_fen)).all() == [2000, 2000]


def test_paid_and_closed_at_once_is_paid(waiting: Payment, now: datetime) -> None:
    told = gateway.Payment(waiting.number, TradeState.SUCCESS, "4200001", FEE, "o-payer", now)
    turns = iter(range(MANY))
    all_at_once(
        lambda session: (
            actions.settle(session, told, now) if next(turns) % 2 else actions.closed(session, waiting.id, now)
        )
    )
    with transaction() as session:
        assert actions.found(session, waiting.id).paid
        assert facts(session).count("PaymentSettled") == 1
        books(session, gateway=FEE, held=-FEE)
