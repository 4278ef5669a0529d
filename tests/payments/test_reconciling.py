"""The gateway's bill against our rows: what agrees, and every way in which it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import today
from payments import actions, gateway, reconciling
from payments.bill import read
from payments.gateway import RefundState, TradeState
from payments.models import Difference, Payment, Reconciliation, ReconciliationStatus, Refund
from payments.refusals import NoteMissing
from people.models import Account
from tests.payments.bills import Row, bill
from tests.payments.conftest import FEE, charged, open_tasks
from tests.payments.till import AWAY, Till


@pytest.fixture
def day(now: datetime) -> date:
    """The day that is over; ``now`` is ten o'clock of the next."""
    return today(now) - timedelta(days=1)


@pytest.fixture
def paid(session: Session, payer: Account, now: datetime) -> Payment:
    """Paid at noon of that day."""
    then = now - timedelta(hours=22)
    made = charged(session, payer, then)
    actions.settle(session, gateway.Payment(made.number, TradeState.SUCCESS, "4200001", FEE, "o-payer", then), then)
    session.commit()
    return made


@pytest.fixture
def refunded(session: Session, paid: Payment, now: datetime) -> Refund:
    """Given back an hour later."""
    then = now - timedelta(hours=21)
    made = actions.refund(session, paid.id, reason="parent", now=then)
    assert made is not None
    told = gateway.Refund(made.number, paid.number, RefundState.SUCCESS, "5030001", FEE, FEE, then)
    actions.refund_result(session, told, then)
    session.commit()
    return made


def rows(paid: Payment, refunded: Refund) -> tuple[Row, Row]:
    return Row(paid.number, FEE), Row(paid.number, FEE, refund=refunded.number)


def compared(session: Session, till: Till, day: date, now: datetime, content: bytes) -> Reconciliation:
    till.bills[day] = content
    reconciling.reconcile(till, day, now)
    session.expire_all()
    return session.scalars(select(Reconciliation).where(Reconciliation.day == day)).one()


def named(session: Session, *, waiting: bool = True) -> list[tuple[str, str, str, str]]:
    """Differences: kind, number, ours, theirs."""
    query = select(Difference).where(Difference.settled_at.is_(None) if waiting else Difference.settled_at.isnot(None))
    return sorted((row.kind.value, row.number, row.ours, row.theirs) for row in session.scalars(query))


def test_what_agrees(session: Session, till: Till, paid: Payment, refunded: Refund, day: date, now: datetime) -> None:
    for _ in range(2):
        record = compared(session, till, day, now, bill(*rows(paid, refunded)))
        assert (record.status, record.lines, named(session)) == (ReconciliationStatus.MATCHED, 2, [])
        assert (record.ours_paid_fen, record.theirs_paid_fen) == (FEE, FEE)
        assert (record.ours_refunded_fen, record.theirs_refunded_fen) == (FEE, FEE)
        assert session.get_one(Payment, paid.id).billed_on == day
    assert open_tasks(session) == []


def test_a_day_on_which_nothing_moved(session: Session, till: Till, day: date, now: datetime) -> None:
    assert reconciling.reconcile(till, day, now).status is ReconciliationStatus.MATCHED


def test_what_is_missing_there(
    session: Session, till: Till, paid: Payment, refunded: Refund, day: date, now: datetime
) -> None:
    assert reconciling.reconcile(till, day, now).status is ReconciliationStatus.DIFFERENT
    assert named(session) == [
        ("missing-there", paid.number, "50.00 REFUND", ""),
        ("refund-missing-there", refunded.number, "50.00 SUCCESS", ""),
    ]
    assert open_tasks(session) == ["bill-differs"]


def test_a_line_of_the_next_days_bill_is_found_there(
    session: Session, till: Till, paid: Payment, day: date, now: datetime
) -> None:
    compared(session, till, day, now, b"")
    assert len(named(session)) == 1
    next_day = day + timedelta(days=1)
    compared(session, till, next_day, now + timedelta(days=1), bill(Row(paid.number, FEE)))
    assert named(session) == []
    assert open_tasks(session) == []


