"""Customer-service messages within the windows a person's acts open, and the sign that somebody is typing."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError
from ..state import Phone
from ..windows import last_opened, spend
from . import Call, Endpoint
from .custom import KINDS, staffed
from .menu import OK
from .users import known

ACTIVE, TYPING = 30.0, 15.0


def custom_send(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/send: 45015 when no window is open, 45047 when it is used up."""
    world, body = call.world, call.json()
    phone = known(world, body.get("touser"))
    kind = str(body.get("msgtype"))
    content = body.get(kind)
    if kind not in KINDS or not isinstance(content, dict):
        raise ApiError(40008)
    message = KINDS[kind](world, content) | staffed(body)
    with world.change() as state:
        spend(phone, world.now, state.settings.window_payment)
        state.typing.pop(phone.openid, None)
        if not phone.blocked:
            world.add_message(phone, "account", custom=True, **message)
    return OK


def typing(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/typing: for a person who did something in the last 30 seconds."""
    world, body = call.world, call.json()
    phone: Phone = known(world, body.get("touser"))
    if body.get("command") not in ("Typing", "CancelTyping"):
        raise ApiError(45072)
    with world.change() as state:
        if world.now - last_opened(phone) > ACTIVE:
            raise ApiError(45080)
        if body["command"] == "CancelTyping":
            state.typing.pop(phone.openid, None)
        elif world.now - state.typing.get(phone.openid, -TYPING) < TYPING:
            raise ApiError(45081)
        else:
            state.typing[phone.openid] = world.now
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/message/custom/send", "POST", True, custom_send),
    Endpoint("/cgi-bin/message/custom/typing", "POST", True, typing),
]
