"""A parent's payments: a list, a receipt, and nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from payments import actions, gateway, queries
from payments.gateway import RefundState, TradeState
from payments.models import Payment, Refund
from tests.menus.conftest import Browser, words
from tests.payments.conftest import FEE, charged
from tests.product import Hospital


@pytest.fixture
def paid(session: Session, hospital: Hospital, now: datetime) -> Payment:
    made = charged(session, hospital.mother, now)
    actions.settle(session, gateway.Payment(made.number, TradeState.SUCCESS, "4200001", FEE, "o-mother", now), now)
    session.commit()
    return made


def refunded(session: Session, payment: Payment, state: RefundState, now: datetime) -> Refund:
    made = actions.refund(session, payment.id, reason="suspended", now=now)
    assert made is not None
    at = now if state is RefundState.SUCCESS else None
    actions.refund_result(session, gateway.Refund(made.number, payment.number, state, "503", FEE, FEE, at), now)
    session.commit()
    return made


def test_nothing_was_paid(mother: FlaskClient) -> None:
    assert "You have not paid for anything here." in words(mother.get("/payments"))


def test_what_was_paid(mother: FlaskClient, paid: Payment) -> None:
    shown = words(mother.get("/payments"))
    assert "内科 视频复诊" in shown
    assert "¥50" in shown
    receipt = words(mother.get(f"/payments/{paid.id}"))
    for part in ("Wed 25 Nov 2026, 10:00", "4200001", paid.number, "not the official medical e-invoice"):
        assert part in receipt
    assert "Refunds" not in receipt


@pytest.mark.parametrize(
    ("state", "listed", "said"),
    [
        (RefundState.PROCESSING, "¥50 on its way back", "on its way: mostly minutes"),
        (RefundState.SUCCESS, "¥50 refunded", "arrived Wed 25 Nov 2026, 10:00"),
        (RefundState.ABNORMAL, "¥50 on its way back", "the hospital is seeing to it"),
    ],
)
def test_what_came_back(
    mother: FlaskClient, session: Session, paid: Payment, now: datetime, state: RefundState, listed: str, said: str
) -> None:
    refunded(session, paid, state, now)
    assert listed in words(mother.get("/payments"))
    receipt = words(mother.get(f"/payments/{paid.id}"))
    assert said in receipt
    assert "Clinic was stopped" in receipt


def test_nobody_elses_and_nothing_unpaid(
    browser: Browser, mother: FlaskClient, session: Session, hospital: Hospital, paid: Payment, now: datetime
) -> None:
    waiting = charged(session, hospital.mother, now)
    session.commit()
    stranger = browser(hospital.stranger, "en")
    assert stranger.get(f"/payments/{paid.id}").status_code == 404
    assert "内科 视频复诊" not in words(stranger.get("/payments"))
    assert mother.get(f"/payments/{waiting.id}").status_code == 404
    assert browser().get(f"/payments/{paid.id}").status_code == 302


def test_earlier_ones_are_on_the_next_page(
    mother: FlaskClient,
    session: Session,
    hospital: Hospital,
    paid: Payment,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "RECEIPTS", 1)
    later = charged(session, hospital.mother, now + timedelta(seconds=1))
    told = gateway.Payment(later.number, TradeState.SUCCESS, "4200002", FEE, "o-mother", now)
    actions.settle(session, told, now)
    session.commit()
    first = mother.get("/payments")
    assert f"/payments/{later.id}" in first.text
    assert f"/payments/{paid.id}" not in first.text
    assert f"/payments?before={later.id}" in first.text
    assert f"/payments/{paid.id}" in mother.get(f"/payments?before={later.id}").text
    assert mother.get("/payments?before=nonsense").status_code == 200
