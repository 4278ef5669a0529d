"""Pushes as values: what is read, and what is refused."""

from __future__ import annotations

from itertools import product
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message
from wechatpy.events import SubscribeScanEvent

from tests.wechat.conftest import ACCOUNT, OPENID, push_xml
from wechat.inbound import BadMessage, _by_expat, _flat, parse, read
from wechat.messages import (
    AccountVerified,
    AuthorizationCancelled,
    AuthorizationRevoked,
    Clicked,
    Followed,
    Inbound,
    Link,
    Located,
    MassSendFinished,
    MiniProgramOpened,
    OtherEvent,
    OtherMessage,
    PageOpened,
    Picture,
    PicturesChosen,
    Place,
    PlaceChosen,
    ProfileChanged,
    Scanned,
    ScanShown,
    SceneScanned,
    SubscriptionAnswer,
    SubscriptionResult,
    SubscriptionsAnswered,
    SubscriptionsSent,
    TemplateFinished,
    Text,
    Unfollowed,
    Video,
    Voice,
)


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"MsgType": "event", "Event": name, **fields}


CODE = {"ScanType": "qrcode", "ScanResult": "QR-1"}
PICTURES = {"Count": 1, "PicList": {"item": {"PicMd5Sum": "1b5f7c"}}}
PLACE = {"Location_X": "23", "Location_Y": "113", "Scale": "15", "Label": "南礼士路", "Poiname": ""}
ACCEPTED = {"TemplateId": "T1", "SubscribeStatusString": "accept", "PopupScene": "2"}
DECLINED = {"TemplateId": "T1", "SubscribeStatusString": "reject"}
NOTICED = {"TemplateId": "T1", "MsgID": "17", "ErrorCode": "0", "ErrorStatus": "success"}
ABOUT = {"FromUserName": "fromuser", "OpenID": "oAnother", "AppID": "wx1", "RevokeInfo": "301"}


