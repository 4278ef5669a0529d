"""Refunds of WeChat Pay v3: asked for, checked against the order, ended a moment later, the merchant told."""

from __future__ import annotations

from typing import Any

from ..world import World
from . import notify
from .errors import PayError
from .orders import fen, find, text, url
from .records import Order, Refund
from .shown import of_refund

DAYS, MOST = 365 * 86400.0, 50
ENDS = ("SUCCESS", "ABNORMAL", "CLOSED")


def create(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """POST /v3/refund/domestic/refunds: the same out_refund_no means the same refund."""
    number = text(body, "out_refund_no", 64)
    text(body, "reason", 80, needed=False)
    url(body, "notify_url", needed=False)
    amount, total = fen(body.get("amount"), "refund"), fen(body.get("amount"), "total")
    if not body.get("transaction_id") and not body.get("out_trade_no"):
        raise PayError("PARAM_ERROR", "transaction_id 和 out_trade_no 须二选一")
    with world.change() as state:
        order = find(state, str(body.get("out_trade_no", "")), str(body.get("transaction_id", "")))
        known = state.refunds.get(number)
        if known is None:
            _allowed(world, order, amount, total)
            outcome = state.settings.pay_refund_outcome
            known = Refund(
                number, f"503{world.next_id():025d}"[:28], order.out_trade_no, body, amount, world.now, outcome
            )
            state.refunds[number] = known
            order.state = "REFUND"
            world.later(state.settings.pay_refund_delay, lambda: end(world, known))
        elif (known.out_trade_no, known.amount) != (order.out_trade_no, amount):
            raise PayError("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
        return of_refund(world, known)


def _allowed(world: World, order: Order, amount: int, total: int) -> None:
    settings, past = world.state.settings, [r for r in of(world, order) if r.status != "CLOSED"]
    if not order.paid:
        raise PayError("INVALID_REQUEST", "订单未支付，不能退款")
    if total != order.total:
        raise PayError("PARAM_ERROR", "amount.total 与订单总金额不一致")
    if world.now - order.paid > DAYS:
        raise PayError("RULE_LIMIT", "订单已超过一年可退款的期限")
    if sum(refund.amount for refund in past) + amount > order.total:
        raise PayError("NOT_ENOUGH", "退款金额大于订单可退金额")
    if len(past) >= MOST:
        raise PayError("RULE_LIMIT", "一笔订单最多部分退款 50 次")
    if past and world.now - max(refund.created for refund in past) < settings.pay_refund_pause:
        raise PayError("FREQUENCY_LIMITED", "同一订单的多次退款须间隔一分钟")


def of(world: World, order: Order) -> list[Refund]:
    """The refunds of an order."""
    return [refund for refund in world.state.refunds.values() if refund.out_trade_no == order.out_trade_no]


def end(world: World, refund: Refund) -> None:
    """The refund is over, as it was meant to end; the merchant is told where the request named an address."""
    with world.change():
        if refund.status != "PROCESSING":
            return
        refund.status, refund.ended = refund.outcome, world.now
    if address := refund.asked.get("notify_url"):
        notify.begin(world, f"REFUND.{refund.status}", refund.out_refund_no, address)


def resume(world: World) -> None:
    """After a restart: end what was being refunded."""
    for refund in world.state.refunds.values():
        world.later(0, lambda refund=refund: end(world, refund))  # type: ignore[misc]  # bound in the loop


def query(world: World, number: str) -> dict[str, Any]:
    """GET /v3/refund/domestic/refunds/{out_refund_no}."""
    refund = world.state.refunds.get(number)
    if refund is None:
        raise PayError("RESOURCE_NOT_EXISTS", "退款单不存在")
    return of_refund(world, refund)
