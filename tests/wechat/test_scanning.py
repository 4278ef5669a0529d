"""Reading codes from pictures, fetching pictures, tickets for codes, and signing pages that open the scanner."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from redis import Redis

from tests.wechat.conftest import Api, Room
from wechat import pictures, qr
from wechat.jssdk import sign
from wechat.pictures import Pictures
from wechat.tickets import Tickets


def picture(content: str = "QR-0001", kind: str = "PNG", **options: Any) -> bytes:
    """A picture of a code, grey and turned a little, as a photo is."""
    raw = io.BytesIO()
    segno.make(content, error="M").save(raw, kind="png", scale=8, border=8)
    made = io.BytesIO()
    Image.open(raw).convert("RGB").rotate(7, fillcolor="white").save(made, kind, **options)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_decode(kind: str) -> None:
    assert qr.decode(picture(kind=kind)) == ["QR-0001"]


def test_decode_chinese_and_several() -> None:
    one, two = (Image.open(io.BytesIO(picture(content))) for content in ("QR-0001", "二号"))
    both = Image.new("RGB", (one.width + two.width, max(one.height, two.height)), "white")
    both.paste(one, (0, 0))
    both.paste(two, (one.width, 0))
    made = io.BytesIO()
    both.save(made, "PNG")
    assert sorted(qr.decode(made.getvalue())) == ["QR-0001", "二号"]


def test_decode_a_large_photo() -> None:
    made = io.BytesIO()
    Image.open(io.BytesIO(picture())).convert("RGB").resize((6000, 6000)).save(made, "JPEG", quality=60)
    assert qr.decode(made.getvalue()) == ["QR-0001"]


def bomb(side: int) -> bytes:
    """A small PNG that says it is ``side`` pixels wide and high."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1_000_000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [6_000, 12_000, 60_000])
def test_a_bomb_is_not_unpacked(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[object] = []
    monkeypatch.setattr(Image.Image, "convert", lambda image, _: unpacked.append(image))
    assert qr.decode(bomb(side)) == []
    assert unpacked == []


@given(st.binary(max_size=300) | st.integers(0, 200).map(lambda end: picture()[:end]))
def test_anything_else_holds_no_code(data: bytes) -> None:
    assert qr.decode(data) == []


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://api.test:8100/pic/1", "http://api.test:8100/pic/1"),
        ("http://mmbiz.qpic.cn/mmbiz_jpg/x/0", "https://mmbiz.qpic.cn/mmbiz_jpg/x/0"),
        ("https://mmbiz.qpic.cn/x", "https://mmbiz.qpic.cn/x"),
        ("http://api.test:8101/pic/1", None),
        ("https://api.test:8100/pic/1", None),
        ("http://user@api.test:8100/pic/1", None),
        ("http://127.0.0.1/", None),
        ("http://evil-qpic.cn/", None),
        ("http://mmbiz.qpic.cn.evil.example/", None),
        ("http://a@mmbiz.qpic.cn/", None),
        ("http://mmbiz.qpic.cn:6379/", None),
        ("http://evil.example#.qpic.cn", None),
        ("http://evil.example\\.qpic.cn", None),
        ("file:///etc/passwd", None),
        ("ftp://mmbiz.qpic.cn/", None),
        ("http://[", None),
        ("http://x:y/", None),
        ("", None),
    ],
)
def test_where_pictures_are_fetched(url: str, address: str | None) -> None:
    assert Pictures("http://api.test:8100").address(url) == address


def test_fetch(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.routes |= {"/ok": b"picture", "/moved": 302, "/big": b"x" * 1001}
    monkeypatch.setattr(pictures, "BYTES", 1000)
    port = Pictures(api.origin)
    assert port.fetch(f"{api.origin}/ok") == b"picture"
    for path in ("/missing", "/moved", "/big"):
        assert port.fetch(api.origin + path) is None
    assert Pictures("http://127.0.0.1:9").fetch("http://127.0.0.1:9/ok") is None


def test_a_slow_picture_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "DEADLINE", -1.0)
    api.routes["/ok"] = b"picture"
    assert Pictures(api.origin).fetch(f"{api.origin}/ok") is None


def test_tickets(room: Room, store: Redis) -> None:
    tickets = room.service.tickets
    first, second = tickets.put("QR-0001"), tickets.put("QR-0001")
    assert first
    assert second
    assert first != second
    assert tickets.get(first) == "QR-0001"
    assert 590 < store.ttl(f"wechat:ticket:{first}") <= 600
    assert "QR-0001" not in str(store.get(f"wechat:ticket:{first}"))
    for unknown in ("", "x" * 1000, "\0", "*"):
        assert tickets.get(unknown) is None
    store.set("wechat:ticket:odd", "not ours")
    assert tickets.get("odd") is None


def test_tickets_without_redis(no_store: Redis, room: Room) -> None:
    assert Tickets(no_store).put("QR-0001") is None
    assert Tickets(no_store).get("x") is None


def test_page_config(room: Room, api: Api) -> None:
    api.routes["/cgi-bin/ticket/getticket"] = {"errcode": 0, "ticket": "t1", "expires_in": 7200}
    url = "http://127.0.0.1:8000/children/bind?a=b"
    config = room.service.jssdk.config(url + "#x")
    assert config
    assert config["appId"] == "wx5f0c1de9a7b34286"
    assert config["signature"] == sign("t1", config["nonceStr"], config["timestamp"], url)


def test_page_config_when_wechat_is_down(room: Room, api: Api) -> None:
    api.routes["/cgi-bin/stable_token"] = 500
    assert room.service.jssdk.config("http://127.0.0.1:8000/") is None
