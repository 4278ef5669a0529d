"""Pushes as values: what is read, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wechat.conftest import OPENID, push_xml
from wechat.inbound import (
    BadMessage,
    Clicked,
    Followed,
    Inbound,
    OtherEvent,
    OtherMessage,
    Picture,
    Scanned,
    TemplateFinished,
    Text,
    Unfollowed,
    parse,
)


@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        ({"MsgType": "text", "Content": "挂号", "MsgId": 1}, Text, {"words": "挂号"}),
        ({"MsgType": "image", "PicUrl": "http://x/1", "MsgId": 1}, Picture, {"url": "http://x/1"}),
        ({"MsgType": "voice", "Recognition": "抽搐", "MsgId": 1}, OtherMessage, {"words": "抽搐", "kind": "voice"}),
        ({"MsgType": "location", "Label": "南礼士路", "MsgId": 1}, OtherMessage, {"words": "南礼士路"}),
        ({"MsgType": "link", "Title": "a", "Description": "b", "MsgId": 1}, OtherMessage, {"words": "a\nb"}),
        ({"MsgType": "hologram", "MsgId": 1}, OtherMessage, {"kind": "hologram"}),
        ({"MsgType": "event", "Event": "subscribe", "EventKey": ""}, Followed, {}),
        ({"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_7", "Ticket": "t"}, Followed, {}),
        ({"MsgType": "event", "Event": "subscribe", "EventKey": "scanbarcode|EAN|1"}, Followed, {}),
        ({"MsgType": "event", "Event": "unsubscribe", "EventKey": ""}, Unfollowed, {}),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "help"}, Clicked, {"key": "help"}),
        ({"MsgType": "event", "Event": "VIEW", "EventKey": "http://x"}, OtherEvent, {"event": "view"}),
        ({"MsgType": "event", "Event": "LOCATION", "Latitude": "1"}, OtherEvent, {"event": "location"}),
        ({"MsgType": "event", "Event": "never_seen"}, OtherEvent, {"event": "never_seen"}),
        (
            {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 7, "Status": "failed:user block"},
            TemplateFinished,
            {"message_id": "7", "status": "failed:user block"},
        ),
    ],
)
def test_every_kind(fields: dict[str, Any], kind: type[Inbound], expected: dict[str, str]) -> None:
    message = parse(push_xml(fields))
    assert type(message) is kind
    assert (message.openid, message.created_at) == (OPENID, 1714112440)
    assert {name: getattr(message, name) for name in expected} == expected


def scan(kind: str, result: str) -> str:
    info = {"ScanType": kind, "ScanResult": result}
    message = parse(push_xml({"MsgType": "event", "Event": "scancode_waitmsg", "EventKey": "k", "ScanCodeInfo": info}))
    assert isinstance(message, Scanned)
    return message.code


def test_scanned_codes() -> None:
    assert scan("qrcode", " QR,0001 ") == "QR,0001"
    assert scan("barcode", "CODE_128,0001") == "0001"


def test_identity_tells_messages_apart() -> None:
    def identity(**fields: Any) -> tuple[str, ...]:
        return parse(push_xml({"MsgType": "text", "Content": "x", "MsgId": 1, **fields})).identity

    assert identity() == identity(Content="y")
    others = [
        identity(FromUserName="oSomebodyElse"),  # people who speak at once can share a MsgId
        identity(CreateTime=1714112441),
        identity(MsgId=2),
        identity(MsgType="event", Event="CLICK", EventKey="a"),
        identity(MsgType="event", Event="CLICK", EventKey="b"),
        identity(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID="7"),
        identity(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID="8"),
    ]
    assert len({identity(), *others}) == 8


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><MsgType>&b;</MsgType></xml>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>'


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "hello",
        "<xml/>",
        "<xml></xml><xml/>",
        "<html><MsgType>text</MsgType></html>",
        "<xml><MsgType><a/></MsgType></xml>",
        LAUGHS,
        OUTSIDE,
        "<!DOCTYPE xml>" + push_xml({"MsgType": "text"}),
        push_xml({"MsgType": "text"}).replace("</xml>", "<a>" * 50 + "</a>" * 50 + "</xml>"),
        push_xml({}),
        push_xml({"MsgType": "text", "FromUserName": ""}),
        push_xml({"MsgType": "text", "FromUserName": "o" * 65}),
        push_xml({"MsgType": "text", "FromUserName": "a b"}),
        push_xml({"MsgType": "text", "CreateTime": "soon"}),
        push_xml({"MsgType": "text", "CreateTime": "9" * 30}),
        push_xml({"MsgType": "text", "CreateTime": "٣"}),
        "<xml>\ud800</xml>",
    ],
)
def test_refused(xml: str) -> None:
    with pytest.raises(BadMessage):
        parse(xml)


@pytest.mark.parametrize("name", ["MsgType", "Event", "EventKey", "Content", "MsgId", "ScanCodeInfo"])
def test_doubled_and_nested_fields(name: str) -> None:
    """wechatpy's parser gives a list or a dict for these."""
    for odd in (f"<{name}>a</{name}><{name}>b</{name}>", f"<{name}><a>b</a></{name}>", f"<{name}/>"):
        xml = push_xml({"MsgType": "event", "Event": "scancode_waitmsg"}).replace("</xml>", odd + "</xml>")
        try:
            parse(xml)
        except BadMessage:
            continue


NAMES = [
    "MsgType",
    "Event",
    "EventKey",
    "Content",
    "MsgId",
    "CreateTime",
    "FromUserName",
    "ScanCodeInfo",
    "a",
    "@b",
    "#text",
]
VALUES = st.sampled_from(["event", "text", "subscribe", "TEMPLATESENDJOBFINISH", "1", ""]) | st.text(max_size=20)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES | st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))


@given(FIELDS)
def test_any_fields_are_read_or_bad(fields: dict[str, Any]) -> None:
    try:
        parse(push_xml(fields))
    except BadMessage:
        return


@given(st.text(max_size=300))
def test_any_text_is_bad(text: str) -> None:
    with pytest.raises(BadMessage):
        parse(text)