@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        ({"MsgType": "text", "Content": "挂号", "bizmsgmenuid": "7"}, Text, {"words": "挂号", "menu_id": "7"}),
        ({"MsgType": "image", "PicUrl": "http://x/1", "MediaId": "m"}, Picture, {"url": "http://x/1", "media_id": "m"}),
        (
            {"MsgType": "voice", "Recognition": "抽搐", "Format": "amr", "MediaId": "m"},
            Voice,
            {"words": "抽搐", "media_id": "m", "format": "amr"},
        ),
        ({"MsgType": "video", "MediaId": "m", "ThumbMediaId": "t"}, Video, {"thumb_media_id": "t", "short": False}),
        ({"MsgType": "shortvideo", "MediaId": "m"}, Video, {"media_id": "m", "short": True}),
        (
            {"MsgType": "location", "Location_X": "23.1", "Location_Y": "x", "Label": "南礼士路"},
            Place,
            {"words": "南礼士路", "latitude": 23.1, "longitude": None},
        ),
        (
            {"MsgType": "link", "Title": "a", "Description": "b", "Url": "http://x"},
            Link,
            {"words": "a\nb", "url": "http://x"},
        ),
        ({"MsgType": "hologram"}, OtherMessage, {"kind": "hologram"}),
        (event("subscribe", EventKey=""), Followed, {"scene": ""}),
        (event("subscribe", EventKey="qrscene_7", Ticket="t"), Followed, {"scene": "7", "ticket": "t"}),
        (event("subscribe", EventKey="scanbarcode|EAN|1"), Followed, {"scene": ""}),
        (event("unsubscribe", EventKey=""), Unfollowed, {}),
        (event("SCAN", EventKey="7", Ticket="t"), SceneScanned, {"scene": "7", "ticket": "t"}),
        (
            event("LOCATION", Latitude="23.1", Longitude="113.3", Precision="119.4"),
            Located,
            {"latitude": 23.1, "longitude": 113.3, "precision": 119.4},
        ),
        (event("LOCATION", Latitude="nan", Longitude="1e999"), Located, {"latitude": None, "longitude": None}),
        (event("CLICK", EventKey="help"), Clicked, {"key": "help"}),
        (event("VIEW", EventKey="http://x", MenuId="4"), PageOpened, {"url": "http://x", "menu_id": "4"}),
        (event("view_miniprogram", EventKey="pages/1", MenuId="4"), MiniProgramOpened, {"path": "pages/1"}),
        (event("scancode_waitmsg", EventKey="k", ScanCodeInfo=CODE), Scanned, {"key": "k", "code": "QR-1"}),
        (event("scancode_push", EventKey="k", ScanCodeInfo=CODE), ScanShown, {"key": "k", "code": "QR-1"}),
        (
            event("pic_sysphoto", EventKey="k", SendPicsInfo=PICTURES),
            PicturesChosen,
            {"key": "k", "source": "camera", "digests": ("1b5f7c",)},
        ),
        (event("pic_photo_or_album", SendPicsInfo=PICTURES), PicturesChosen, {"source": "camera-or-album"}),
        (event("pic_weixin", SendPicsInfo=""), PicturesChosen, {"source": "album", "digests": ()}),
        (
            event("location_select", EventKey="k", SendLocationInfo=PLACE),
            PlaceChosen,
            {"key": "k", "latitude": 23.0, "longitude": 113.0, "words": "南礼士路", "name": ""},
        ),
        (
            event("TEMPLATESENDJOBFINISH", MsgID=7, Status="failed:user block"),
            TemplateFinished,
            {"message_id": "7", "status": "failed:user block"},
        ),
        (
            event("MASSSENDJOBFINISH", MsgID=8, Status="send success", SentCount=75, ErrorCount=5),
            MassSendFinished,
            {"message_id": "8", "sent": 75, "failed": 5},
        ),
        (
            event("subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": ACCEPTED}),
            SubscriptionsAnswered,
            {"answers": (SubscriptionAnswer("T1", True),), "changed": False},
        ),
        (
            event("subscribe_msg_change_event", SubscribeMsgChangeEvent={"List": DECLINED}),
            SubscriptionsAnswered,
            {"answers": (SubscriptionAnswer("T1", False),), "changed": True},
        ),
        (
            event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": NOTICED}),
            SubscriptionsSent,
            {"results": (SubscriptionResult("T1", "17", "0"),)},
        ),
        (event("user_info_modified", **ABOUT), ProfileChanged, {"openid": "oAnother"}),
        (event("user_authorization_revoke", **ABOUT), AuthorizationRevoked, {"openid": "oAnother", "info": "301"}),
        (event("user_authorization_cancellation", **ABOUT), AuthorizationCancelled, {"openid": "oAnother"}),
        (
            event("qualification_verify_success", ExpiredTime=1442401156),
            AccountVerified,
            {"step": "qualification", "succeeded": True, "expires_at": 1442401156},
        ),
        (
            event("naming_verify_fail", FailTime=1442401061, FailReason="by time"),
            AccountVerified,
            {"step": "naming", "succeeded": False, "failed_at": 1442401061, "reason": "by time"},
        ),
        (event("annual_renew", ExpiredTime="soon"), AccountVerified, {"step": "renewal", "expires_at": None}),
        (event("verify_expired"), AccountVerified, {"step": "expiry"}),
        (event("user_get_card", CardId="c"), OtherEvent, {"event": "user_get_card"}),
        (event("never_seen"), OtherEvent, {"event": "never_seen"}),
    ],
)
def test_every_kind(fields: dict[str, Any], kind: type[Inbound], expected: dict[str, Any]) -> None:
    message = parse(push_xml(fields))
    assert type(message) is kind
    assert (message.account, message.created_at) == (ACCOUNT, 1714112440)
    assert message.openid == expected.get("openid", OPENID)
    assert {name: getattr(message, name) for name in expected} == expected


