"""Makes values of WeChat's pushes, parsed by wechatpy; XML that can do harm is refused."""

from __future__ import annotations

import re
from xml.parsers import expat

from wechatpy import parse_message

from wechat.kinds import EVENTS, MESSAGES, Fields, other_event, other_message, text_at
from wechat.messages import Inbound

OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEPTH = 8
LATEST = 2**40  # seconds; later is not a time
ABOUT_SOMEBODY = {"user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"}
SAID = (("Content",), ("Recognition",), ("Label",), ("Title",), ("Description",), ("SendLocationInfo", "Label"))


class BadMessage(Exception):
    """Not a message: broken or dangerous XML, or a field that WeChat would never send so."""


def parse(xml: str) -> Inbound:
    """The message or event in ``xml``. Raises BadMessage and nothing else."""
    _guard(xml)
    try:
        parsed = parse_message(xml)
        data: Fields = parsed._data
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


def _built(data: Fields, kind: str) -> Inbound:
    event = text_at(data, "Event").lower() if text_at(data, "MsgType").lower() == "event" else ""
    sender, account, created = (text_at(data, name) for name in ("FromUserName", "ToUserName", "CreateTime"))
    about = text_at(data, "OpenID") if event in ABOUT_SOMEBODY else ""  # these may come in WeChat's own name
    if not all(OPENID.fullmatch(name) for name in (sender, account, about or sender)):
        raise BadMessage("names")
    if not (created.isascii() and created.isdigit()) or int(created) > LATEST:
        raise BadMessage("time")
    common = {
        "openid": about or sender,
        "account": account,
        "created_at": int(created),
        "identity": _identity(data, sender, created, event),
        "words": "\n".join(words for path in SAID if (words := text_at(data, *path))),
    }
    if event:
        return EVENTS.get(event, other_event)(data, common)
    return MESSAGES.get(kind, other_message)(data, common)


def _identity(data: Fields, sender: str, created: str, event: str) -> tuple[str, ...]:
    """MsgId, CreateTime and sender of a message (people who speak at once can share a MsgId: WxJava 333).

    Of an event also what it is about: a position told by itself shares its second with a tap (weixin-java-tools 66).
    """
    if not event:
        return (sender, created, text_at(data, "MsgId"))
    nested = (text_at(data, "ScanCodeInfo", "ScanResult"), text_at(data, "SubscribeMsgSentEvent", "List", "MsgID"))
    named = (text_at(data, name) for name in ("EventKey", "MsgID", "MsgId", "OpenID", "Ticket"))
    return (sender, created, event, *named, *nested)
