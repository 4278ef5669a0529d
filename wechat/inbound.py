"""Makes values of WeChat's pushes, read in one pass; XML that can do harm is refused."""

from __future__ import annotations

import re
from xml.parsers import expat

from wechat.kinds import EVENTS, MESSAGES, Fields, notices_told, other_event, other_message, text_at
from wechat.messages import Inbound

GOOD = r"\t\n\x20-\x5c\x5e-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"  # that XML leaves as they are; "]" may end a CDATA
PLAIN = GOOD.replace(r"\x20-\x5c", r"\x20-\x25\x27-\x3b\x3d-\x5c")  # without "&" and "<"
FIELD = rf"<([A-Za-z_]+)>(?:<!\[CDATA\[([{GOOD}]*)\]\]>|([{PLAIN}]*))</\1>"
FLAT, FIELDS = re.compile(rf"<xml>[ \t\n]*(?:{FIELD}[ \t\n]*)*</xml>[ \t\n]*"), re.compile(FIELD)
OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SEALED = re.compile(rb"<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]+)\]\]></Encrypt>")
DEPTH = 8
TIME = re.compile(r"[0-9]{1,13}")
LATEST = 2**40  # seconds; later is not a time
ABOUT_SOMEBODY = {"user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"}
SAID = ("Content", "Recognition", "Label", "Title", "Description")


class BadMessage(Exception):
    """Not a message: broken or dangerous XML, or a field that WeChat would never send so."""


def parse(xml: str | bytes) -> Inbound:
    """The message or event in ``xml``. Raises BadMessage and nothing else."""
    fields = read(xml)
    kind = text_at(fields, "MsgType").lower()
    if not kind:
        raise BadMessage("type")
    return _built(fields, kind)


def encrypted_part(xml: bytes) -> str:
    """The ``Encrypt`` element of a push; empty when there is none. Raises BadMessage.

    Written as WeChat does, it is taken as it stands: what is around it is not signed, and not used.
    """
    found = SEALED.search(xml)
    return found[1].decode() if found else text_at(read(xml), "Encrypt")


def read(xml: str | bytes) -> Fields:
    """The elements inside ``<xml>`` by name: text without the spaces around it (None when empty), a dict or a list.

    The shape is that of wechatpy's parser. Raises BadMessage for XML that is broken, declares a document type (so no
    entities either) or is nested deeper than any push.
    """
    fields = _flat(xml)
    return _by_expat(xml) if fields is None else fields


def _flat(xml: str | bytes) -> Fields | None:
    """The fields of what is written as WeChat writes most pushes, without depth or anything to be unescaped, by an
    expression in a third of the time; None for all else."""
    try:
        text = xml.decode() if isinstance(xml, bytes) else xml
    except UnicodeDecodeError:
        return None
    if FLAT.fullmatch(text) is None:
        return None
    found = FIELDS.findall(text, len("<xml>"))
    fields: Fields = {name: (quoted or plain).strip() or None for name, quoted, plain in found}
    return fields if len(fields) == len(found) else None


def _by_expat(xml: str | bytes) -> Fields:
    """What ``read`` says, of any XML, in one pass."""
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = tree.down, tree.up
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = tree.text, tree.doctype
    try:
        parser.Parse(xml.encode() if isinstance(xml, str) else xml, True)
    except (expat.ExpatError, UnicodeEncodeError):
        raise BadMessage("xml") from None
    fields = (tree.inside[0] or {}).get("xml")
    return fields if isinstance(fields, dict) else {}


class _Tree:
    """What is open while expat reads: the children found so far, and the text, of each element."""

    def __init__(self) -> None:
        self.inside: list[Fields | None] = [None]
        self.texts = [""]

    def down(self, _name: str, _attributes: object) -> None:
        if len(self.inside) > DEPTH:
            raise BadMessage("depth")
        self.inside.append(None)
        self.texts.append("")

    def text(self, data: str) -> None:
        self.texts[-1] += data

    def up(self, name: str) -> None:
        children, text = self.inside.pop(), self.texts.pop().strip()
        value = text or None if children is None else children
        siblings = self.inside[-1]
        if siblings is None:
            self.inside[-1] = {name: value}
        elif name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]

    def doctype(self, *_: object) -> None:
        raise BadMessage("doctype")


def _event(data: Fields) -> str:
    """The event's name in lower case; following by a scene or a product's code has a name of its own (wechatpy's)."""
    event, key = text_at(data, "Event").lower(), text_at(data, "EventKey")
    if event != "subscribe":
        return event
    if key.startswith("qrscene_"):
        data["EventKey"] = key.removeprefix("qrscene_")
        return "subscribe_scan"
    return "subscribe_scan_product" if key.startswith(("scanbarcode|", "scanimage|")) else event


def _built(data: Fields, kind: str) -> Inbound:
    event = _event(data) if kind == "event" else ""
    sender, account, created = text_at(data, "FromUserName"), text_at(data, "ToUserName"), text_at(data, "CreateTime")
    about = text_at(data, "OpenID") if event in ABOUT_SOMEBODY else ""  # these may come in WeChat's own name
    if not (OPENID.fullmatch(sender) and OPENID.fullmatch(account) and OPENID.fullmatch(about or sender)):
        raise BadMessage("names")
    if not TIME.fullmatch(created) or int(created) > LATEST:
        raise BadMessage("time")
    common = {
        "openid": about or sender,
        "account": account,
        "created_at": int(created),
        "identity": _identity(data, sender, created, event),
        "words": _words(data),
    }
    if event:
        return EVENTS.get(event, other_event)(data, common)
    return MESSAGES.get(kind, other_message)(data, common)


def _words(data: Fields) -> str:
    said = [words for name in SAID if name in data and (words := text_at(data, name))]
    if "SendLocationInfo" in data:
        said.append(text_at(data, "SendLocationInfo", "Label"))
    return "\n".join(filter(None, said))


def _identity(data: Fields, sender: str, created: str, event: str) -> tuple[str, ...]:
    """MsgId, CreateTime and sender of a message (people who speak at once can share a MsgId: WxJava 333).

    Of an event also what it is about: a position told by itself shares its second with a tap (weixin-java-tools 66).
    """
    if not event:
        return (sender, created, text_at(data, "MsgId"))
    nested = (text_at(data, "ScanCodeInfo", "ScanResult"), *notices_told(data))
    named = (text_at(data, name) for name in ("EventKey", "MsgID", "MsgId", "OpenID", "Ticket"))
    return (sender, created, event, *named, *nested)
