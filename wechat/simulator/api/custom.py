"""The kinds of customer-service messages: each checked as WeChat checks it, and as the chat shows it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlencode

from .. import media
from ..errors import ApiError
from ..world import World

TEXT_BYTES = 2048
Message = dict[str, Any]
Reader = Callable[[World, Message], Message]


def _text(world: World, content: Message) -> Message:
    del world
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise ApiError(40008)
    if len(text.encode()) > TEXT_BYTES:
        raise ApiError(45002)
    return {"kind": "text", "text": text}


def _media(kind: str) -> Reader:
    def read(world: World, content: Message) -> Message:
        facts = media.shown(world, content.get("media_id"), kind)
        if facts is None:
            raise ApiError(40007)
        return {"kind": kind, **facts}

    return read


def _video(world: World, content: Message) -> Message:
    facts = media.shown(world, content.get("media_id"), "video")
    if facts is None:
        raise ApiError(40007)
    words = {name: str(content.get(name) or "") for name in ("title", "description")}
    return {"kind": "video", **facts, **words, "thumb": _thumb(world, content) if "thumb_media_id" in content else ""}


def _thumb(world: World, content: Message) -> str:
    """The address of the thumbnail, which may be a picture as well."""
    name = content.get("thumb_media_id")
    facts = media.shown(world, name, "thumb") or media.shown(world, name, "image")
    if facts is None:
        raise ApiError(40007)
    return str(facts["url"])


def _music(world: World, content: Message) -> Message:
    if not content.get("musicurl"):
        raise ApiError(40008)
    names = {"title": "title", "description": "description", "url": "musicurl", "hq": "hqmusicurl"}
    return {"kind": "music", "thumb": _thumb(world, content), **_named(content, names)}


def _mini_program(world: World, content: Message) -> Message:
    names = {"title": "title", "appid": "appid", "path": "pagepath"}
    if not content.get("appid") or not content.get("pagepath"):
        raise ApiError(40008)
    return {"kind": "miniprogram", "thumb": _thumb(world, content), **_named(content, names)}


def _card(world: World, content: Message) -> Message:
    del world
    if not content.get("card_id"):
        raise ApiError(40008)
    return {"kind": "card", "title": str(content["card_id"])}


def _published(name: str, code: int) -> Reader:
    """Articles of the account's own: the simulator has none, so their id is always unknown."""

    def read(world: World, content: Message) -> Message:
        del world
        raise ApiError(code if content.get(name) else 40008)

    return read


def _named(content: Message, names: dict[str, str]) -> Message:
    return {ours: str(content.get(theirs) or "") for ours, theirs in names.items()}


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


def staffed(body: Message) -> Message:
    """Who of the account's people writes, when the call says so."""
    person = body.get("customservice")
    return {"by": str(person["kf_account"])} if isinstance(person, dict) and person.get("kf_account") else {}


KINDS: dict[str, Reader] = {
    "text": _text,
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _video,
    "music": _music,
    "news": _news,
    "msgmenu": _menu,
    "miniprogrampage": _mini_program,
    "wxcard": _card,
    "mpnews": _published("media_id", 40007),
    "mpnewsarticle": _published("article_id", 53600),
}
