"""QR codes with a scene, and short keys for long data."""

from __future__ import annotations

import secrets
from typing import Any

from .. import scenes
from ..errors import ApiError
from . import Call, Endpoint

LONG_BYTES, SHORT_DAYS = 4096, 30 * 86400


def create(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/qrcode/create."""
    return scenes.create(call.world, call.json())


def shorten(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/shorten/gen: a short key for up to 4 KB, for up to 30 days."""
    body, now = call.json(), call.world.now
    data, seconds = body.get("long_data"), body.get("expire_seconds", SHORT_DAYS)
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONG_BYTES:
        raise ApiError(9410010)
    if not isinstance(seconds, int) or not 1 <= seconds <= SHORT_DAYS:
        raise ApiError(9410011)
    key = secrets.token_urlsafe(11)
    with call.world.change() as state:
        state.short[key] = {"data": data, "made": now, "ends": now + seconds}
    return {"errcode": 0, "errmsg": "ok", "short_key": key}


def fetch(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/shorten/fetch."""
    now, known = call.world.now, call.world.state.short.get(str(call.json().get("short_key")))
    if known is None or now >= known["ends"]:
        raise ApiError(9410012)
    left = {"create_time": int(known["made"]), "expire_seconds": int(known["ends"] - now)}
    return {"errcode": 0, "errmsg": "ok", "long_data": known["data"], **left}


ENDPOINTS = [
    Endpoint("/cgi-bin/qrcode/create", "POST", True, create),
    Endpoint("/cgi-bin/shorten/gen", "POST", True, shorten),
    Endpoint("/cgi-bin/shorten/fetch", "POST", True, fetch),
]
