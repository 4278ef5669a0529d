"""Calls of WeChat's API: where they go, how long they take, and what becomes of every kind of failure."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from config import redis
from tests.wechat.conftest import Answer, Api, Call
from wechat import client as module
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable
from wechat.errors import (
    AddressRefused,
    BadCredentials,
    Busy,
    NoSuchMedia,
    NotAllowed,
    NotReachable,
    QuotaUsed,
    StaleToken,
    TooFast,
    TooLarge,
)
from wechat.limits import Limits

SECRET = "the-secret-of-the-account"
MENU = "/cgi-bin/menu/get"


class Tokens:
    """token-1, and after that token-2, token-3 ..."""

    def __init__(self) -> None:
        self.number = 1
        self.stale: list[str] = []

    def current(self) -> str:
        return f"token-{self.number}"

    def renewed(self, stale: str) -> str:
        self.stale.append(stale)
        self.number += 1
        return self.current()


def make(origin: str) -> WeChatClient:
    made = WeChatClient("wx1", SECRET, origin, Limits(redis.connect("redis://127.0.0.1:9/0"), "wx1"))
    made.tokens = Tokens()
    return made


def test_the_origin_decides_and_the_token_is_sent(api: Api) -> None:
    api.routes[MENU] = {"menu": {}}
    assert make(api.origin).call("get", "menu/get") == {"menu": {}}
    assert api.calls[0].query == {"access_token": "token-1"}


def test_what_wechatpy_hard_codes_follows_the_origin_too(api: Api) -> None:
    api.routes["/cgi-bin/token"] = {"access_token": "x", "expires_in": 7200}
    made = make(api.origin)
    made._api._http.get("https://api.weixin.qq.com/cgi-bin/token")
    assert len(api.made("/cgi-bin/token")) == 1


def test_chinese_is_sent_as_it_is(api: Api) -> None:
    """WeChat takes a menu with \\u escapes for an error (40033)."""
    api.routes["/cgi-bin/menu/create"] = {"errcode": 0}
    make(api.origin).call("post", "menu/create", {"name": "扫码"})
    assert "扫码".encode() in api.calls[0].body


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_refused_token_is_renewed_once(api: Api, code: int) -> None:
    def answer(call: Call) -> Answer:
        return {"ok": 1} if call.query["access_token"] == "token-2" else {"errcode": code, "errmsg": "no"}

    api.routes[MENU] = answer
    made = make(api.origin)
    assert made.call("get", "menu/get") == {"ok": 1}
    assert made.tokens.stale == ["token-1"]  # type: ignore[attr-defined]


def test_a_token_refused_for_ever_ends_after_two_calls(api: Api) -> None:
    """wechatpy recurses here without end."""
    api.routes[MENU] = {"errcode": 40001, "errmsg": "invalid credential rid: 647861e7-232b69aa-0f7213be"}
    with pytest.raises(WeChatError) as caught:
        make(api.origin).call("get", "menu/get")
    assert (caught.value.code, caught.value.rid) == (40001, "647861e7-232b69aa-0f7213be")
    assert caught.value.message == "invalid credential"
    assert len(api.calls) == 2


def test_another_error_is_not_tried_again(api: Api) -> None:
    api.routes[MENU] = {"errcode": "45009", "errmsg": "reach max api daily quota limit"}
    with pytest.raises(WeChatError, match="45009"):
        make(api.origin).call("get", "menu/get")
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40001, StaleToken),
        (40125, BadCredentials),
        (40164, AddressRefused),
        (45009, QuotaUsed),
        (45011, TooFast),
        (48001, NotAllowed),
        (43004, NotReachable),
        (47003, WeChatError),
    ],
)
def test_each_kind_of_refusal_has_its_exception(api: Api, code: int, kind: type[WeChatError]) -> None:
    api.routes[MENU] = {"errcode": code, "errmsg": "no rid: 647861e7-232b69aa-0f7213be"}
    with pytest.raises(WeChatError) as caught:
        make(api.origin).call("get", "menu/get")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.rid) == (code, "647861e7-232b69aa-0f7213be")


def test_busy_is_tried_again_with_pauses(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(module, "sleep", slept.append)

    def answer(call: Call) -> Answer:
        return {"ok": 1} if len(api.made(MENU)) == 3 else {"errcode": -1, "errmsg": "system error"}

    api.routes[MENU] = answer
    assert make(api.origin).call("get", "menu/get") == {"ok": 1}
    assert slept == [0.2, 0.8]
    api.routes[MENU] = {"errcode": -1, "errmsg": "system error"}
    with pytest.raises(Busy):
        make(api.origin).call("get", "menu/get")
    assert len(api.made(MENU)) == 6


def test_calls_are_counted_by_path_and_outcome(api: Api) -> None:
    def counted(outcome: str) -> float:
        labels = {"path": MENU, "outcome": outcome}
        return REGISTRY.get_sample_value("clinic_wechat_call_seconds_count", labels) or 0.0

    before = [counted(outcome) for outcome in ("ok", "43003", "unavailable")]
    made = make(api.origin)
    api.routes[MENU] = {"menu": {}}
    made.call("get", "menu/get")
    for wrong in ({"errcode": 43003, "errmsg": "require https"}, 500):
        api.routes[MENU] = wrong
        with pytest.raises((WeChatError, WeChatUnavailable)):
            made.call("get", "menu/get")
    after = [counted(outcome) for outcome in ("ok", "43003", "unavailable")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]


@pytest.mark.parametrize(
    "answer",
    [500, 404, 301, b"<html>", b"[]", b"null", b"\xff\xfe", b'"x"', b'{"errcode": "many"}', b'{"errcode": null}'],
)
def test_unreadable_answers(api: Api, answer: Any) -> None:
    api.routes[MENU] = answer
    with pytest.raises(WeChatUnavailable):
        make(api.origin).call("get", "menu/get")


def test_nobody_there_and_no_secret_in_the_error() -> None:
    with pytest.raises(WeChatUnavailable) as caught:
        make("http://127.0.0.1:9").exchange("code")
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.fixture
def silent() -> Iterator[str]:
    """The origin of a server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_every_call_has_a_time_limit(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", (0.2, 0.2))
    made = make(silent)
    http: Any = made._api._http
    start = time.monotonic()
    calls: list[Callable[[], object]] = [
        lambda: made.call("get", "menu/get"),
        made.stable_token,
        lambda: made.exchange("code"),
    ]
    for call in calls:
        with pytest.raises(WeChatUnavailable):
            call()
    with pytest.raises(OSError, match="timed out"):
        http.get("https://api.weixin.qq.com/cgi-bin/token")  # wechatpy gives this one no limit
    assert time.monotonic() - start < 60, "none waits as long as the server does"


def test_exchange(api: Api) -> None:
    api.routes["/sns/oauth2/access_token"] = {"openid": "o1"}
    assert make(api.origin).exchange("c0de") == {"openid": "o1"}
    query = {"appid": "wx1", "secret": SECRET, "code": "c0de", "grant_type": "authorization_code"}
    assert api.calls[0].query == query


def test_a_proxy_on_the_way_to_wechat_is_not_asked_for_another_origin(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    api.routes[MENU] = {"menu": {}}
    assert make(api.origin).call("get", "menu/get") == {"menu": {}}


MEDIA = "/cgi-bin/media/get"


def test_a_file_is_downloaded(api: Api) -> None:
    for file in (b"\xff\xd8" + b"x" * 200_000, b'{"kind": "a file that is JSON"}', b"{" + b"x" * 10_000, b""):
        api.routes[MEDIA] = file
        assert make(api.origin).download("media/get", 300_000, 5, media_id="m1") == file
    assert api.calls[-1].query == {"media_id": "m1", "access_token": "token-1"}


@pytest.mark.parametrize(("code", "kind"), [(40007, NoSuchMedia), (45009, QuotaUsed), (48001, NotAllowed)])
def test_no_file_but_an_error(api: Api, code: int, kind: type[WeChatError]) -> None:
    api.routes[MEDIA] = {"errcode": code, "errmsg": "no, rid: 1-2-3"}
    with pytest.raises(kind) as raised:
        make(api.origin).download("media/get", 1000, 5, media_id="m1")
    assert raised.value.rid == "1-2-3"


def test_a_stale_token_is_renewed_for_a_file_too(api: Api) -> None:
    def answer(call: Call) -> Answer:
        stale: Answer = {"errcode": 40001, "errmsg": "stale"}
        return stale if call.query["access_token"] == "token-1" else b"file"

    api.routes[MEDIA] = answer
    assert make(api.origin).download("media/get", 1000, 5, media_id="m1") == b"file"
    api.routes[MEDIA] = {"errcode": 42001, "errmsg": "stale"}
    with pytest.raises(StaleToken):
        make(api.origin).download("media/get", 1000, 5, media_id="m1")
    assert len(api.made(MEDIA)) == 4


def test_a_file_that_is_too_large_slow_or_away(api: Api) -> None:
    api.routes[MEDIA] = b"x" * 1001
    with pytest.raises(TooLarge):
        make(api.origin).download("media/get", 1000, 5, media_id="m1")
    with pytest.raises(WeChatUnavailable, match="slow"):
        make(api.origin).download("media/get", 2000, 0, media_id="m1")
    for status in (302, 404, 500):
        api.routes[MEDIA] = status
        with pytest.raises(WeChatUnavailable, match="bad-status"):
            make(api.origin).download("media/get", 1000, 5, media_id="m1")
    with pytest.raises(WeChatUnavailable) as raised:
        make("http://127.0.0.1:9").download("media/get", 1000, 5, media_id="m1")
    assert "token" not in str(raised.value)
