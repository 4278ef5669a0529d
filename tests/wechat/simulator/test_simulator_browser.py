"""The phone's browser: sessions apart, WeChat's headers, addresses mapped, bodies streamed."""

from __future__ import annotations

import http.client
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import AES_KEY, APPID, SECRET, TOKEN
from wechat.simulator import cookies
from wechat.simulator.addresses import rewrite_html, rewrite_policy, to_account, to_phone
from wechat.simulator.config import Config

CONFIG = Config(APPID, SECRET, TOKEN, AES_KEY)
HOME = "http://li-na.localhost:8100"


def test_two_phones_never_share_a_session(sim: Sim) -> None:
    first = sim.phone("li-na", "/page")
    assert "<p>1</p>" in first.text
    assert "Set-Cookie" not in first.headers
    assert "<p>2</p>" in sim.phone("li-na", "/page", headers={"Cookie": "count=40"}).text
    assert "<p>1</p>" in sim.phone("zhang-wei", "/page").text
    assert sim.phone("li-na", "/echo").json()["cookies"] == {"count": "2"}


def test_headers_are_wechats(sim: Sim) -> None:
    home = sim.config.phone_origin("li-na")
    shell = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": sim.origin + "/", "sec-ch-ua": "x"}
    sim.phone("li-na", "/echo", headers=shell)
    sent = sim.toy.requests[-1]
    assert "MicroMessenger/" in sent["User-Agent"]
    assert "Android" in sent["User-Agent"]
    assert sent["User-Agent"].endswith("Language/zh_CN ABI/arm64")
    assert sent["Host"] == sim.config.domain
    assert (sent["Sec-Fetch-Dest"], sent["Sec-Fetch-Site"]) == ("document", "none")
    assert "Referer" not in sent
    assert "Sec-Ch-Ua" not in sent
    sim.post("/settings", {"language": "en"})
    sim.phone("zhang-wei", "/echo", "POST", headers={"Origin": sim.config.phone_origin("zhang-wei")}, data={"a": "b"})
    sent = sim.toy.requests[-1]
    assert "iPhone" in sent["User-Agent"]
    assert sent["Accept-Language"].startswith("en")
    assert sent["Origin"] == sim.config.backend
    sim.phone("li-na", "/echo", headers={"Referer": f"{home}/page?x=1"})
    assert sim.toy.requests[-1]["Referer"] == f"{sim.config.backend}/page?x=1"


def test_path_query_and_form_arrive_as_sent(sim: Sim) -> None:
    home, backend = (quote(origin, safe="") for origin in (sim.config.phone_origin("li-na"), sim.config.backend))
    answer = sim.phone("li-na", f"/echo?a=%2F+%E4%BD%A0&url={home}%2Fx")
    assert answer.json()["url"] == f"/echo?a=%2F+%E4%BD%A0&url={backend}%2Fx"
    assert sim.phone("li-na", "/echo", "POST", data={"a": "1&2"}).json()["form"] == {"a": "1&2"}


def test_pages_fit_into_the_frame(sim: Sim) -> None:
    page, home = sim.phone("li-na", "/page"), sim.config.phone_origin("li-na")
    assert "X-Frame-Options" not in page.headers
    assert page.headers["Content-Security-Policy"] == f"default-src 'self' {home}"
    assert f"<a href='{home}/next'>" in page.text
    assert f"<i>{sim.config.backend}0</i>" in page.text, "another port is another site"


def test_the_title_bar_is_told(sim: Sim) -> None:
    seq = sim.world.seq
    sim.phone("li-na", "/page")
    pages = [data for _, kind, data in sim.world.events_after(seq, 1) or [] if kind == "page"]
    assert [(p["phone"], p["title"], p["url"]) for p in pages] == [("li-na", "页 & 1", f"{sim.config.backend}/page")]


def test_a_stream_is_not_held_back(sim: Sim) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(sim.config.port), timeout=60)
    connection.request("GET", "/stream", headers={"Host": f"li-na.localhost:{sim.config.port}"})
    answer = connection.getresponse()
    assert answer.getheader("Content-Type", "").startswith("text/event-stream")
    assert answer.read1(100) == b"data: one\n\n", "the first part comes before the second is made"
    with sim.toy.arrived:
        sim.toy.settings["go"] = "yes"
        sim.toy.arrived.notify_all()
    assert answer.read() == b"data: two\n\n"
    connection.close()


def test_a_backend_that_is_down(sim: Sim) -> None:
    sim.world.config = replace(sim.world.config, backend="http://127.0.0.1:9")
    page = sim.phone("li-na", "/page")
    assert page.status_code == 502
    assert "网页无法打开" in page.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/a", "/a"),
        ("http://127.0.0.1:8000", HOME),
        ("http://127.0.0.1:8000/a?b=1#c", f"{HOME}/a?b=1#c"),
        ("http://127.0.0.1:80001/a", "http://127.0.0.1:80001/a"),
        ("http://127.0.0.1:8100/connect/oauth2/authorize?x", f"{HOME}/.wechat/connect/oauth2/authorize?x"),
        ("https://open.weixin.qq.com/connect/oauth2/authorize?x", f"{HOME}/.wechat/connect/oauth2/authorize?x"),
        ("https://example.org/", "https://example.org/"),
    ],
)
def test_where_addresses_stand(url: str, shown: str) -> None:
    assert to_phone(CONFIG, "li-na", url) == shown
    if url.startswith(CONFIG.backend + "/"):
        assert to_account(CONFIG, "li-na", shown) == url


PIECES = [
    "http://127.0.0.1:8000",
    "http://127.0.0.1:80001",
    "http://127.0.0.1",
    "/a'",
    "https://open.weixin.qq.com",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.integers(1, 30))
def test_a_page_is_rewritten_the_same_however_it_is_cut(pieces: list[str], size: int) -> None:
    page = " ".join(pieces).encode()
    chunks = [page[start : start + size] for start in range(0, len(page), size)]
    rewritten = b"".join(rewrite_html(CONFIG, "li-na", chunks)).decode()
    wanted = {"http://127.0.0.1:8000": HOME, "https://open.weixin.qq.com": f"{HOME}/.wechat"}
    assert rewritten == " ".join(wanted.get(piece, piece) for piece in pieces)


def test_policy() -> None:
    policy = "script-src 'self' https://res.wx.qq.com; upgrade-insecure-requests; frame-ancestors 'self'; img-src *"
    assert rewrite_policy(CONFIG, "li-na", policy) == f"script-src 'self' {HOME}; img-src *"


def test_cookie_jar() -> None:
    jar = cookies.take(
        [], ["a=1; Path=/; HttpOnly", "b=2; Path=/deep", "c=3; Max-Age=10", 'd="q r"; Path=/'], "/x/y", 100.0
    )
    assert cookies.header(jar, "/x/z", 105.0) == 'c=3; a=1; d="q r"'
    assert cookies.header(jar, "/deep", 111.0) == 'b=2; a=1; d="q r"'
    assert cookies.header(jar, "/deeper", 111.0) == 'a=1; d="q r"'
    jar = cookies.take(jar, ["a=; Path=/; Max-Age=0", "d=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/", 105.0)
    assert cookies.header(jar, "/deep", 105.0) == "b=2"
