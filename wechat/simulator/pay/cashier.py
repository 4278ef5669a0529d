"""The cashier on a phone: what a page asks to be paid is verified, shown, then paid or cancelled."""

from __future__ import annotations

from typing import Any

from ..state import Phone
from ..world import World
from . import orders
from .errors import PayError
from .records import Order
from .shown import state_of
from .signing import lines, verify

ACTS = ("show", "pay", "cancel")


class Refused(ValueError):
    """Why the cashier does not open, in the words of WeChat's dialog."""


def act(world: World, phone: Phone, params: dict[str, Any], page: str, what: str) -> dict[str, Any]:
    """Show the order, pay it or leave it: {result: ok|cancel|fail, order?, reason?}."""
    try:
        order = asked(world, phone, params, page)
        if what == "pay":
            orders.pay(world, phone, order)
    except (Refused, PayError) as error:
        reason = error.text if isinstance(error, PayError) else str(error)
        _log(world, phone, f"fail: {reason}")
        return {"result": "fail", "reason": reason}
    if what != "show":
        _log(world, phone, f"{what} {order.out_trade_no}")
    return {"result": "cancel" if what == "cancel" else "ok", "order": card(world, order)}


def _log(world: World, phone: Phone, verdict: str) -> None:
    world.record("page", method="", path="", event="WeChat Pay", status=0, verdict=verdict, phone=phone.id)


def card(world: World, order: Order) -> dict[str, Any]:
    """What the sheet shows; `total` in fen."""
    return {
        "out_trade_no": order.out_trade_no,
        "description": order.asked["description"],
        "total": order.total,
        "payee": world.config.account_name,
    }


def asked(world: World, phone: Phone, params: dict[str, Any], page: str) -> Order:
    """The order a page's parameters name; raises Refused as the dialog would say."""
    values = {name: str(params.get(name) or "") for name in ("appId", "nonceStr", "package", "signType", "paySign")}
    stamp = str(params.get("timeStamp") or params.get("timestamp") or "")
    if missing := [name for name, value in {**values, "timeStamp": stamp}.items() if not value and name != "appId"]:
        raise Refused(f"调用支付JSAPI缺少参数：{'、'.join(missing)}")
    if phone.snapshot:
        raise Refused("网页快照中不能支付")
    if page and not _registered(world, phone, page):
        raise Refused(f"当前页面的URL未注册：{page}")
    if values["appId"] not in ("", world.config.appid):
        raise Refused("支付验证签名失败：appId 不符")
    text = lines(world.config.appid, stamp, values["nonceStr"], values["package"])
    if values["signType"] != "RSA" or not verify(world.keys.merchant.public_key(), text, values["paySign"]):
        raise Refused("支付验证签名失败")
    return _order(world, phone, values["package"])


def _order(world: World, phone: Phone, package: str) -> Order:
    name, _, prepay = package.partition("=")
    order = orders.by_prepay(world.state, prepay)
    if name != "prepay_id" or order is None:
        raise Refused("该订单不存在，prepay_id 无效")
    if order.openid != phone.openid:
        raise Refused("下单账号与支付账号不一致，请核实后再支付")
    if state_of(world, order) == "NOTPAY" and world.now >= order.prepays[prepay]:
        raise Refused("该订单已过期，请重新下单")
    if order.state != "NOTPAY":
        raise Refused("该订单已支付" if order.paid else "该订单已关闭")
    return order


def _registered(world: World, phone: Phone, page: str) -> bool:
    """Whether the page lies in a directory that may pay."""
    url = page.replace(world.config.phone_origin(phone.id), world.config.backend, 1)
    return url.startswith(tuple(world.state.settings.pay_directories or [world.config.backend + "/"]))
