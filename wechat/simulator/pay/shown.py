"""How orders and refunds look in answers and notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..world import CHINA, World
from .records import Order, Refund

STATES = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}
ACCOUNT = "支付用户零钱"


def at(moment: float) -> str:
    """A moment as WeChat Pay writes it: RFC 3339 in China's zone."""
    return datetime.fromtimestamp(int(moment), CHINA).isoformat()


def state_of(world: World, order: Order) -> str:
    """The state an order shows now: what is past its time is as the settings say."""
    expired = order.state == "NOTPAY" and world.now >= order.expires
    return world.state.settings.pay_expired if expired else order.state


def of_order(world: World, order: Order) -> dict[str, Any]:
    """An order as a query and a notice show it."""
    state = state_of(world, order)
    shown: dict[str, Any] = {
        "appid": world.config.appid,
        "mchid": world.config.mchid,
        "out_trade_no": order.out_trade_no,
        "trade_state": state,
        "trade_state_desc": STATES[state],
        "attach": order.asked.get("attach", ""),
        "payer": {"openid": order.openid},
        "amount": {"total": order.total, "currency": "CNY"},
        "promotion_detail": [],
    }
    if not order.paid:
        return shown
    shown["amount"] |= {"payer_total": order.total, "payer_currency": "CNY"}
    return shown | {
        "transaction_id": order.transaction_id,
        "trade_type": "JSAPI",
        "bank_type": "OTHERS",
        "success_time": at(order.paid),
    }


def of_refund(world: World, refund: Refund) -> dict[str, Any]:
    """A refund as its request and a query show it."""
    order = world.state.orders[refund.out_trade_no]
    shown = _head(refund, order) | {
        "channel": "ORIGINAL",
        "user_received_account": ACCOUNT,
        "create_time": at(refund.created),
        "status": refund.status,
        "funds_account": "AVAILABLE",
        "amount": _amount(refund, order)
        | {
            "settlement_refund": refund.amount,
            "settlement_total": order.total,
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    }
    return shown | ({"success_time": at(refund.ended)} if refund.status == "SUCCESS" else {})


def of_refund_told(world: World, refund: Refund) -> dict[str, Any]:
    """A refund as its notice shows it."""
    order = world.state.orders[refund.out_trade_no]
    shown = {"mchid": world.config.mchid, **_head(refund, order), "refund_status": refund.status}
    shown |= {"user_received_account": ACCOUNT, "amount": _amount(refund, order)}
    return shown | ({"success_time": at(refund.ended)} if refund.status == "SUCCESS" else {})


def _head(refund: Refund, order: Order) -> dict[str, Any]:
    return {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": order.transaction_id,
        "out_trade_no": order.out_trade_no,
    }


def _amount(refund: Refund, order: Order) -> dict[str, Any]:
    return {"total": order.total, "refund": refund.amount, "payer_total": order.total, "payer_refund": refund.amount}
