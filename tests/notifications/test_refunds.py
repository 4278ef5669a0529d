"""Who paid learns that a refund has arrived, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.handlers import handle
from notifications.models import Notification
from payments import actions, gateway
from payments.events import RefundFinished
from payments.gateway import RefundState, TradeState
from tests.payments.conftest import FEE, charged
from tests.product import account


def test_a_refund_that_has_arrived(session: Session, now: datetime) -> None:
    payer = account(session, "o-payer", now)
    payment = charged(session, payer, now)
    actions.settle(session, gateway.Payment(payment.number, TradeState.SUCCESS, "4200001", FEE, "o-payer", now), now)
    refund = actions.refund(session, payment.id, reason="late", now=now)
    assert refund is not None
    told = gateway.Refund(refund.number, payment.number, RefundState.SUCCESS, "503", FEE, FEE, now)
    actions.refund_result(session, told, now)
    session.flush()
    for _ in range(2):
        handle(session, RefundFinished(payment_id=payment.id, refund_id=refund.id), now)
    row = session.scalars(select(Notification)).one()
    assert (row.message, row.account_id, row.path) == ("payment-refunded", payer.id, f"/payments/{payment.id}")
    assert row.data == {
        "amount": "¥50.00",
        "reason": "超时支付",
        "time": "2026年11月25日 10:00",
        "hint": "已退回原支付方式",
    }
