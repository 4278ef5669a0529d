"""Customer-service texts: only in answer, only as many as WeChat takes, and never a reason for a fault."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from redis import Redis

import config.redis
from tests.held import all_sent
from tests.wechat.conftest import OPENID, Api, Room, make_room, push_xml
from wechat import windows
from wechat.inbound import parse
from wechat.service import WeChatService
from wechat.webhook import Memory
from wechat.windows import Windows

SEND = "/cgi-bin/message/custom/send"
TEXT = {"MsgType": "text", "Content": "你好", "MsgId": 1}
CLICK = {"MsgType": "event", "Event": "CLICK", "EventKey": "x"}
FOLLOW = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
SCAN = {"MsgType": "event", "Event": "SCAN", "EventKey": "s", "Ticket": "t"}
VIEW = {"MsgType": "event", "Event": "VIEW", "EventKey": "http://x"}


def heard(store: Redis, *pushes: dict[str, Any]) -> None:
    for fields in pushes:
        Memory(store).claim(str(uuid4()), parse(push_xml(fields)))
    all_sent()


def left(store: Redis) -> int:
    """How many may be said, up to ten."""
    all_sent()
    return sum(Windows(store).spend(OPENID) for _ in range(10))


@pytest.mark.parametrize(
    ("push", "messages", "seconds"),
    [
        (TEXT, 5, 48 * 3600),
        ({"MsgType": "image", "PicUrl": "http://x", "MediaId": "m", "MsgId": 2}, 5, 48 * 3600),
        (CLICK, 3, 60),
        ({**CLICK, "Event": "scancode_waitmsg"}, 3, 60),
        ({**CLICK, "Event": "scancode_push"}, 3, 60),
        ({**TEXT, "bizmsgmenuid": "7"}, 3, 60),
        (FOLLOW, 3, 60),
        (SCAN, 3, 60),
        (VIEW, 0, 0),
        ({"MsgType": "event", "Event": "LOCATION"}, 0, 0),
        ({"MsgType": "event", "Event": "unsubscribe"}, 0, 0),
    ],
)
def test_what_opens_a_window(store: Redis, push: dict[str, Any], messages: int, seconds: int) -> None:
    heard(store, push)
    lives = [store.ttl(key) for key in store.scan_iter("wechat:window:*")]
    assert all(seconds - 5 < life <= seconds for life in lives)
    assert OPENID not in "".join(store.scan_iter())
    assert left(store) == messages


def test_a_retry_opens_no_window(store: Redis) -> None:
    memory, message = Memory(store), parse(push_xml(TEXT))
    assert memory.claim("wechat:seen:1", message)
    all_sent()
    assert Windows(store).spend(OPENID)
    assert not memory.claim("wechat:seen:1", message)
    assert left(store) == 4


def test_a_window_goes_with_the_next_question(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.redis, "Timer", Mock())  # nothing goes by itself
    memory = Memory(store)
    assert memory.claim("wechat:seen:1", parse(push_xml(TEXT)))
    assert store.keys() == ["wechat:seen:1"]
    memory.claim("wechat:seen:2", parse(push_xml(VIEW)))
    assert left(store) == 5


def test_windows_add_up_and_the_shorter_goes_first(store: Redis) -> None:
    heard(store, TEXT, CLICK)
    assert [Windows(store).spend(OPENID) for _ in range(3)] == [True] * 3
    assert store.get(windows._key(OPENID, "message")) == "5"
    assert left(store) == 5
    heard(store, TEXT)
    assert left(store) == 5


def test_a_text_is_said(store: Redis, room: Room, api: Api) -> None:
    api.routes[SEND] = {"errcode": 0, "errmsg": "ok"}
    answers = room.service.answers
    assert not answers.say(OPENID, "已保存")
    assert room.post(TEXT).status_code == 200  # the webhook notes it
    all_sent()
    assert answers.say(OPENID, "已保存" * 400)
    (call,) = api.made(SEND)
    assert call.json["touser"] == OPENID
    assert call.json["text"]["content"] == "已保存" * 227 + "已"  # 2,048 bytes


@pytest.mark.parametrize(("code", "again"), [(45015, False), (45047, False), (43004, False), (45002, True)])
def test_what_wechat_refuses_is_not_asked_again_in_vain(
    store: Redis, room: Room, api: Api, code: int, again: bool
) -> None:
    api.routes[SEND] = {"errcode": code, "errmsg": "no"}
    heard(store, TEXT)
    assert not room.service.answers.say(OPENID, "x")
    assert bool(left(store)) is again


def test_nothing_is_raised_when_something_is_down(
    store: Redis, room: Room, api: Api, wechat_settings: Any, no_store: Redis
) -> None:
    api.routes[SEND] = 503
    heard(store, TEXT)
    assert not room.service.answers.say(OPENID, "x")
    without: WeChatService = make_room(wechat_settings, no_store).service
    assert not without.answers.say(OPENID, "x")
    without.answers.windows.close(OPENID)
    assert len(api.made(SEND)) == 1
