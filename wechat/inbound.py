"""What people send and do in the chat, parsed by wechatpy into small frozen values; XML that can do harm is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from wechatpy import parse_message

OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEPTH = 8
LATEST = 2**40  # seconds; later is not a time


class BadMessage(Exception):
    """Not a message: broken or dangerous XML, or a field that WeChat would never send so."""


@dataclass(frozen=True)
class Inbound:
    """What every message and event has.

    ``identity`` is the same for every delivery of one message, and differs between messages: MsgId alone is shared by
    messages of different people, and two events of one person can share a second. ``words`` is everything in it that a
    person said or wrote.
    """

    openid: str
    account: str
    created_at: int
    identity: tuple[str, ...] = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True)
class Text(Inbound):
    """A typed message; its content is ``words``."""


@dataclass(frozen=True)
class Picture(Inbound):
    """A picture, to be had from ``url`` for three days."""

    url: str = ""


@dataclass(frozen=True)
class OtherMessage(Inbound):
    """A message of any other type: voice, video, place, link, or one that came later than this code."""

    kind: str = ""


@dataclass(frozen=True)
class Followed(Inbound):
    """The person follows the account."""


@dataclass(frozen=True)
class Unfollowed(Inbound):
    """The person no longer follows the account."""


@dataclass(frozen=True)
class Clicked(Inbound):
    """A menu entry of type click was tapped."""

    key: str = ""


@dataclass(frozen=True)
class Scanned(Inbound):
    """A menu entry scanned a code and waits for the answer (scancode_waitmsg)."""

    key: str = ""
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class TemplateFinished(Inbound):
    """WeChat tells how a template message ended; ``status`` is ``success`` or begins with ``failed``."""

    message_id: str = ""
    status: str = ""


@dataclass(frozen=True)
class OtherEvent(Inbound):
    """An event that needs no answer, known (VIEW, LOCATION) or not."""

    event: str = ""


def parse(xml: str) -> Inbound:
    """The message or event in ``xml``. Raises BadMessage and nothing else."""
    _guard(xml)
    try:
        parsed = parse_message(xml)
        data: Mapping[str, Any] = parsed._data
        return _built(data, str(parsed.type))
    except BadMessage:
        raise
    except Exception as error:  # wechatpy meets odd input with whatever error comes up
        raise BadMessage(type(error).__name__) from None


def encrypted_part(xml: str) -> str:
    """The ``Encrypt`` element of a push; empty when there is none. Raises BadMessage."""
    return _guard(xml)


def _guard(xml: str) -> str:
    """Refuse XML that is broken, declares a document type (so no entities either) or is nested deeper than any push.

    Returns the text of its ``Encrypt`` element.
    """
    path: list[str] = []
    sealed: list[str] = []

    def down(name: str, _: object) -> None:
        path.append(name)
        if len(path) > DEPTH:
            raise BadMessage("depth")

    def text(data: str) -> None:
        if path == ["xml", "Encrypt"]:
            sealed.append(data)

    def doctype(*_: object) -> None:
        raise BadMessage("doctype")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = down, lambda _: path.pop()
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, doctype
    try:
        parser.Parse(xml.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        raise BadMessage("xml") from None
    return "".join(sealed).strip()


def _text(data: Any, *path: str) -> str:
    """The text at a path of elements; empty when it is missing or not plain text."""
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) else ""


def _built(data: Mapping[str, Any], kind: str) -> Inbound:
    openid, account, created = (_text(data, name) for name in ("FromUserName", "ToUserName", "CreateTime"))
    if not OPENID.fullmatch(openid) or not OPENID.fullmatch(account):
        raise BadMessage("names")
    if not (created.isascii() and created.isdigit()) or int(created) > LATEST:
        raise BadMessage("time")
    event = _text(data, "Event").lower() if _text(data, "MsgType").lower() == "event" else ""
    names = ["FromUserName", "CreateTime", *(["Event", "EventKey", "MsgID"] if event else ["MsgId"])]
    common = {
        "openid": openid,
        "account": account,
        "created_at": int(created),
        "identity": (*(_text(data, name) for name in names), _text(data, "ScanCodeInfo", "ScanResult")),
        "words": _words(data),
    }
    if event:
        return _EVENTS.get(event, _other_event)(data, common)
    return _MESSAGES.get(kind, _other_message)(data, common)


def _words(data: Mapping[str, Any]) -> str:
    paths = (("Content",), ("Recognition",), ("Label",), ("Title",), ("Description",), ("SendLocationInfo", "Label"))
    return "\n".join(words for path in paths if (words := _text(data, *path)))


Builder = Callable[[Mapping[str, Any], dict[str, Any]], Inbound]


def _other_event(data: Mapping[str, Any], common: dict[str, Any]) -> Inbound:
    return OtherEvent(**common, event=_text(data, "Event").lower())


def _other_message(data: Mapping[str, Any], common: dict[str, Any]) -> Inbound:
    return OtherMessage(**common, kind=_text(data, "MsgType").lower())


def _scanned(data: Mapping[str, Any], common: dict[str, Any]) -> Inbound:
    code = _text(data, "ScanCodeInfo", "ScanResult")
    if _text(data, "ScanCodeInfo", "ScanType") == "barcode":
        code = code.rpartition(",")[2]  # a bar code comes as "CODE_128,value"
    return Scanned(**common, key=_text(data, "EventKey"), code=code.strip())


_MESSAGES: dict[str, Builder] = {
    "text": lambda data, common: Text(**common),  # noqa: ARG005
    "image": lambda data, common: Picture(**common, url=_text(data, "PicUrl")),
}
_EVENTS: dict[str, Builder] = {
    "subscribe": lambda data, common: Followed(**common),  # noqa: ARG005
    "subscribe_scan": lambda data, common: Followed(**common),  # noqa: ARG005 - wechatpy's name for following by QR code
    "subscribe_scan_product": lambda data, common: Followed(**common),  # noqa: ARG005
    "unsubscribe": lambda data, common: Unfollowed(**common),  # noqa: ARG005
    "click": lambda data, common: Clicked(**common, key=_text(data, "EventKey")),
    "scancode_waitmsg": _scanned,
    "templatesendjobfinish": lambda data, common: TemplateFinished(
        **common, message_id=_text(data, "MsgID"), status=_text(data, "Status")
    ),
}