def test_several_of_a_kind_in_one_event() -> None:
    one, other = "<List><TemplateId>a</TemplateId></List>", "<List><TemplateId>b</TemplateId></List>"
    xml = push_xml(event("subscribe_msg_popup_event", SubscribeMsgPopupEvent={"x": ""})).replace(
        "<x><![CDATA[]]></x>", one + other
    )
    message = parse(xml)
    assert isinstance(message, SubscriptionsAnswered)
    assert [answer.template_id for answer in message.answers] == ["a", "b"]


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
        identity(MsgType="event", Event="LOCATION"),  # told by itself, in the same second as a tap
        identity(MsgType="event", Event="user_authorization_revoke", OpenID="a"),  # all in WeChat's own name
        identity(MsgType="event", Event="user_authorization_revoke", OpenID="b"),
        identity(MsgType="event", Event="subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": {"MsgID": "1"}}),
        identity(MsgType="event", Event="subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": {"MsgID": "2"}}),
    ]
    assert len({identity(), *others}) == 13


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
        push_xml({"MsgType": "text", "CreateTime": "9" * 5000}),
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


LEAVES = st.text(max_size=20) | st.sampled_from(["", " a ", "]]>", "<b>"])
TREES = st.recursive(LEAVES, lambda inside: st.dictionaries(st.sampled_from("abc"), inside, max_size=3), max_leaves=8)


@given(st.lists(st.tuples(st.sampled_from(["MsgType", "Event", "a", "b"]), TREES), max_size=6))
def test_read_as_by_wechatpys_parser(children: list[tuple[str, Any]]) -> None:
    """Our one pass gives what xmltodict, which wechatpy parses with, gives: doubled, nested and empty elements too."""
    inside = (push_xml({name: value}).partition("</CreateTime>")[2].removesuffix("</xml>") for name, value in children)
    xml = f"<xml>{''.join(inside)}</xml>"
    try:
        theirs = xmltodict.parse(xml)["xml"]
    except ExpatError:
        with pytest.raises(BadMessage):
            read(xml)
        return
    assert without_text_between(read(xml)) == without_text_between(theirs if isinstance(theirs, dict) else {})


ODD = [
    *"<>&;]![/\t\r\n\0\x1f\x7f\x85\xa0\u2028\ufeff\ufffe\ud800\U0001f600",
    "&lt;",
    "&#13;",
    "]]>",
    "<b/>",
    "<![CDATA[",
]
BETWEEN = ["", "\t\n", "\x1f", "\x85", "&", "x", "<b/>", "<a>2</a>"]
AROUND = [("", ""), ("<![CDATA[", "]]>"), ("<!--", "-->")]


@pytest.mark.parametrize("name", ["a", "xml", "a b", "a1"])
@pytest.mark.parametrize(("before", "after"), AROUND)
def test_the_short_way_reads_as_the_long_one_or_leaves_it(name: str, before: str, after: str) -> None:
    for one, other, between in product(["", *ODD], ["孩", *ODD], BETWEEN):
        xml = f"<xml>{between}<{name}>{before}{one}{other}{after}</{name}> </xml>\n"
        short = _flat(xml)
        assert short is None or without_text_between(_by_expat(xml)) == short


def test_the_short_way_is_taken_for_what_comes_most() -> None:
    assert _flat(push_xml({"MsgType": "text", "Content": "孩子咳嗽 <b>&amp;"})) is not None
    assert _flat("<xml><a>&lt;</a></xml>") is None


def without_text_between(value: Any) -> Any:
    """The fields without the text that stands between elements, which no push has and nothing reads."""
    if isinstance(value, dict):
        return {name: without_text_between(inner) for name, inner in value.items() if name != "#text"}
    return [without_text_between(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("key", ["", "qrscene_7", "qrscene_qrscene_", "scanbarcode|EAN|1", "scanimage|x", "7"])
def test_ways_to_follow_are_named_as_by_wechatpy(key: str) -> None:
    xml = push_xml(event("subscribe", EventKey=key, Ticket="t"))
    theirs, ours = parse_message(xml), parse(xml)
    assert isinstance(ours, Followed)
    assert ours.scene == (theirs.scene_id if isinstance(theirs, SubscribeScanEvent) else "")


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
