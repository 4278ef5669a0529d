"""Tokens, the JS-SDK ticket and WeChat's own addresses."""

from __future__ import annotations

from typing import Any

from .. import tokens
from ..errors import ApiError
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


ENDPOINTS = [
    Endpoint("/cgi-bin/token", "GET", False, token),
    Endpoint("/cgi-bin/stable_token", "POST", False, stable_token),
    Endpoint("/cgi-bin/ticket/getticket", "GET", True, get_ticket),
    Endpoint("/cgi-bin/get_api_domain_ip", "GET", True, addresses),
    Endpoint("/cgi-bin/getcallbackip", "GET", True, addresses),
]
