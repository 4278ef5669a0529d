"""Customer-service messages within the windows a person's acts open, and the sign that somebody is typing."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from ..errors import ApiError
from ..state import Phone
from ..windows import last_opened, spend
from ..world import World
from . import Call, Endpoint
from .menu import OK
from .users import known

TEXT_BYTES, ACTIVE, TYPING = 2048, 30.0, 15.0
Message = dict[str, Any]


def custom_send(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/send: 45015 when no window is open, 45047 when it is used up."""
    world, body = call.world, call.json()
    phone = known(world, body.get("touser"))
    kind = str(body.get("msgtype"))
    content = body.get(kind)
    if kind not in KINDS or not isinstance(content, dict):
        raise ApiError(40008)
    message = KINDS[kind](world, content)
    with world.change() as state:
        spend(phone, world.now, state.settings.window_payment)
        state.typing.pop(phone.openid, None)
        if not phone.blocked:
            world.add_message(phone, "account", custom=True, **message)
    return OK


def _text(world: World, content: Message) -> Message:
    del world
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise ApiError(40008)
    if len(text.encode()) > TEXT_BYTES:
        raise ApiError(45002)
    return {"kind": "text", "text": text}


def _image(world: World, content: Message) -> Message:
    media = content.get("media_id")
    if media not in world.state.media:
        raise ApiError(40007)
    return {"kind": "image", "url": f"{world.config.origin}/mmbiz_pic/{media}/0", "media": media}


def _news(world: World, content: Message) -> Message:
    del world
    articles = content.get("articles")
    if not isinstance(articles, list) or len(articles) != 1 or not isinstance(articles[0], dict):
        raise ApiError(45008)
    names = {"title": "title", "description": "description", "picture": "picurl", "url": "url"}
    return {"kind": "news", "articles": [{ours: str(articles[0].get(name, "")) for ours, name in names.items()}]}


def _menu(world: World, content: Message) -> Message:
    """A question with answers to touch: each is a link that writes its words for the person."""
    del world
    entries = content.get("list")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ApiError(40008)
    links = [
        f'<a href="weixin://bizmsgmenu?{escape(_answer(entry))}">{escape(str(entry.get("content", "")))}</a>'
        for entry in entries
    ]
    lines = [str(content.get("head_content", "")), *links, str(content.get("tail_content", ""))]
    return {"kind": "text", "text": "\n".join(filter(None, lines))}


def _answer(entry: dict[str, Any]) -> str:
    return urlencode({"msgmenuid": entry.get("id", ""), "msgmenucontent": entry.get("content", "")})


KINDS = {"text": _text, "image": _image, "news": _news, "msgmenu": _menu}


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
