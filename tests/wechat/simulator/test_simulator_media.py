"""Media of every kind: uploaded and fetched, sent by people, and sent to them as answers and by customer service."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.wechat.simulator.conftest import Sim
from wechat.simulator import media
from wechat.simulator.replies import BadReply, read

LI_NA = "oSimParent000000000000000001"
MP3 = b"\xff\xfb\x90\x00" + bytes(16000)  # 128 kbit/s: a second


def picture(kind: str, size: int = 40) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((size, size), 90).convert("RGB").save(out, kind)
    return out.getvalue()


def upload(sim: Sim, kind: str, raw: bytes | None) -> dict[str, Any]:
    files = {"media": ("x", raw)} if raw is not None else None
    query = {"access_token": sim.token(), "type": kind}
    answer = sim.session.post(f"{sim.origin}/cgi-bin/media/upload", params=query, files=files, timeout=60)
    return dict(answer.json())


def name_of(sim: Sim, kind: str, raw: bytes) -> str:
    made = upload(sim, kind, raw)
    return str(made["thumb_media_id" if kind == "thumb" else "media_id"])


@pytest.mark.parametrize(
    ("kind", "raw", "mime"),
    [
        ("image", picture("PNG"), "image/png"),
        ("voice", media.spoken(3), "audio/amr"),
        ("voice", MP3, "audio/mpeg"),
        ("thumb", picture("JPEG"), "image/jpeg"),
    ],
)
def test_what_is_uploaded_can_be_fetched_for_three_days(sim: Sim, kind: str, raw: bytes, mime: str) -> None:
    name = name_of(sim, kind, raw)
    query = {"access_token": sim.token(), "media_id": name}
    answer = sim.session.get(f"{sim.origin}/cgi-bin/media/get", params=query, timeout=60)
    assert (answer.content, answer.headers["Content-Type"]) == (raw, mime)
    sim.clock.time += 3 * 86400 + 1
    assert sim.api("GET", "/cgi-bin/media/get", media_id=name)["errcode"] == 40007


def test_a_video_is_fetched_by_its_address(sim: Sim) -> None:
    name = name_of(sim, "video", media.film())
    address = sim.api("GET", "/cgi-bin/media/get", media_id=name)["video_url"]
    assert sim.session.get(address, timeout=60).content == media.film()


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("file", b"x", 40004),
        ("image", None, 41005),
        ("image", b"", 40009),
        ("image", b"no picture", 40005),
        ("voice", media.AMR + bytes(2 * media.MB), 40010),
        ("voice", b"RIFF....WAVE", 40005),
        ("voice", media.spoken(61), 45007),
        ("video", b"no video", 40005),
        ("video", media.film() + bytes(10 * media.MB), 40011),
        ("thumb", picture("PNG"), 40005),
        ("thumb", picture("JPEG", 600), 40012),
    ],
)
def test_what_is_refused(sim: Sim, kind: str, raw: bytes | None, code: int) -> None:
    assert upload(sim, kind, raw)["errcode"] == code


@pytest.mark.parametrize(
    ("verb", "body", "kind", "fields"),
    [
        ("voice", {"seconds": 4}, "voice", {"Format": "amr"}),
        ("video", {}, "video", {}),
        ("shortvideo", {}, "shortvideo", {}),
        (
            "location",
            {"latitude": 39.9117, "longitude": 116.3512, "label": "医院"},
            "location",
            {"Location_X": "39.9117", "Location_Y": "116.3512", "Scale": "16", "Label": "医院"},
        ),
        ("link", {"title": "T", "description": "D", "url": "http://x/"}, "link", {"Title": "T", "Url": "http://x/"}),
    ],
)
def test_what_people_send(sim: Sim, verb: str, body: dict[str, Any], kind: str, fields: dict[str, str]) -> None:
    sim.post("/phones/li-na/follow")
    assert sim.post(f"/phones/li-na/{verb}", body)["delivery"]["verdict"] == "ok"
    pushed = sim.toy.received[-1]._data
    assert pushed["MsgType"] == kind
    assert pushed["MsgId"]
    assert {name: pushed[name] for name in fields} == fields
    for name in {"MediaId", "ThumbMediaId"} & set(pushed):
        assert pushed[name] in sim.world.state.media
    mine = [message for message in sim.chat("li-na") if message["from"] == "me"]
    assert [message["type"] for message in mine] == [kind.replace("short", "")]


def test_wechat_listens_when_it_is_told_to(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    sim.post("/settings", {"recognition": "孩子发烧"})
    sim.post("/phones/li-na/voice")
    assert sim.toy.received[-1]._data["Recognition"] == "孩子发烧"


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("voice", {"seconds": 61}),
        ("voice", {"seconds": "x"}),
        ("location", {"latitude": 91, "longitude": 0}),
        ("location", {}),
        ("link", {"title": "T", "url": "javascript:x"}),
    ],
)
def test_what_people_can_not_send(sim: Sim, verb: str, body: dict[str, Any]) -> None:
    sim.post("/phones/li-na/follow")
    answer = sim.session.post(f"{sim.origin}/simulator/api/phones/li-na/{verb}", json=body, timeout=60)
    assert answer.status_code == 400


def test_menu_entries_that_choose_send_the_event_and_then_the_thing(sim: Sim) -> None:
    buttons = [
        {"name": "拍照", "type": "pic_sysphoto", "key": "p"},
        {"name": "位置", "type": "location_select", "key": "l"},
        {"name": "小程序", "type": "miniprogram", "appid": "wx1", "pagepath": "pages/a", "url": "http://x/"},
    ]
    assert sim.api("POST", "/cgi-bin/menu/create", {"button": buttons})["errcode"] == 0
    sim.post("/phones/li-na/follow")
    sim.toy.received.clear()
    sim.post("/phones/li-na/tap", {"entry": "p", "picture": "patient-2001"})
    sim.post("/phones/li-na/tap", {"entry": "l", "latitude": 39.9, "longitude": 116.3, "name": "医院"})
    sim.post("/phones/li-na/tap", {"entry": "2"})
    told = [message._data for message in sim.toy.received]
    assert [one.get("Event") or one["MsgType"] for one in told] == [
        "pic_sysphoto",
        "image",
        "location_select",
        "location",
        "view_miniprogram",
    ]
    assert told[0]["SendPicsInfo"]["Count"] == "1"
    assert told[2]["SendLocationInfo"]["Poiname"] == "医院"
    assert told[4]["EventKey"] == "pages/a"


def reply(sim: Sim, kind: str, **inner: Any) -> dict[str, Any] | None:
    """An answer of that kind, as the phone reads it."""
    sim.post("/settings", {"mode": "plain"})
    items = "".join(f"<{name}>{value}</{name}>" for name, value in inner.items())
    names = f"<ToUserName>{LI_NA}</ToUserName><FromUserName>{sim.config.account_id}</FromUserName>"
    body = f"<xml>{names}<MsgType>{kind}</MsgType><{kind.capitalize()}>{items}</{kind.capitalize()}></xml>"
    phone = sim.world.phone(LI_NA)
    assert phone
    return read(sim.world, phone, body, {"MsgType": "text"})


def test_answers_of_every_kind(sim: Sim) -> None:
    voice, video, thumb = (
        name_of(sim, kind, raw)
        for kind, raw in (("voice", media.spoken(2)), ("video", media.film()), ("thumb", picture("JPEG")))
    )
    spoken = reply(sim, "voice", MediaId=voice)
    assert spoken
    assert (spoken["type"], spoken["seconds"]) == ("voice", 2.0)
    film = reply(sim, "video", MediaId=video, Title="T", Description="D")
    assert film
    assert (film["type"], film["title"]) == ("video", "T")
    music = reply(sim, "music", Title="T", MusicUrl="http://x/", ThumbMediaId=thumb)
    assert music
    assert (music["type"], music["url"]) == ("music", "http://x/")


def test_answers_wechat_can_not_use(sim: Sim) -> None:
    gif, voice = name_of(sim, "image", picture("GIF")), name_of(sim, "voice", media.spoken(1))
    for kind, inner in (("image", {"MediaId": gif}), ("video", {"MediaId": voice}), ("music", {"MusicUrl": "x"})):
        with pytest.raises(BadReply):
            reply(sim, kind, **inner)


def test_customer_service_of_every_kind(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    voice, video, thumb = (
        name_of(sim, kind, raw)
        for kind, raw in (("voice", media.spoken(2)), ("video", media.film()), ("thumb", picture("JPEG")))
    )
    sent = {
        "voice": {"media_id": voice},
        "video": {"media_id": video, "thumb_media_id": thumb, "title": "T"},
        "music": {"musicurl": "http://x/", "thumb_media_id": thumb},
        "miniprogrampage": {"title": "T", "appid": "wx1", "pagepath": "p", "thumb_media_id": thumb},
        "wxcard": {"card_id": "c1"},
    }
    for kind, content in sent.items():
        sim.post("/phones/li-na/text", {"content": "hi"})
        body = {"touser": LI_NA, "msgtype": kind, kind: content, "customservice": {"kf_account": "a@b"}}
        assert sim.api("POST", "/cgi-bin/message/custom/send", body)["errcode"] == 0, kind
    shown = [message["type"] for message in sim.chat("li-na") if message.get("by") == "a@b"]
    assert shown == ["voice", "video", "music", "miniprogram", "card"]


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("voice", {"media_id": "none"}, 40007),
        ("video", {"media_id": "none"}, 40007),
        ("music", {"thumb_media_id": "none"}, 40008),
        ("music", {"musicurl": "x", "thumb_media_id": "none"}, 40007),
        ("miniprogrampage", {"title": "T"}, 40008),
        ("wxcard", {}, 40008),
        ("mpnews", {"media_id": "none"}, 40007),
        ("mpnewsarticle", {"article_id": "none"}, 53600),
    ],
)
def test_refused_customer_service(sim: Sim, kind: str, content: dict[str, Any], code: int) -> None:
    sim.post("/phones/li-na/follow")
    body = {"touser": LI_NA, "msgtype": kind, kind: content}
    assert sim.api("POST", "/cgi-bin/message/custom/send", body)["errcode"] == code
