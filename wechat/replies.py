"""Answers in the chat as WeChat's XML. Built here: wechatpy does not escape ``]]>``, and encrypts the empty answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUCCESS = "success"  # WeChat's word for "received, nothing to say"; never encrypted
TEXT_BYTES = 2048
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Nothing:
    """Received; nothing is said."""

    def xml(self, *, to: str, sender: str, at: int) -> str:  # noqa: ARG002
        """Empty."""
        return ""


@dataclass(frozen=True)
class TextReply:
    """A text; may hold ``<a href>`` links. Cut at a character when longer than WeChat shows."""

    text: str

    def xml(self, *, to: str, sender: str, at: int) -> str:
        """The reply's XML; ``at`` in seconds since 1970."""
        return _envelope(to, sender, at, "text", _element("Content", cut(self.text, TEXT_BYTES)))


@dataclass(frozen=True)
class NewsReply:
    """One article card (WeChat takes one in an answer) that opens ``url``."""

    title: str
    description: str
    url: str
    picture: str = ""

    def xml(self, *, to: str, sender: str, at: int) -> str:
        """The reply's XML; ``at`` in seconds since 1970."""
        parts = {"Title": self.title, "Description": self.description, "PicUrl": self.picture, "Url": self.url}
        item = "".join(_element(name, value) for name, value in parts.items())
        articles = f"<ArticleCount>1</ArticleCount><Articles><item>{item}</item></Articles>"
        return _envelope(to, sender, at, "news", articles)


@dataclass(frozen=True)
class PassOn:
    """The message goes to the people who answer in the chat for the hospital (客服)."""

    def xml(self, *, to: str, sender: str, at: int) -> str:
        """The reply's XML; ``at`` in seconds since 1970."""
        return _envelope(to, sender, at, "transfer_customer_service", "")


Reply = Nothing | TextReply | NewsReply | PassOn


def cut(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` bytes of UTF-8, ending at a character."""
    return text.encode(errors="ignore")[:limit].decode(errors="ignore")


def _element(name: str, text: str) -> str:
    """An element around any text: what ends a CDATA section is split over two, what XML can't hold is left out."""
    safe = NOT_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>"


def _envelope(to: str, sender: str, at: int, kind: str, body: str) -> str:
    """The names come from a push, whose reader takes only letters, digits, - and _ (wechat/inbound.py)."""
    return (
        f"<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{body}</xml>"
    )
