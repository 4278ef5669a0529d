"""A payer, a payment and a gateway for tests of money."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from payments import actions
from payments.models import Payment
from payments.queries import balances, unbalanced
from people.models import Account
from people.tasks import Task, TaskStatus
from tests.payments.till import Till
from tests.product import account

FEE = 5000


def charged(session: Session, payer: Account, now: datetime, fee: int = FEE) -> Payment:
    """A payment that waits ten minutes for its money."""
    return actions.charge(
        session,
        account_id=payer.id,
        purpose="appointment",
        reference_id=uuid4(),
        description="内科 视频复诊",
        amount_fen=fee,
        expires_at=now + timedelta(minutes=10),
        now=now,
    )


def books(session: Session, **expected: int) -> None:
    """The ledger's accounts hold this, the others nothing, and every posting balances."""
    session.flush()
    assert {account.value: fen for account, fen in balances(session).items() if fen} == expected
    assert unbalanced(session) == []


def facts(session: Session) -> list[str]:
    """Every fact so far."""
    session.flush()
    return list(session.scalars(text("select args->>'kind' from procrastinate_jobs order by id")))


def open_tasks(session: Session) -> list[str]:
    """The kinds of the tasks that wait."""
    session.flush()
    return list(session.scalars(select(Task.kind).where(Task.status == TaskStatus.OPEN).order_by(Task.kind)))


@pytest.fixture
def payer(session: Session, now: datetime) -> Account:
    return account(session, "o-payer", now)


@pytest.fixture
def payment(session: Session, payer: Account, now: datetime) -> Payment:
    """Seen by the product's own transactions."""
    made = charged(session, payer, now)
    session.commit()
    return made


@pytest.fixture
def till() -> Till:
    return Till()