CASES: dict[str, Callable[[Row, Row], tuple[Row | str, ...]]] = {
    "missing-here": lambda pay, back: (pay, back, pay.but(number="T-unknown")),
    "amount": lambda pay, back: (pay.but(fen=4999), back),
    "transaction": lambda pay, back: (pay.but(gateway_id="4200002"), back),
    "doubled": lambda pay, back: (pay, pay, back),
    "missing-there": lambda pay, back: (back,),
    "refund-missing-here": lambda pay, back: (pay, back, back.but(refund="R-unknown")),
    "refund-amount": lambda pay, back: (pay, back.but(fen=1)),
    "refund-status": lambda pay, back: (pay, back.but(status="ABNORMAL")),
    "refund-doubled": lambda pay, back: (pay, back, back),
    "refund-missing-there": lambda pay, back: (pay,),
    "unreadable": lambda pay, back: (pay, back, "`2026-11-24,`cut"),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_difference_is_named_once_and_goes_when_it_is_gone(
    session: Session, till: Till, paid: Payment, refunded: Refund, day: date, now: datetime, kind: str
) -> None:
    told = bill(*CASES[kind](*rows(paid, refunded)))
    for _ in range(2):
        record = compared(session, till, day, now, told)
        assert [row[0] for row in named(session)] == [kind]
        assert record.status is ReconciliationStatus.DIFFERENT
    record = compared(session, till, day, now, bill(*rows(paid, refunded)))
    assert (named(session), record.status) == ([], ReconciliationStatus.SETTLED)
    assert open_tasks(session) == []


def test_sums_that_do_not_add_up(session: Session, till: Till, paid: Payment, day: date, now: datetime) -> None:
    compared(session, till, day, now, bill(Row(paid.number, FEE), count=2))
    assert named(session) == [("summary", "sums", "1 / 5000 / 0", "2 / 5000 / 0")]
    compared(session, till, day, now, bill(Row(paid.number, FEE)).splitlines(keepends=True)[0])
    assert [row[0] for row in named(session)] == ["missing-there", "summary"]


def test_what_no_notice_told_is_asked_about(
    session: Session, till: Till, payment: Payment, day: date, now: datetime
) -> None:
    compared(session, till, day, now, bill(Row(payment.number, FEE)))
    assert named(session) == [("status", payment.number, "NOTPAY", "SUCCESS")]
    assert session.get_one(Payment, payment.id).ask_at == now


def test_a_bill_that_is_away_is_fetched_later(session: Session, till: Till, paid: Payment, now: datetime) -> None:
    day = today(now) - timedelta(days=1)
    till.before = AWAY
    assert reconciling.reconcile(till, day, now).status is ReconciliationStatus.WAITING
    assert reconciling.due(session, now) == [day]
    compared(session, till, day, now, bill(Row(paid.number, FEE)))
    assert reconciling.due(session, now) == []


def test_bills_are_due_from_ten_o_clock_on(
    session: Session, till: Till, paid: Payment, day: date, now: datetime
) -> None:
    assert reconciling.due(session, now - timedelta(minutes=1)) == []
    assert reconciling.due(session, now) == [day]
    assert reconciling.due(session, now + timedelta(days=2)) == [day + timedelta(days=n) for n in range(3)]
    compared(session, till, day, now, b"")
    assert reconciling.due(session, now) == []
    assert day in reconciling.due(session, now + timedelta(days=1))  # it differs: once more


def test_somebody_settles_a_difference_with_a_note(
    session: Session, till: Till, paid: Payment, payer: Account, day: date, now: datetime
) -> None:
    compared(session, till, day, now, b"")
    row = session.scalars(select(Difference)).one()
    with pytest.raises(NoteMissing):
        reconciling.settle_difference(session, row.id, "  ", by=payer.id, account_id=payer.id, now=now)
    for note in ("called WeChat", "again"):
        record = reconciling.settle_difference(session, row.id, note, by=payer.id, account_id=payer.id, now=now)
    session.commit()
    assert (row.note, row.settled_by, record.status) == ("called WeChat", payer.id, ReconciliationStatus.SETTLED)
    assert open_tasks(session) == []
    assert compared(session, till, day, now, b"").status is ReconciliationStatus.SETTLED  # and stays so


@given(st.binary(max_size=400), st.lists(st.text(max_size=60), max_size=5))
def test_every_line_is_read_or_named(noise: bytes, texts: list[str]) -> None:
    read(noise)
    lines = [" ".join(text.split()) for text in texts]
    found = read(bill(*[line for line in lines if line]))
    assert len(found.lines) + len(found.unreadable) == len([line for line in lines if line])
