"""Orders of WeChat Pay v3: made, asked for, closed, paid."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

from ..state import Phone, State
from ..world import CHINA, World
from . import notify
from .errors import PayError
from .records import Order

PREPAY_SECONDS, DEFAULT_SECONDS, SHORTEST = 7200.0, 7 * 86400.0, 60.0
NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
NEEDED = ("appid", "mchid", "description", "out_trade_no", "notify_url", "amount", "payer")


def text(body: dict[str, Any], name: str, limit: int, needed: bool = True) -> str:
    """A text field of a request; raises PayError PARAM_ERROR."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value.encode()) > limit or (needed and not value):
        raise PayError("PARAM_ERROR", f"输入源“/body/{name}”映射到值字段“{name}”字符串规则校验失败，字节数上限 {limit}")
    return value


def url(body: dict[str, Any], name: str, needed: bool) -> str:
    """An address WeChat Pay will call: no query; raises PayError PARAM_ERROR."""
    value = text(body, name, 256, needed)
    if value and (not re.match(r"https?://[^/?#]+", value) or "?" in value):
        raise PayError("PARAM_ERROR", f"{name} 必须是不带参数的 http(s) 地址")
    return value


def fen(amount: Any, name: str) -> int:
    """A sum of money in fen, at least 1; raises PayError PARAM_ERROR."""
    value = amount.get(name) if isinstance(amount, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise PayError("PARAM_ERROR", f"amount.{name} 必须是大于 0 的整数，单位为分")
    if amount.get("currency", "CNY") != "CNY":
        raise PayError("PARAM_ERROR", "amount.currency 必须是 CNY")
    return value


def _moment(value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in value:
        raise PayError("PARAM_ERROR", "time_expire 必须是 rfc3339 格式")
    return moment.timestamp()


def create(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """POST /v3/pay/transactions/jsapi: {prepay_id}; the same order asked for again gets a fresh one."""
    if missing := [name for name in NEEDED if not body.get(name)]:
        raise PayError("PARAM_ERROR", f"缺少参数 {'、'.join(missing)}")
    _checked(world, body)
    now = world.now
    with world.change() as state:
        order = state.orders.get(body["out_trade_no"])
        if order is None:
            order = _new(body, now)
            state.orders[order.out_trade_no] = order
        elif _same(order.asked) != _same(body):
            raise PayError("OUT_TRADE_NO_USED", "商户订单号重复，且参数与首次下单不一致")
        _payable(world, order)
        prepay = f"wx{datetime.fromtimestamp(now, CHINA):%d%H%M%S}{secrets.token_hex(13)}"
        order.prepays[prepay] = min(now + PREPAY_SECONDS, order.expires)
    return {"prepay_id": prepay}


def _checked(world: World, body: dict[str, Any]) -> None:
    if body["mchid"] != world.config.mchid or body["appid"] != world.config.appid:
        raise PayError("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试")
    text(body, "description", 127)
    text(body, "attach", 128, needed=False)
    url(body, "notify_url", needed=True)
    fen(body["amount"], "total")
    if not NUMBER.fullmatch(str(body["out_trade_no"])):
        raise PayError("PARAM_ERROR", "out_trade_no 必须是 6 到 32 位的数字、字母或 _-|*")
    openid = body["payer"].get("openid") if isinstance(body["payer"], dict) else None
    phone = world.phone(str(openid))
    if phone is None or phone.openid != openid:
        raise PayError("PARAM_ERROR", "payer.openid 与 appid 不匹配")


def _new(body: dict[str, Any], now: float) -> Order:
    expires = now + DEFAULT_SECONDS
    if body.get("time_expire"):
        expires = max(_moment(str(body["time_expire"])), now + SHORTEST)
    return Order(body["out_trade_no"], body, body["payer"]["openid"], body["amount"]["total"], now, expires)


def _same(body: dict[str, Any]) -> dict[str, Any]:
    """What a repeated order must not change: time_expire counts on the first only."""
    return {name: value for name, value in body.items() if name not in ("time_expire", "notify_url")}


def _payable(world: World, order: Order) -> None:
    if order.state in ("SUCCESS", "REFUND"):
        raise PayError("OUT_TRADE_NO_USED", "该订单已支付")
    if order.state == "CLOSED" or world.now >= order.expires:
        raise PayError("ORDER_CLOSED", "该订单已关闭，请重新下单")


def find(state: State, out_trade_no: str = "", transaction_id: str = "") -> Order:
    """An order by either of its numbers; raises PayError ORDER_NOT_EXIST."""
    order = state.orders.get(out_trade_no)
    if transaction_id:
        order = next((known for known in state.orders.values() if known.transaction_id == transaction_id), None)
    if order is None:
        raise PayError("ORDER_NOT_EXIST", "订单不存在")
    return order


def close(world: World, out_trade_no: str, body: dict[str, Any]) -> None:
    """POST .../close: a paid order can't be closed; closing twice is no error."""
    if body.get("mchid") != world.config.mchid:
        raise PayError("PARAM_ERROR", "mchid 与商户不符")
    with world.change() as state:
        order = find(state, out_trade_no)
        if order.state in ("SUCCESS", "REFUND"):
            raise PayError("INVALID_REQUEST", "该订单已支付，不能关闭")
        order.state = "CLOSED"


def by_prepay(state: State, prepay_id: str) -> Order | None:
    """The order a prepay_id belongs to."""
    return next((order for order in state.orders.values() if prepay_id in order.prepays), None)


def pay(world: World, phone: Phone, order: Order) -> None:
    """The person paid: the order is settled and the merchant told."""
    with world.change():
        _payable(world, order)
        order.state, order.paid = "SUCCESS", world.now
        order.transaction_id = f"42000{world.next_id():023d}"[:28]
        phone.windows["payment"] = [world.now, 0.0]
    notify.begin(world, "TRANSACTION.SUCCESS", order.out_trade_no, order.asked["notify_url"])
