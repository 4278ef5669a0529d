"""What every WeChat Pay must answer to the real client: the small one beside these tests, and the simulator."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.gateway import Gateway, GatewayError, Order, RefundOrder, RefundState, TradeState
from tests.wechat.pay.conftest import client_of
from tests.wechat.pay.standin import WeChatPay


@dataclass(frozen=True)
class Side:
    """A gateway, a payer, and the payer's thumb: it takes an order's number and the cashier's parameters."""

    gateway: Gateway
    openid: str
    press: Callable[[str, dict[str, str]], object]


@pytest.fixture(params=["certificates", "public key"])
def side(request: pytest.FixtureRequest, keys: dict[str, object]) -> Side:
    """The small WeChat Pay in both modes."""
    pay: WeChatPay = request.getfixturevalue("pay")
    public = request.param == "public key"
    if public:
        assert isinstance(pay.public, RSAPrivateKey)
        pay.signer = ("PUB_KEY_ID_0119000001092024112500382800000001", pay.public)
    return Side(client_of(pay, public=public), "oPayer0000000000000000000001", lambda number, _: pay.pay(number))


def order_of(side: Side, fen: int = 5000) -> Order:
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    return Order(f"T{secrets.token_hex(10)}", "内科 视频复诊", fen, side.openid, expires)


def paid(side: Side) -> Order:
    order = order_of(side)
    side.press(order.number, side.gateway.order(order).parameters)
    return order


def test_an_order_can_be_paid_and_placed_again(side: Side) -> None:
    order = order_of(side)
    first = side.gateway.order(order)
    assert first.prepay_id
    assert side.gateway.order(order).prepay_id
    found = side.gateway.query(order.number)
    assert (found.number, found.state, found.transaction) == (order.number, TradeState.NOTPAY, None)


def test_the_same_number_for_something_else_is_refused(side: Side) -> None:
    order = order_of(side)
    side.gateway.order(order)
    with pytest.raises(GatewayError) as refused:
        side.gateway.order(Order(order.number, order.description, 1, order.payer, order.expires_at))
    assert not refused.value.again


def test_what_was_paid(side: Side) -> None:
    order = paid(side)
    found = side.gateway.query(order.number)
    assert (found.state, found.amount_fen, found.payer) == (TradeState.SUCCESS, order.amount_fen, order.payer)
    assert found.transaction
    assert found.paid_at is not None
    assert found.paid_at.tzinfo is not None


def test_a_closed_order_stays_closed(side: Side) -> None:
    order = order_of(side)
    side.gateway.order(order)
    side.gateway.close(order.number)
    assert side.gateway.query(order.number).state is TradeState.CLOSED
    with pytest.raises(GatewayError):
        side.gateway.order(order)


def test_an_unknown_order_is_said_to_be_unknown(side: Side) -> None:
    with pytest.raises(GatewayError) as refused:
        side.gateway.query("T-nobody-placed-it")
    assert (refused.value.code, refused.value.again) == ("ORDER_NOT_EXIST", False)


def test_a_refund_in_parts_never_exceeds_what_was_paid(side: Side) -> None:
    order = paid(side)
    part = RefundOrder(f"R{secrets.token_hex(8)}", order.number, 2000, order.amount_fen, "停诊")
    first = side.gateway.refund(part)
    assert first.state in {RefundState.PROCESSING, RefundState.SUCCESS}
    assert (first.number, first.payment, first.refund_fen, first.total_fen) == (part.number, order.number, 2000, 5000)
    again = side.gateway.refund(part)
    assert again.refund == first.refund
    assert side.gateway.query_refund(part.number).refund == first.refund
    with pytest.raises(GatewayError):
        side.gateway.refund(RefundOrder(f"R{secrets.token_hex(8)}", order.number, 3001, order.amount_fen, "停诊"))
    assert side.gateway.query(order.number).state is TradeState.REFUND
