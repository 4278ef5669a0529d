"""Template messages: the account's list, sending with typed validation, and the result event afterwards."""

from __future__ import annotations

from typing import Any

from .. import events, library
from ..errors import ApiError
from ..state import Phone, Send, Template
from ..template_values import valid
from ..webhook import push
from ..world import World
from . import Call, Endpoint

SAME_MESSAGE = 600.0  # seconds in which one client_msg_id means one message
RESULT_AFTER = 0.2
KEPT = 20000
URL_BYTES, MOST, MOST_BLOCKED = 1024, 25, 100


def list_all(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/template/get_all_private_template."""
    return {"template_list": [_listed(template) for template in call.world.templates.values()]}


def _listed(template: Template) -> dict[str, str]:
    primary, deputy = template.industry
    return {
        "template_id": template.id,
        "title": template.title,
        "primary_industry": primary,
        "deputy_industry": deputy,
        "content": template.content,
        "example": template.example,
    }


def send(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/template/send."""
    world, body = call.world, call.json()
    template, phone = world.templates.get(str(body.get("template_id"))), world.phone(str(body.get("touser")))
    if phone is None or phone.id == body.get("touser"):
        raise ApiError(40003)
    if template is None:
        raise ApiError(40037)
    if len(str(body.get("url") or "").encode()) > URL_BYTES:
        raise ApiError(40039)
    rows = rows_of(template, body.get("data"), world.state.settings.template_newline)
    with world.change():
        if not phone.following:
            raise ApiError(43004)
        known = known_send(world, phone, str(body.get("client_msg_id") or ""))
        if known:
            known.duplicates += 1
            return {"errcode": 0, "errmsg": "ok", "msgid": known.msgid}
        return {"errcode": 0, "errmsg": "ok", "msgid": _accept(world, phone, template, rows, body).msgid}


def rows_of(template: Template, data: Any, newline: str) -> list[dict[str, str]]:
    """The card's lines; raises ApiError 47003 naming the first value that its type does not allow."""
    if not isinstance(data, dict):
        raise ApiError(47001)
    rows = []
    for label, key in template.lines:
        entry = data.get(key)
        value = entry.get("value") if isinstance(entry, dict) else None
        text = str(value) if isinstance(value, str | int | float) else ""
        if newline == "cut":
            text = text.partition("\n")[0]
        if "\n" in text or not valid(key, text, template.consts):
            raise ApiError(47003, f"data.{key}.value invalid")
        rows.append({"key": key, "label": label, "value": text})
    return rows


def known_send(world: World, phone: Phone, client_msg_id: str) -> Send | None:
    """The message already accepted under this client_msg_id, if it is young enough."""
    young = (s for s in reversed(world.state.sends) if s.at > world.now - SAME_MESSAGE)
    same = (s for s in young if client_msg_id and s.openid == phone.openid and s.client_msg_id == client_msg_id)
    return next(same, None)


def _accept(world: World, phone: Phone, template: Template, rows: list[dict[str, str]], body: dict[str, Any]) -> Send:
    outcome = "user block" if phone.blocked else phone.delivery
    stopped = template.id in world.state.settings.intercepted
    if stopped:
        outcome = "system failed"
    send = show_card(world, phone, template, rows, body, shown=outcome == "success")
    if stopped:
        send.content = "\n".join(f"{row['label']}：{row['value']}" for row in rows)
    world.state.sends = [*world.state.sends[-KEPT:], send]
    world.later(RESULT_AFTER, lambda: _finish(world, phone, send, outcome))
    return send


def show_card(
    world: World,
    phone: Phone,
    template: Template,
    rows: list[dict[str, str]],
    body: dict[str, Any],
    shown: bool = True,
) -> Send:
    """Accept a message and put its card into the chat when it is `shown`."""
    client_msg_id = str(body.get("client_msg_id") or "")
    send = Send(world.next_id(), phone.openid, template.id, client_msg_id, world.now)
    facts = {"title": template.title, "template_id": template.id, "rows": rows, "url": body.get("url") or ""}
    facts |= {"fields": {row["key"]: row["value"] for row in rows}, "msgid": send.msgid}
    if shown:
        world.add_message(phone, "account", "template", client_msg_id=client_msg_id, **facts)
    return send


def _finish(world: World, phone: Phone, send: Send, outcome: str) -> None:
    """Tell the backend what became of the message."""
    status = {"success": "success", "user block": "failed:user block"}.get(outcome, "failed: system failed")
    with world.change():
        send.status = status
    push(world, phone, events.template_finished(world, phone, send.msgid, status), shown=False)


def blocked(call: Call) -> dict[str, Any]:
    """POST /wxa/sec/queryblocktmplmsg {tmpl_msg_id, largest_id, limit}: messages that WeChat stopped, newest first."""
    world, body = call.world, call.json()
    limit, template = body.get("limit"), world.templates.get(str(body.get("tmpl_msg_id")))
    if template is None:
        raise ApiError(40037)
    if not isinstance(limit, int) or not 1 <= limit <= MOST_BLOCKED:
        raise ApiError(47001)
    below = int(body.get("largest_id") or 0) or float("inf")
    found = [s for s in reversed(world.state.sends) if s.content and s.template_id == template.id and s.msgid < below]
    return {"errcode": 0, "errmsg": "ok", "msginfo": [_stopped(template, one) for one in found[:limit]]}


def _stopped(template: Template, send: Send) -> dict[str, Any]:
    facts = {"id": str(send.msgid), "tmpl_msg_id": template.id, "title": template.title}
    return facts | {"content": send.content, "send_timestamp": int(send.at), "openid": send.openid}


def add(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/template/api_add_template {template_id_short, keyword_name_list} from the public library."""
    body, world = call.json(), call.world
    entry, names = library.find("short", body.get("template_id_short")), body.get("keyword_name_list")
    if entry is None:
        raise ApiError(40246)
    labels = [label for label, _, _ in entry["keywords"]]
    if not isinstance(names, list) or not names or not set(names) <= set(labels):
        raise ApiError(40247)
    with world.change() as state:
        if len(world.templates) >= MOST:
            raise ApiError(45026)
        made = library.make(entry, [labels.index(name) + 1 for name in names])
        state.added[made.id] = made
    return {"errcode": 0, "errmsg": "ok", "template_id": made.id}


def delete(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/template/del_private_template {template_id}."""
    template = str(call.json().get("template_id"))
    with call.world.change() as state:
        if template not in call.world.templates:
            raise ApiError(40037)
        if state.added.pop(template, None) is None:
            state.removed.append(template)
    return {"errcode": 0, "errmsg": "ok"}


def industry(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/template/get_industry."""
    del call
    primary, deputy = library.INDUSTRY
    named = {"first_class": primary, "second_class": deputy}
    return {"primary_industry": named, "secondary_industry": named}


ENDPOINTS = [
    Endpoint("/cgi-bin/template/get_all_private_template", "GET", True, list_all),
    Endpoint("/cgi-bin/template/api_add_template", "POST", True, add),
    Endpoint("/cgi-bin/template/del_private_template", "POST", True, delete),
    Endpoint("/cgi-bin/template/get_industry", "GET", True, industry),
    Endpoint("/cgi-bin/message/template/send", "POST", True, send),
    Endpoint("/wxa/sec/queryblocktmplmsg", "POST", True, blocked),
]
