"""api.weixin.qq.com: every call checked for method, token and JSON, answered as WeChat answers, and logged."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from .. import faults, limits, wire
from ..errors import ApiError, request_id
from ..tokens import check
from ..world import World

HIDDEN = ("secret", "appsecret", "access_token")
RID = re.compile(r" rid: ([0-9a-f-]+)")
TOKENS = ("/cgi-bin/token", "/cgi-bin/stable_token")


@dataclass
class Call:
    """One API call: the world it acts on, its query and its body."""

    world: World
    query: dict[str, str]
    raw: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; raises ApiError 47001 when it is not one."""
        try:
            body = json.loads(self.raw)
        except ValueError as error:
            raise ApiError(47001) from error
        if not isinstance(body, dict):
            raise ApiError(47001)
        return body

    def account(self, body: dict[str, Any]) -> None:
        """Check appid and secret; raises ApiError 41002, 41004, 40013 or 40125."""
        for name, code in (("appid", 41002), ("secret", 41004)):
            if not body.get(name):
                raise ApiError(code)
        if body["appid"] != self.world.config.appid:
            raise ApiError(40013)
        if body["secret"] != self.world.config.secret:
            raise ApiError(40125)


Handler = Callable[[Call], "dict[str, Any] | Response"]


@dataclass(frozen=True)
class Endpoint:
    """A path of the API, the method it wants and whether it needs a token."""

    path: str
    method: str
    token: bool
    handler: Handler


def answer(world: World, endpoint: Endpoint, found: dict[str, faults.Fault]) -> tuple[dict[str, Any] | Response, str]:
    """Run one call: what to answer, and the verdict for the log."""
    call = Call(world, request.args.to_dict(), request.get_data())
    try:
        _refuse(world, endpoint, call, found)
        return endpoint.handler(call), "ok"
    except ApiError as error:
        text = f"{error.text} rid: {request_id(world.now)}"
        return {"errcode": error.code, "errmsg": text}, f"{error.code} {error.text}"


def _refuse(world: World, endpoint: Endpoint, call: Call, found: dict[str, faults.Fault]) -> None:
    """Raise what stands before the call itself: a fault, the method, the address, the token, the quota."""
    _fail_next(world, endpoint.path)
    if fault := found.get("errcode"):
        raise ApiError(int(fault.number(-1)))
    if endpoint.method not in ("ANY", request.method):
        raise ApiError(43001 if endpoint.method == "GET" else 43002)
    allowed, address = world.state.settings.ip_whitelist, request.remote_addr or ""
    if allowed and endpoint.path in TOKENS and address not in allowed:
        raise ApiError(40164, f"ip {address} ipv6 ::ffff:{address}")
    with world.change() as state:
        if endpoint.token:
            check(state, world.now, call.query.get("access_token", ""))
        limits.count(state, endpoint.path, world.now)


def _fail_next(world: World, path: str) -> None:
    """Be slow or fail when the settings ask for it."""
    settings = world.state.settings
    if settings.latency_ms:
        time.sleep(settings.latency_ms / 1000)
    with world.change():
        for fault in settings.fail_next:
            if fault["path"] == path:
                fault["times"] = fault.get("times", 1) - 1
                settings.fail_next = [known for known in settings.fail_next if known.get("times", 1) > 0]
                raise ApiError(int(fault["errcode"]))


def readable(raw: bytes) -> str:
    """A body for the log: text as it is, anything else by its size."""
    try:
        return raw.decode()[:20000]
    except UnicodeDecodeError:
        return f"({len(raw)} bytes)"


def _view(world: World, endpoint: Endpoint) -> Callable[[], Response]:
    def view() -> Response:
        start, found = time.monotonic(), faults.take(world, "api", endpoint.path)
        result, verdict = wire.broken(found), f"fault: {', '.join(found)}"
        if result is None:
            made, verdict = answer(world, endpoint, found)
            result = made if isinstance(made, Response) else _json(made)
        _record(world, result, verdict, start)
        return wire.cut() if "dropped" in found else result

    return view


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), content_type="application/json; encoding=utf-8")


def _record(world: World, response: Response, verdict: str, start: float) -> None:
    query = "&".join(
        f"{key}={value[:12]}…" if key in HIDDEN else f"{key}={value}" for key, value in request.args.items()
    )
    text = response.get_data(as_text=True)[:20000] if response.is_json or response.mimetype == "text/plain" else ""
    world.record(
        "in",
        method=request.method,
        path=request.path + (f"?{query}" if query else ""),
        status=response.status_code,
        verdict=verdict,
        ms=round((time.monotonic() - start) * 1000),
        client=request.remote_addr,
        rid=rid[1] if (rid := RID.search(text)) else "",
        request=readable(request.get_data()).replace(world.config.secret, "…"),
        response=text,
    )


def blueprint(world: World) -> Blueprint:
    """All API paths over one world."""
    from . import base, media, menu, messages, notices, once, quota, scenes, sns, tags, templates, users  # noqa: PLC0415  they import Call from here

    bp = Blueprint("api", __name__)
    for module in (base, media, menu, messages, notices, once, quota, scenes, sns, tags, templates, users):
        for endpoint in module.ENDPOINTS:
            bp.add_url_rule(
                endpoint.path, endpoint.path.replace(".", "_"), _view(world, endpoint), methods=["GET", "POST"]
            )
    return bp
