"""Customer-service messages: text within the windows a person's acts open."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError
from ..state import Phone
from ..windows import spend
from . import Call, Endpoint

TEXT_BYTES = 2048


def custom_send(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/send: text only; 45015 when no window is open, 45047 when it is used up."""
    world, body = call.world, call.json()
    phone: Phone | None = world.phone(str(body.get("touser")))
    if phone is None or phone.id == body.get("touser"):
        raise ApiError(40003)
    text = body.get("text")
    content = text.get("content") if isinstance(text, dict) else None
    if body.get("msgtype") != "text" or not isinstance(content, str) or not content:
        raise ApiError(40008)
    if len(content.encode()) > TEXT_BYTES:
        raise ApiError(45002)
    with world.change():
        spend(phone, world.now)
        if not phone.blocked:
            world.add_message(phone, "account", "text", text=content, custom=True)
    return {"errcode": 0, "errmsg": "ok"}


ENDPOINTS = [Endpoint("/cgi-bin/message/custom/send", "POST", True, custom_send)]
