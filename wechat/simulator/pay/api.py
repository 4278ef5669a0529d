"""api.mch.weixin.qq.com: every call verified, answered with a signature, and logged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from .. import faults, wire
from ..world import World
from . import bills, orders, refunds, shown
from .errors import PayError
from .notify import signed
from .signing import check, seal

Result = dict[str, Any] | bytes | None  # JSON, a file, or 204


@dataclass(frozen=True)
class Call:
    """A verified call: its body, its query and the number in its path."""

    world: World
    body: dict[str, Any]
    query: dict[str, str]
    number: str = ""


@dataclass(frozen=True)
class Route:
    """One call: its method, its path and what answers it."""

    method: str
    path: str
    handler: Callable[[Call], Result]


def _order(call: Call, **number: str) -> Result:
    if call.query.get("mchid") != call.world.config.mchid:
        raise PayError("PARAM_ERROR", "mchid 与商户不符")
    with call.world.change() as state:
        return shown.of_order(call.world, orders.find(state, **number))


def _certificates(world: World) -> Result:
    """The platform's certificates, each encrypted with the APIv3 key; none for a merchant who uses the public key."""
    if world.state.settings.pay_keys == "public-key":
        raise PayError("NO_AUTH", "无可用的平台证书，请使用微信支付公钥")
    listed = [
        {
            "serial_no": platform.serial,
            "effective_time": shown.at(platform.certificate.not_valid_before_utc.timestamp()),
            "expire_time": shown.at(platform.certificate.not_valid_after_utc.timestamp()),
            "encrypt_certificate": seal(world.keys.apiv3, platform.pem, "certificate"),
        }
        for platform in reversed(world.keys.platforms)
    ]
    return {"data": listed}


TRADE = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
ROUTES = [
    Route("POST", f"{TRADE}/jsapi", lambda call: orders.create(call.world, call.body)),
    Route("GET", f"{TRADE}/id/<no>", lambda call: _order(call, transaction_id=call.number)),
    Route("GET", f"{TRADE}/out-trade-no/<no>", lambda call: _order(call, out_trade_no=call.number)),
    Route("POST", f"{TRADE}/out-trade-no/<no>/close", lambda call: orders.close(call.world, call.number, call.body)),
    Route("POST", REFUNDS, lambda call: refunds.create(call.world, call.body)),
    Route("GET", f"{REFUNDS}/<no>", lambda call: refunds.query(call.world, call.number)),
    Route("GET", "/v3/bill/tradebill", lambda call: bills.offer(call.world, "tradebill", call.query)),
    Route("GET", "/v3/bill/fundflowbill", lambda call: bills.offer(call.world, "fundflowbill", call.query)),
    Route("GET", "/v3/billdownload/file", lambda call: bills.download(call.world, call.query.get("token", ""))),
    Route("GET", "/v3/certificates", lambda call: _certificates(call.world)),
]


def _body() -> dict[str, Any]:
    if request.method == "GET":
        return {}
    try:
        body = json.loads(request.get_data())
    except ValueError as error:
        raise PayError("PARAM_ERROR", "请求体不是合法的 JSON") from error
    if not isinstance(body, dict):
        raise PayError("PARAM_ERROR", "请求体不是 JSON 对象")
    return body


def _verified(world: World) -> None:
    signed_text = (request.method, wire.raw_path(), request.get_data(as_text=True))
    keys = world.keys
    header = request.headers.get("Authorization", "")
    check(header, signed_text, world.config.mchid, keys.serial, keys.merchant.public_key(), world.now)


def answer(world: World, route: Route, found: dict[str, faults.Fault], number: str) -> tuple[Response, str]:
    """Verify and run one call: what to answer, unsigned, and the verdict for the log."""
    try:
        if fault := found.get("error"):
            raise PayError(str(fault.value or "SYSTEM_ERROR"), "系统异常，请用相同参数重新调用")
        _verified(world)
        result = route.handler(Call(world, _body(), request.args.to_dict(), number))
    except PayError as error:
        return _json(error.json(), error.status), str(error)
    if isinstance(result, bytes):
        return Response(result, content_type="text/plain"), "ok"
    return (Response(status=204) if result is None else _json(result, 200)), "ok"


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json; charset=utf-8")


def _sign(world: World, response: Response, found: dict[str, faults.Fault]) -> None:
    """Sign the answer, by the key the request names: WeChat Pay's public key or its current certificate."""
    mode, wanted = world.state.settings.pay_keys, request.headers.get("Wechatpay-Serial", "")
    public = mode == "public-key" or (mode == "switching" and wanted == world.config.public_key_id)
    skew = found["skew"].number(600.0) if "skew" in found else 0.0
    text = response.get_data(as_text=True)
    headers = signed(world, text + ("?" if "signature" in found else ""), public, skew)
    for name, value in headers.items():
        response.headers[name] = value


def _view(world: World, route: Route) -> Callable[..., Response]:
    def view(no: str = "") -> Response:
        start, found = time.monotonic(), faults.take(world, "pay", request.path)
        if early := wire.broken(found):
            world.record("in", method=request.method, path=wire.raw_path(), status=early.status_code, verdict="fault")
            return early
        response, verdict = answer(world, route, found, no)
        if not request.path.startswith("/v3/billdownload"):
            _sign(world, response, found)
        world.record(
            "in",
            method=request.method,
            path=wire.raw_path(),
            status=response.status_code,
            verdict=verdict,
            ms=round((time.monotonic() - start) * 1000),
            request=request.get_data(as_text=True)[:20000],
            response=response.get_data(as_text=True)[:20000] if response.is_json else "",
        )
        return wire.cut() if "dropped" in found else response

    return view


def blueprint(world: World) -> Blueprint:
    """WeChat Pay's paths over one world."""
    bp = Blueprint("pay", __name__)
    for route in ROUTES:
        bp.add_url_rule(
            route.path,
            f"{route.method} {route.path}".replace(".", "_"),
            _view(world, route),
            methods=[route.method],
            provide_automatic_options=False,
        )
    return bp
