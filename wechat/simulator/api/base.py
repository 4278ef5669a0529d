"""Tokens, the JS-SDK ticket and WeChat's own addresses."""

from __future__ import annotations

import socket
import time
from typing import Any
from urllib.parse import urlsplit

from .. import tokens
from ..errors import ApiError
from ..webhook import verify_url
from . import Call, Endpoint


def token(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/token."""
    if call.query.get("grant_type") != "client_credential":
        raise ApiError(40002)
    call.account(call.query)
    with call.world.change() as state:
        return {"access_token": tokens.fetch(state, call.world.now).value, "expires_in": int(tokens.LIFETIME)}


def stable_token(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/stable_token."""
    body = call.json()
    if body.get("grant_type") != "client_credential":
        raise ApiError(40002)
    call.account(body)
    now = call.world.now
    with call.world.change() as state:
        current = tokens.stable(state, now, body.get("force_refresh") is True)
        return {"access_token": current.value, "expires_in": int(current.ends - now)}


def get_ticket(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/ticket/getticket?type=jsapi."""
    if call.query.get("type") != "jsapi":
        raise ApiError(40008)
    now = call.world.now
    with call.world.change() as state:
        ticket = tokens.ticket(state, now)
        return {"errcode": 0, "errmsg": "ok", "ticket": ticket.value, "expires_in": int(ticket.ends - now)}


def addresses(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/get_api_domain_ip and /cgi-bin/getcallbackip: the simulator speaks from one address."""
    return {"ip_list": [call.world.config.bind.rpartition(":")[0]]}


ACTIONS, OPERATORS = ("dns", "ping", "all"), ("CHINANET", "UNICOM", "CAP", "DEFAULT")


def check_callback(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/callback/check {action, check_operator}: whether the account's server can be found and reached."""
    body, world = call.json(), call.world
    if body.get("action") not in ACTIONS:
        raise ApiError(40201)
    if body.get("check_operator") not in OPERATORS:
        raise ApiError(40202)
    host = urlsplit(world.config.webhook).hostname or ""
    start = time.monotonic()
    try:
        address = socket.gethostbyname(host)
        reached = verify_url(world).status > 0
    except OSError as error:
        raise ApiError(40203) from error
    dns = [{"ip": address, "real_operator": body["check_operator"]}]
    took = f"{(time.monotonic() - start) * 1000:.3f}ms"
    ping = [{"ip": address, "from_operator": body["check_operator"], "package_loss": f"{0 if reached else 100}%"}]
    found = {"dns": dns, "ping": [entry | {"time": took} for entry in ping]}
    return {name: value for name, value in found.items() if body["action"] in (name, "all")}


ENDPOINTS = [
    Endpoint("/cgi-bin/token", "GET", False, token),
    Endpoint("/cgi-bin/stable_token", "POST", False, stable_token),
    Endpoint("/cgi-bin/ticket/getticket", "GET", True, get_ticket),
    Endpoint("/cgi-bin/get_api_domain_ip", "GET", True, addresses),
    Endpoint("/cgi-bin/getcallbackip", "GET", True, addresses),
    Endpoint("/cgi-bin/callback/check", "POST", True, check_callback),
]
