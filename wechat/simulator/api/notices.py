"""Subscription notices (订阅通知): the account's templates for them, and sending one a person agreed to."""

from __future__ import annotations

from typing import Any

from .. import events, library
from ..errors import ApiError
from ..state import Phone, Template
from ..webhook import push
from ..world import World
from . import Call, Endpoint
from .menu import OK
from .templates import KEPT, RESULT_AFTER, known_send, rows_of, show_card
from .users import known

MOST, SCENE_LENGTH, PAGE = 25, 15, 30
CATEGORY = {"id": 616, "name": "医疗服务"}


def add(call: Call) -> dict[str, Any]:
    """POST /wxaapi/newtmpl/addtemplate {tid, kidList of 2 to 5, sceneDesc up to 15 characters}."""
    body = call.json()
    entry, numbers = library.find("tid", body.get("tid")), body.get("kidList")
    if entry is None:
        raise ApiError(200014)
    count = len(entry["keywords"])
    if not isinstance(numbers, list) or not 2 <= len(numbers) <= 5 or not set(numbers) <= set(range(1, count + 1)):
        raise ApiError(200020)
    if len(str(body.get("sceneDesc") or "")) > SCENE_LENGTH:
        raise ApiError(200021)
    with call.world.change() as state:
        if len(call.world.notices) >= MOST:
            raise ApiError(200011)
        made = library.make(entry, numbers)
        state.notice_templates[made.id] = made
    return {**OK, "priTmplId": made.id}


def listed(call: Call) -> dict[str, Any]:
    """GET /wxaapi/newtmpl/gettemplate."""
    templates = call.world.notices.values()
    data = [{"priTmplId": t.id, "title": t.title, "content": t.content, "example": t.example} for t in templates]
    kinds = [library.LASTING if template.lasting else library.ONCE for template in templates]
    return {**OK, "data": [entry | {"type": kind} for entry, kind in zip(data, kinds, strict=True)]}


def delete(call: Call) -> dict[str, Any]:
    """POST /wxaapi/newtmpl/deltemplate {priTmplId}."""
    name = str(call.json().get("priTmplId"))
    with call.world.change() as state:
        if name not in call.world.notices:
            raise ApiError(40037)
        if state.notice_templates.pop(name, None) is None:
            state.removed.append(name)
    return OK


def categories(call: Call) -> dict[str, Any]:
    """GET /wxaapi/newtmpl/getcategory."""
    del call
    return {**OK, "data": [CATEGORY]}


def titles(call: Call) -> dict[str, Any]:
    """GET /wxaapi/newtmpl/getpubtemplatetitles?ids&start&limit."""
    ids = call.query.get("ids", "").split(",")
    start, limit = call.query.get("start", "0"), call.query.get("limit", "30")
    if not start.isdigit() or not limit.isdigit() or int(limit) > PAGE:
        raise ApiError(47001)
    found = [entry for entry in library.entries() if str(entry["category"]) in ids]
    page = found[int(start) : int(start) + int(limit)]
    shown = [{"tid": e["tid"], "title": e["title"], "type": e["type"], "categoryId": str(e["category"])} for e in page]
    return {**OK, "count": len(found), "data": shown}


def keywords(call: Call) -> dict[str, Any]:
    """GET /wxaapi/newtmpl/getpubtemplatekeywords?tid."""
    entry = library.find("tid", call.query.get("tid"))
    if entry is None:
        raise ApiError(200014)
    data = [
        {"kid": number, "name": label, "example": example, "rule": kind}
        for number, (label, kind, example) in enumerate(entry["keywords"], 1)
    ]
    return {**OK, "count": len(data), "data": data}


def send(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/subscribe/bizsend: one agreement, one notice; 43101 without."""
    world, body = call.world, call.json()
    phone, template = known(world, body.get("touser")), _template(world, body)
    rows = rows_of(template, body.get("data"), world.state.settings.template_newline)
    with world.change() as state:
        again = known_send(world, phone, str(body.get("client_msg_id") or ""))
        if again:
            again.duplicates += 1
            return {**OK, "msgid": again.msgid}
        if phone.subscriptions.get(template.id, 0) < 1:
            raise ApiError(43101)
        if not template.lasting:
            phone.subscriptions[template.id] -= 1
        world.publish_phone(phone)
        sent = show_card(world, phone, template, rows, {**body, "url": body.get("page") or ""}, not phone.blocked)
        state.sends = [*state.sends[-KEPT:], sent]
    world.later(RESULT_AFTER, lambda: _finish(world, phone, template, sent.msgid))
    return {**OK, "msgid": sent.msgid}


def _template(world: World, body: dict[str, Any]) -> Template:
    template = world.notices.get(str(body.get("template_id")))
    if template is None:
        raise ApiError(40037)
    return template


def _finish(world: World, phone: Phone, template: Template, msgid: int) -> None:
    push(world, phone, events.notice_sent(world, phone, template.id, msgid), shown=False)


ENDPOINTS = [
    Endpoint("/wxaapi/newtmpl/addtemplate", "POST", True, add),
    Endpoint("/wxaapi/newtmpl/gettemplate", "GET", True, listed),
    Endpoint("/wxaapi/newtmpl/deltemplate", "POST", True, delete),
    Endpoint("/wxaapi/newtmpl/getcategory", "GET", True, categories),
    Endpoint("/wxaapi/newtmpl/getpubtemplatetitles", "GET", True, titles),
    Endpoint("/wxaapi/newtmpl/getpubtemplatekeywords", "GET", True, keywords),
    Endpoint("/cgi-bin/message/subscribe/bizsend", "POST", True, send),
]
