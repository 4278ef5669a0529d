"""The quota calls: what is left, clearing it, and what a request id stood for."""

from __future__ import annotations

import re
from typing import Any

from .. import limits
from ..errors import ApiError
from . import Call, Endpoint
from .menu import OK


def clear(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/clear_quota {appid}."""
    if call.json().get("appid") != call.world.config.appid:
        raise ApiError(40013)
    with call.world.change() as state:
        limits.clear(state, call.world.now)
    return OK


def clear_by_secret(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/clear_quota/v2 with appid and secret (as the former `appsecret`), without a token."""
    given = {**call.query, **(call.json() if call.raw.strip() else {})}
    call.account({"appid": given.get("appid"), "secret": given.get("appsecret")})
    with call.world.change() as state:
        limits.clear(state, call.world.now)
    return OK


def get(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/openapi/quota/get {cgi_path}."""
    path, now = str(call.json().get("cgi_path", "")), call.world.now
    if not path.startswith("/"):
        raise ApiError(76021)
    with call.world.change() as state:
        most, used = limits.daily(state, path), limits.used(state, path, now)
    quota = {"daily_limit": most, "used": used, "remain": max(0, most - used)}
    return {"errcode": 0, "errmsg": "ok", "quota": quota}


def rid(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/openapi/rid/get {rid}: the request that was refused under it."""
    wanted = str(call.json().get("rid", ""))
    if not re.fullmatch(r"[0-9a-f]+(-[0-9a-f]+){2}", wanted):
        raise ApiError(76001)
    entry = next((known for known in call.world.log if known.get("rid") == wanted), None)
    if entry is None:
        raise ApiError(76001)
    request = {
        "invoke_time": int(wanted.partition("-")[0], 16),
        "cost_in_ms": entry.get("ms", 0),
        "request_url": entry["path"],
        "request_body": entry.get("request", ""),
        "response_body": entry.get("response", ""),
        "client_ip": entry.get("client", ""),
    }
    return {"errcode": 0, "errmsg": "ok", "request": request}


ENDPOINTS = [
    Endpoint("/cgi-bin/clear_quota", "POST", True, clear),
    Endpoint("/cgi-bin/clear_quota/v2", "POST", False, clear_by_secret),
    Endpoint("/cgi-bin/openapi/quota/get", "POST", True, get),
    Endpoint("/cgi-bin/openapi/rid/get", "POST", True, rid),
]
