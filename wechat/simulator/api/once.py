"""The older one-time subscription (一次性订阅消息): a message to whoever agreed to it on WeChat's page."""

from __future__ import annotations

from typing import Any

from .. import once
from ..errors import ApiError
from . import Call, Endpoint
from .menu import OK
from .users import known

TITLE, CONTENT = 15, 200


def send(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/template/subscribe {touser, template_id, url?, scene, title, data: {content: {value}}}."""
    world, body = call.world, call.json()
    phone, scene, title = known(world, body.get("touser")), str(body.get("scene")), str(body.get("title") or "")
    content = body.get("data", {}).get("content", {}) if isinstance(body.get("data"), dict) else {}
    words = str(content.get("value") or "") if isinstance(content, dict) else ""
    if body.get("template_id") != once.TEMPLATE:
        raise ApiError(40037)
    if not 1 <= len(title) <= TITLE:
        raise ApiError(47003, "title")
    if not 1 <= len(words) <= CONTENT:
        raise ApiError(47003, "data.content.value")
    with world.change():
        once.use(phone, scene)
        rows = [{"key": "content", "label": "", "value": words}]
        facts = {"title": title, "template_id": once.TEMPLATE, "rows": rows, "fields": {"content": words}}
        if not phone.blocked:
            world.add_message(phone, "account", "template", url=body.get("url") or "", **facts)
    return OK


ENDPOINTS = [Endpoint("/cgi-bin/message/template/subscribe", "POST", True, send)]
