"""The control API, the live feed, faults, and what a restart keeps."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.wechat.simulator.conftest import Clock, Sim
from wechat.simulator.config import Config, from_environment
from wechat.simulator.world import World

REQUIRED = {"WECHAT_APPID": "wx1", "WECHAT_SECRET": "s", "WECHAT_TOKEN": "t", "WECHAT_AES_KEY": "k" * 43}


def test_waiting_for_a_message_needs_no_sleep(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.extend(sim.chat("li-na", after=1, wait=10)))
    waiter.start()
    sim.post("/phones/li-na/text", {"content": "hello"})
    waiter.join(timeout=60)
    assert found[0]["text"] == "hello"
    assert sim.chat("li-na", after=found[-1]["n"] + 5, wait=0.05) == []


def test_the_seed(sim: Sim) -> None:
    phones = sim.get("/phones")["phones"]
    assert [p["id"] for p in phones[:6]] == ["li-na", "zhang-wei", "zhou-hui", "wu-min", "he-jun", "stranger"]
    assert [p["following"] for p in phones] == [False] * 3 + [True] * 2 + [False] + [True] * 15
    assert sim.get("/phones/oSimDoctor000000000000000012")["id"] == "doctor-12"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/phones/nobody/follow", {}, 404),
        ("/phones/li-na/text", {"content": "hello"}, 400),
        ("/phones/doctor-01/text", {"content": "  "}, 400),
        ("/phones/doctor-01/tap", {"entry": "7"}, 400),
        ("/phones/doctor-01/image", {"picture": "none"}, 400),
        ("/phones/li-na", {"openid": "x"}, 400),
        ("/settings", {"mode": "loud"}, 400),
        ("/settings", {"nothing": 1}, 400),
        ("/settings", {"fail_next": [{"path": "/x"}]}, 400),
        ("/reset", {"keep": ["everything"]}, 400),
    ],
)
def test_what_is_impossible_is_said(sim: Sim, path: str, body: dict[str, Any], status: int) -> None:
    answer = sim.session.post(f"{sim.origin}/simulator/api{path}", json=body, timeout=60)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_scanning_a_picture(sim: Sim) -> None:
    assert sim.post("/scan", {"picture": "patient-2001"}) == {"type": "qrcode", "result": "HP-2001"}
    picture = (sim.config.qr_dir / "patient-2001.png").read_bytes()
    answer = sim.session.post(f"{sim.origin}/simulator/api/scan", files={"image": picture}, timeout=60)
    assert answer.json()["result"] == "HP-2001"
    answer = sim.session.post(f"{sim.origin}/simulator/api/scan", files={"image": b"no picture"}, timeout=60)
    assert answer.json()["result"] is None


def test_faults(sim: Sim) -> None:
    path = "/cgi-bin/getcallbackip"
    sim.post("/settings", {"fail_next": [{"path": path, "errcode": 45009, "times": 2}, {"path": path, "errcode": -1}]})
    assert [sim.api("GET", path).get("errcode", 0) for _ in range(4)] == [45009, 45009, -1, 0]


def test_reset_keeps_what_it_is_told(sim: Sim) -> None:
    sim.api("POST", "/cgi-bin/menu/create", {"button": [{"type": "click", "name": "a", "key": "b"}]})
    sim.post("/phones/li-na/follow")
    sim.post("/reset", {"keep": ["menu"]})
    state = sim.get("/state")
    assert (state["menu"] is None, state["phones"][0]["following"], state["chats"]["li-na"]) == (False, False, [])
    sim.post("/reset")
    assert sim.get("/state")["menu"] is None


def test_the_feed_resumes_and_starts_anew(sim: Sim) -> None:
    feed = sim.get("/state")["feed"]
    sim.post("/phones/li-na/follow")

    def first_kind(after: str) -> str:
        with sim.session.get(
            f"{sim.origin}/simulator/live", params={"after": after}, stream=True, timeout=60
        ) as answer:
            lines = (line for line in answer.iter_lines(1, decode_unicode=True) if line.startswith("event: "))
            return str(next(lines)).removeprefix("event: ")

    assert first_kind(feed) == "phone"
    assert first_kind("another-7") == "reset"


def test_the_feed_wakes_who_waits(sim: Sim) -> None:
    asked, woken, seq = threading.Event(), threading.Event(), sim.world.seq

    def ready() -> bool:
        asked.set()
        return sim.world.seq > seq

    def wait() -> None:
        sim.world.wait(ready, 30)
        woken.set()

    threading.Thread(target=wait).start()
    assert asked.wait(5)
    sim.world.record("in", path="/x")
    assert woken.wait(5)


def test_pages_are_served(sim: Sim) -> None:
    for path in (
        "/",
        "/phones/li-na",
        "/mmhead/account.svg",
        "/mmhead/li-na.svg",
        "/qr/patient-2001",
        "/static/main.js",
    ):
        assert sim.session.get(sim.origin + path, timeout=60).status_code == 200, path
    for path in ("/phones/nobody", "/mmhead/nobody.svg", "/qr/none"):
        assert sim.session.get(sim.origin + path, timeout=60).status_code == 404, path
    opened = sim.session.get(
        f"{sim.origin}/phones/li-na/open",
        params={"url": f"{sim.config.backend}/page"},
        allow_redirects=False,
        timeout=5,
    )
    assert opened.headers["Location"] == f"{sim.config.phone_origin('li-na')}/page"
    assert "MicroMessenger" in sim.session.get(f"{sim.origin}/open/js/jweixin-1.6.0.js", timeout=60).text


def test_a_restart_keeps_the_world(config: Config) -> None:
    world = World(config, Clock())
    with world.change() as state:
        phone = state.phones["li-na"]
        phone.following, phone.cookies = True, [{"name": "a", "value": "1", "path": "/", "expires": None}]
        state.menu = {"button": []}
    world.add_message(phone, "me", "text", text="你好")
    last = world.next_id()
    world.close()
    again = World(config, Clock())
    phone = again.state.phones["li-na"]
    assert (phone.following, phone.cookies[0]["name"], phone.messages[0]["text"]) == (True, "a", "你好")
    assert again.state.menu == {"button": []}
    assert again.next_id() > last
    again.close()


def test_a_state_of_another_version_is_left_aside(config: Config) -> None:
    config.state.write_text('{"phones": {"li-na": {"shoe_size": 38}}}', encoding="utf-8")
    world = World(config, Clock())
    assert not world.state.phones["li-na"].following
    world.close()


@pytest.mark.parametrize("gone", list(REQUIRED))
def test_what_is_missing_is_named(gone: str) -> None:
    with pytest.raises(SystemExit, match=gone):
        from_environment({name: value for name, value in REQUIRED.items() if name != gone})


def test_environment() -> None:
    config = from_environment({**REQUIRED, "SIMULATOR_BACKEND": "http://127.0.0.1:9000/"})
    assert (config.backend, config.webhook, config.mode) == (
        "http://127.0.0.1:9000",
        "http://127.0.0.1:9000/wechat",
        "safe",
    )
    with pytest.raises(SystemExit, match="WECHAT_MODE"):
        from_environment({**REQUIRED, "WECHAT_MODE": "loud"})
