"""Answers are well-formed XML whatever stands in them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from wechat.replies import NOT_XML, NewsReply, Nothing, TextReply, cut


def rendered(reply: TextReply | NewsReply) -> dict[str, Any]:
    root = ElementTree.fromstring(reply.xml(to="oA", sender="gh_b", at=7))
    parsed = {element.tag: element.text or "" for element in root.iter()}
    assert (parsed["ToUserName"], parsed["FromUserName"], parsed["CreateTime"]) == ("oA", "gh_b", "7")
    return parsed


def test_a_text_cannot_end_its_section() -> None:
    """wechatpy's own reply breaks here."""
    text = "a]]></Content><MsgType>]]>b<![CDATA[c"
    assert rendered(TextReply(text))["Content"] == text


@given(st.text(max_size=100))
def test_any_text(text: str) -> None:
    got = rendered(TextReply(text))["Content"]
    assert got == NOT_XML.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def test_cut_at_a_character() -> None:
    assert cut("孩子", 5) == "孩"
    assert cut("孩子", 6) == "孩子"
    content = rendered(TextReply("孩" * 1000))["Content"]
    assert content == "孩" * 682


def test_news() -> None:
    parsed = rendered(NewsReply("标题", "]]>", "https://a/?b=1&c=2"))
    assert parsed["ArticleCount"] == "1"
    names = ("Title", "Description", "PicUrl", "Url")
    assert [parsed[name] for name in names] == ["标题", "]]>", "", "https://a/?b=1&c=2"]


def test_nothing_is_empty() -> None:
    assert Nothing().xml(to="oA", sender="gh_b", at=7) == ""
