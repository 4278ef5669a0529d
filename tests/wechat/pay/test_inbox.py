"""POST /pay/notify: what is believed, what is refused, and that nothing happens twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

import config.database
from app import create_app
from config.settings import Settings
from payments import actions, collecting
from payments.gateway import RefundState, TradeState
from payments.models import Payment
from people.models import AuditEvent
from tests.payments.conftest import FEE, books, charged, facts, open_tasks
from tests.product import account
from tests.wechat.pay.conftest import client_of, pay_settings
from tests.wechat.pay.standin import MCHID, Platform, WeChatPay, rsa_key

Push = tuple[dict[str, str], bytes]


@pytest.fixture
def inbox(pay: WeChatPay, database: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The application of a clinic that can be paid."""
    Redis.from_url(settings.redis_url).flushdb()
    monkeypatch.setattr(config.database, "connect", lambda _url: database.engine)
    servers = {"database_url": settings.database_url, "redis_url": settings.redis_url}
    app = create_app(pay_settings(pay).model_copy(update=servers))
    return app.test_client()


@pytest.fixture
def payment(session: Session) -> Payment:
    now = datetime.now(UTC)
    made = charged(session, account(session, "oPayer", now), now)
    session.commit()
    return made


def paid(pay: WeChatPay, payment: Payment) -> Push:
    collecting.checkout(client_of(pay), payment.id, datetime.now(UTC))
    pay.pay(payment.number)
    return pay.paid(payment.number)


def refunded(pay: WeChatPay, payment: Payment, number: str, state: RefundState) -> Push:
    resource = {
        "mchid": MCHID,
        "out_trade_no": payment.number,
        "out_refund_no": number,
        "refund_id": "503",
        "refund_status": str(state),
        "success_time": "2026-11-25T10:00:00+08:00",
        "amount": {"total": FEE, "refund": FEE, "payer_total": FEE, "payer_refund": FEE},
    }
    return pay.notice(f"REFUND.{state}", "refund", resource)


def push(inbox: FlaskClient, told: Push) -> int:
    headers, body = told
    return inbox.post("/pay/notify", data=body, headers=headers, content_type="application/json").status_code


def now_is(session: Session, payment: Payment) -> Payment:
    session.expire_all()
    return session.get_one(Payment, payment.id)


def test_a_payment_is_booked_once_however_often_it_is_told(
    inbox: FlaskClient, pay: WeChatPay, payment: Payment, session: Session
) -> None:
    headers, body = paid(pay, payment)
    assert push(inbox, (headers, body)) == 204
    assert push(inbox, (pay.seal(body), body)) == 204  # WeChat Pay comes again, newly signed
    assert push(inbox, (headers, body)) == 401  # somebody else sends a copy
    assert now_is(session, payment).status is TradeState.SUCCESS
    books(session, gateway=FEE, held=-FEE)
    assert facts(session) == ["PaymentSettled"]


def test_a_refund_that_is_told_before_we_ask(
    inbox: FlaskClient, pay: WeChatPay, payment: Payment, session: Session
) -> None:
    push(inbox, paid(pay, payment))
    made = actions.refund(session, payment.id, reason="late", now=datetime.now(UTC))
    assert made is not None
    session.commit()
    assert push(inbox, refunded(pay, payment, made.number, RefundState.ABNORMAL)) == 204
    assert open_tasks(session) == ["refund-failed"]
    assert push(inbox, refunded(pay, payment, made.number, RefundState.SUCCESS)) == 204
    assert push(inbox, refunded(pay, payment, made.number, RefundState.SUCCESS)) == 204
    books(session)
    assert open_tasks(session) == []


def test_numbers_that_are_not_ours_are_heard_and_noted(
    inbox: FlaskClient, pay: WeChatPay, payment: Payment, session: Session
) -> None:
    assert push(inbox, refunded(pay, payment, "R-of-another-system", RefundState.SUCCESS)) == 204
    assert list(session.scalars(select(AuditEvent.outcome))) == ["unknown-number"]


@pytest.mark.parametrize(
    ("spoilt", "code"), [("body", "bad-signature"), ("key", "unknown-key"), ("stale", "stale"), ("probe", "probe")]
)
def test_what_is_not_wechat_pays_changes_nothing(
    inbox: FlaskClient, pay: WeChatPay, payment: Payment, session: Session, spoilt: str, code: str
) -> None:
    headers, body = paid(pay, payment)
    if spoilt == "body":
        body = body.replace(b"EV-1", b"EV-2")
    elif spoilt == "key":
        stranger = Platform(rsa_key())
        pay.signer = (stranger.serial, stranger.key)
        headers = pay.seal(body)
    elif spoilt == "stale":
        headers |= {"Wechatpay-Timestamp": str(int((datetime.now(UTC) - timedelta(minutes=6)).timestamp()))}
    else:
        headers |= {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}
    answer = inbox.post("/pay/notify", data=body, headers=headers)
    assert answer.status_code == 401
    assert json.loads(answer.data) == {"code": "FAIL", "message": code}
    assert now_is(session, payment).status is TradeState.NOTPAY
    books(session)
    assert list(session.scalars(select(AuditEvent.outcome))) == ([] if spoilt == "probe" else [code])


def test_what_is_unsigned_or_too_long_leaves_no_trace(inbox: FlaskClient, session: Session) -> None:
    assert push(inbox, ({}, b"{}")) == 401
    assert push(inbox, ({}, b"x" * (64 * 1024 + 1))) == 413
    assert session.scalars(select(AuditEvent)).all() == []


def test_when_it_can_not_be_written_wechat_pay_comes_again(
    inbox: FlaskClient, pay: WeChatPay, payment: Payment, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = paid(pay, payment)
    with monkeypatch.context() as broken:
        broken.setattr(actions, "settle", lambda *_: 1 / 0)
        assert push(inbox, told) == 500
    assert push(inbox, (pay.seal(told[1]), told[1])) == 204
    assert now_is(session, payment).paid


def test_a_clinic_without_a_merchant_is_told_nothing(app: Flask) -> None:
    assert push(app.test_client(), ({}, b"{}")) == 404
