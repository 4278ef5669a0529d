"""What a backend may answer to a push: read, checked as WeChat checks, turned into a chat message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import crypto, media, xml
from .state import Message, Phone
from .world import World

TEXT_BYTES = 2048
# Answers to these carry one article at most.
ONE_ARTICLE = ("text", "image", "voice", "video", "shortvideo", "location", "link")

Reader = Callable[[World, dict[str, Any], dict[str, Any]], Message]


class BadReply(ValueError):
    """An answer WeChat can't use: the person sees that the service is out of order."""


class Dropped(ValueError):
    """An answer WeChat silently does not deliver."""


def read(world: World, phone: Phone, body: str, sent: dict[str, Any]) -> Message | None:
    """The message to show (type and fields), or None for `success` and the empty answer."""
    if body.strip() in ("", "success"):
        return None
    try:
        fields = xml.parse(body)
    except xml.XmlError as error:
        raise BadReply(str(error)) from error
    fields = _opened(world, fields)
    if fields.get("ToUserName") != phone.openid or fields.get("FromUserName") != world.config.account_id:
        raise BadReply("ToUserName or FromUserName of the reply is not the other way round")
    if fields.get("MsgType") == "transfer_customer_service":
        return None
    reader = READERS.get(str(fields.get("MsgType")))
    if reader is None:
        raise BadReply(f"MsgType {fields.get('MsgType')!r} is unknown to the simulator")
    return reader(world, fields, sent)


def _opened(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    """The plain fields of a reply, its signature and appid verified when it is encrypted."""
    mode = world.state.settings.mode
    if "Encrypt" not in fields:
        if mode == "safe":
            raise BadReply("plain reply in safe mode")
        return fields
    if mode == "plain":
        raise BadReply("encrypted reply in plain mode")
    parts = (str(fields.get("TimeStamp")), str(fields.get("Nonce")), str(fields["Encrypt"]))
    if fields.get("MsgSignature") != crypto.sign(world.config.token, *parts):
        raise BadReply("MsgSignature of the reply is wrong")
    try:
        return xml.parse(crypto.decrypt(parts[2], world.config.aes_key, world.config.appid))
    except (crypto.CryptoError, xml.XmlError) as error:
        raise BadReply(f"encrypted reply: {error}") from error


def _text(world: World, fields: dict[str, Any], sent: dict[str, Any]) -> Message:
    del world, sent
    content = fields.get("Content")
    if not isinstance(content, str) or not content:
        raise BadReply("text reply without Content")
    if len(content.encode()) > TEXT_BYTES:
        raise BadReply(f"text reply over {TEXT_BYTES} bytes")
    return {"type": "text", "text": content}


def _media(kind: str) -> Reader:
    """A reply of one media id, in an element of the kind's name."""

    def read(world: World, fields: dict[str, Any], sent: dict[str, Any]) -> Message:
        del sent
        inner = _inner(fields, kind.capitalize())
        facts = media.shown(world, inner.get("MediaId"), kind)
        if facts is None:
            raise BadReply(f"{kind} reply with an unknown MediaId")
        if facts["mime"] == "image/gif":
            raise BadReply("image reply with a GIF")
        if kind == "video":
            facts |= {"title": str(inner.get("Title") or ""), "description": str(inner.get("Description") or "")}
        return {"type": kind, **facts}

    return read


def _music(world: World, fields: dict[str, Any], sent: dict[str, Any]) -> Message:
    del sent
    inner = _inner(fields, "Music")
    thumb = media.shown(world, inner.get("ThumbMediaId"), "thumb")
    if thumb is None:
        raise BadReply("music reply with an unknown ThumbMediaId")
    names = {"title": "Title", "description": "Description", "url": "MusicUrl", "hq": "HQMusicUrl"}
    return {"type": "music", "thumb": thumb["url"], **{o: str(inner.get(t) or "") for o, t in names.items()}}


def _inner(fields: dict[str, Any], name: str) -> dict[str, Any]:
    inner = fields.get(name)
    return inner if isinstance(inner, dict) else {}


def _news(world: World, fields: dict[str, Any], sent: dict[str, Any]) -> Message:
    del world
    holder = fields.get("Articles")
    items = holder.get("item") if isinstance(holder, dict) else None
    articles = items if isinstance(items, list) else [items]
    if not all(isinstance(item, dict) for item in articles) or str(len(articles)) != str(fields.get("ArticleCount")):
        raise BadReply("news reply whose ArticleCount is not its number of items")
    if len(articles) > (1 if sent["MsgType"] in ONE_ARTICLE else 8):
        raise Dropped(f"{len(articles)} articles are too many here; not delivered")
    return {"type": "news", "articles": [_article(item) for item in articles if isinstance(item, dict)]}


def _article(item: dict[str, Any]) -> dict[str, str]:
    names = {"title": "Title", "description": "Description", "picture": "PicUrl", "url": "Url"}
    return {ours: str(item.get(theirs) or "") for ours, theirs in names.items()}


READERS: dict[str, Reader] = {
    "text": _text,
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _media("video"),
    "music": _music,
    "news": _news,
}
