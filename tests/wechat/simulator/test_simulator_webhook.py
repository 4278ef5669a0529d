"""Pushes in all modes to a server that reads them with wechatpy, and what becomes of its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from tests.wechat.simulator.conftest import Sim

MENU = {
    "button": [
        {"type": "click", "name": "帮助", "key": "help"},
        {"name": "更多", "sub_button": [{"type": "view", "name": "页", "url": "http://127.0.0.1/x"}]},
        {"type": "scancode_waitmsg", "name": "扫码", "key": "scan"},
    ]
}


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_text_is_pushed_and_answered(sim: Sim, mode: str) -> None:
    sim.post("/settings", {"mode": mode})
    sim.post("/phones/li-na/follow")
    told = sim.post("/phones/li-na/text", {"content": "a <b> & 你好"})["delivery"]
    assert (told["verdict"], told["reply"]["text"]) == ("ok", "you said a <b> & 你好")
    query = sim.toy.queries[-1]
    assert query["openid"] == "oSimParent000000000000000001"
    assert ("msg_signature" in query, query.get("encrypt_type")) == (
        (False, None) if mode == "plain" else (True, "aes")
    )
    assert [(m["from"], m["type"]) for m in sim.chat("li-na")] == [
        ("account", "text"),
        ("me", "text"),
        ("account", "text"),
    ]


def test_events_of_a_menu_and_a_scan(sim: Sim) -> None:
    sim.api("POST", "/cgi-bin/menu/create", MENU)
    sim.post("/phones/li-na/follow")
    for entry, more in (("0", {}), ("1/0", {}), ("scan", {"picture": "patient-2001"})):
        assert sim.post("/phones/li-na/tap", {"entry": entry, **more})["delivery"]["verdict"] == "ok"
    click, view, scan = sim.toy.received[-3:]
    assert (click.event, click.key) == ("click", "help")
    assert (view.event, view.url) == ("view", "http://127.0.0.1/x")
    assert (scan.event, scan.key, scan.scan_type, scan.scan_result) == ("scancode_waitmsg", "scan", "qrcode", "HP-2001")


def test_image_can_be_fetched_both_ways(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    sim.post("/phones/li-na/image", {"picture": "patient-2001"})
    message = sim.toy.wait_for("image")
    original = (sim.config.qr_dir / "patient-2001.png").read_bytes()
    assert sim.session.get(message.image, timeout=60).content == original
    query = {"access_token": sim.token(), "media_id": message.media_id}
    assert sim.session.get(f"{sim.origin}/cgi-bin/media/get", params=query, timeout=60).content == original
    sim.clock.time += 3 * 86400 + 1
    query["access_token"] = sim.token()
    assert sim.session.get(f"{sim.origin}/cgi-bin/media/get", params=query, timeout=60).json()["errcode"] == 40007


def test_follow_by_code_scan_and_leave(sim: Sim) -> None:
    sim.post("/phones/li-na/follow", {"scene": "desk1"})
    assert sim.toy.received[-1].scene_id == "desk1"
    assert sim.post("/phones/li-na/follow") == {"delivery": None}
    assert sim.post("/phones/li-na/follow", {"scene": "desk2"})["delivery"]["event"] == "SCAN"
    told = sim.post("/phones/li-na/unfollow")["delivery"]
    assert (told["event"], told["reply"]) == ("unsubscribe", None)
    assert sim.get("/state")["chats"]["li-na"] == [], "the phone forgets the chat"


@pytest.mark.parametrize(
    ("behave", "attempts", "verdict"),
    [
        ("500", 3, "HTTP 500"),
        ("slow", 3, "no answer within 0.2 s"),
        ("nonsense", 1, "bad reply: not XML"),
        ("plain", 1, "bad reply: plain reply in safe mode"),
        ("wrong-signature", 1, "bad reply: MsgSignature"),
    ],
)
def test_a_bad_server_is_shown_to_the_person(sim: Sim, behave: str, attempts: int, verdict: str) -> None:
    sim.post("/phones/li-na/follow")
    if behave == "slow":
        sim.post("/settings", {"webhook_timeout": 0.2})
    before = len(sim.toy.received)
    sim.toy.becomes(behave)
    told = sim.post("/phones/li-na/text", {"content": "hello"})["delivery"]
    with sim.toy.arrived:  # the last try may still be on its way when it is given up
        assert sim.toy.arrived.wait_for(lambda: len(sim.toy.received) == before + attempts, 60)
    sim.toy.becomes("reply")
    assert told["verdict"].startswith(verdict)
    assert told["attempts"] == attempts
    assert sim.chat("li-na")[-1]["type"] == "notice"
    assert sim.chat("li-na")[-1]["text"] == "该公众号提供的服务出现故障，请稍后再试"
    tries = sim.toy.received[before:]
    assert len({(m.id, m.create_time) for m in tries}) == 1, "a retry is the same message"


def test_a_server_that_is_down(sim: Sim) -> None:
    sim.world.config = replace(sim.world.config, webhook="http://127.0.0.1:9/wechat")
    told = sim.post("/phones/li-na/follow")["delivery"]
    assert (told["attempts"], told["status"]) == (3, 0)


def test_success_shows_nothing(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    sim.toy.behave = "success"
    assert sim.post("/phones/li-na/text", {"content": "hello"})["delivery"] | {"status": 0} == {
        "verdict": "ok",
        "attempts": 1,
        "status": 0,
        "event": "text",
        "reply": None,
    }


def test_one_article_is_shown_two_are_dropped(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    sim.toy.behave = "news1"
    reply = sim.post("/phones/li-na/text", {"content": "hello"})["delivery"]["reply"]
    assert (reply["type"], reply["articles"][0]["title"]) == ("news", "标题")
    sim.toy.behave = "news2"
    told = sim.post("/phones/li-na/text", {"content": "hello"})["delivery"]
    assert told["verdict"].startswith("dropped")
    assert sim.chat("li-na")[-1]["from"] == "me"


def test_url_check(sim: Sim) -> None:
    assert sim.post("/verify-url")["verdict"] == "ok"
    sim.toy.behave = "nonsense"
    assert sim.post("/verify-url")["verdict"] == "the answer is not the echostr"


def test_everything_is_in_the_log(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    sim.api("GET", "/cgi-bin/menu/get")
    entries = {(e["direction"], e.get("event") or e["path"].partition("?")[0]): e for e in sim.get("/log")["log"]}
    assert entries["out", "subscribe"]["verdict"] == "ok"
    assert "<Event>" in entries["out", "subscribe"]["request"]
    assert entries["in", "/cgi-bin/menu/get"]["verdict"] == "46003 menu no exist"
    assert sim.config.secret not in str(entries)


def test_an_unknown_picture_does_not_exist(sim: Sim) -> None:
    assert requests.get(f"{sim.origin}/mmbiz_pic/none/0", timeout=60).status_code == 404
