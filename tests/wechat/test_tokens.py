"""One token for everybody, whatever goes wrong."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from config import redis
from tests.wechat.conftest import TOKEN, Answer, Api, Call
from wechat import tokens
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable
from wechat.limits import Limits
from wechat.tokens import Grant, Shared, access_tokens, jsapi_tickets

MENU = "/cgi-bin/menu/get"


def make(api: Api, store: Redis) -> WeChatClient:
    client = WeChatClient("wx1", "secret", api.origin, Limits(store, "wx1"))
    client.tokens = access_tokens(store, client)
    return client


def slow_numbers(api: Api) -> Callable[[Call], Answer]:
    """Each fetch takes a moment and gives another token, so that a second fetch would be seen."""
    started = threading.Event()

    def answer(call: Call) -> Answer:
        started.wait(0.2)
        return {"access_token": f"token-{len(api.made(TOKEN))}", "expires_in": 7200}

    return answer


def test_eight_threads_fetch_one_token(api: Api, store: Redis) -> None:
    api.routes[TOKEN] = slow_numbers(api)
    client = make(api, store)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: client.tokens.current(), range(8))) == {"token-1"}
    assert len(api.made(TOKEN)) == 1


def ask(origin: str, redis_url: str, start: Any, answers: Any) -> None:
    """One process that starts with the others and asks for the token."""
    store = redis.connect(redis_url)
    client = WeChatClient("wx1", "secret", origin, Limits(store, "wx1"))
    client.tokens = access_tokens(store, client)
    start.wait(30)
    answers.put(client.tokens.current())


def test_eight_processes_fetch_one_token(api: Api, store: Redis, redis_url: str) -> None:
    api.routes[TOKEN] = slow_numbers(api)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.wechat.test_tokens"])
    start, answers = context.Barrier(8), context.Queue()
    processes = [context.Process(target=ask, args=(api.origin, redis_url, start, answers)) for _ in range(8)]
    for process in processes:
        process.start()
    assert {answers.get(timeout=60) for _ in processes} == {"token-1"}
    for process in processes:
        process.join(10)
    assert len(api.made(TOKEN)) == 1


def test_kept_in_memory_and_in_redis_and_renewed_early(api: Api, store: Redis) -> None:
    first = make(api, store)
    assert [first.tokens.current() for _ in range(3)] == ["token-1"] * 3
    assert make(api, store).tokens.current() == "token-1"
    assert len(api.made(TOKEN)) == 1
    assert api.calls[0].json == {
        "grant_type": "client_credential",
        "appid": "wx1",
        "secret": "secret",
        "force_refresh": False,
    }
    assert 6900 < store.ttl("wechat:wx1:access-token") <= 7200 - tokens.EARLY


@pytest.mark.parametrize(("given", "kept"), [(7200, 6960), (300, 150), (2, 1), (0, 1)])
def test_how_long(store: Redis, given: int, kept: int) -> None:
    Shared(store, "k", lambda _: Grant("v", given)).current()
    assert kept - 1 <= store.ttl("k") <= kept


def test_redis_down_fetches_once_for_each_process(api: Api, no_store: Redis) -> None:
    api.routes[TOKEN] = slow_numbers(api)
    client = make(api, no_store)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: client.tokens.current(), range(40))) == {"token-1"}
    assert len(api.made(TOKEN)) == 1


def test_redis_gone_later_changes_nothing(api: Api, store: Redis, no_store: Redis) -> None:
    client = make(api, store)
    client.tokens.current()
    client.tokens.store = no_store  # type: ignore[attr-defined]
    assert client.tokens.current() == "token-1"
    assert len(api.made(TOKEN)) == 1


def test_another_process_has_renewed_already(api: Api, store: Redis) -> None:
    first, second = make(api, store), make(api, store)
    assert first.tokens.current() == second.tokens.current() == "token-1"
    api.routes[TOKEN] = {"access_token": "token-2", "expires_in": 7200}
    assert first.tokens.renewed("token-1") == "token-2"
    assert second.tokens.renewed("token-1") == "token-2"
    assert len(api.made(TOKEN)) == 2


def test_a_token_that_wechat_no_longer_takes_is_forced_once(api: Api, store: Redis) -> None:
    """A plain fetch gives the same token again; forcing is rationed (20 a day)."""

    def answer(call: Call) -> Answer:
        return {"access_token": "token-2" if call.json["force_refresh"] else "token-1", "expires_in": 7200}

    api.routes[TOKEN] = answer
    api.routes[MENU] = {"errcode": 40001, "errmsg": "not latest"}
    client = make(api, store)
    for _ in range(5):
        with pytest.raises(WeChatError):
            client.call("get", "menu/get")
    assert [call.json["force_refresh"] for call in api.made(TOKEN)].count(True) == 1
    assert len(api.made(TOKEN)) <= 5


@pytest.mark.parametrize(("up", "most"), [(True, 20), (False, 3)])
def test_tokens_refused_for_ever_do_not_use_up_the_quota(
    store: Redis, no_store: Redis, up: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of calls, one a minute, with every token refused: WeChat allows 20 forced renewals for all processes."""
    second = [0.0]
    monkeypatch.setattr(tokens, "monotonic", lambda: second[0])
    asked: list[bool] = []

    def fetch(force: bool) -> Grant:
        asked.append(force)
        return Grant("always-the-same", 7200)

    both = [Shared(store if up else no_store, "k", fetch) for _ in range(2 if up else 1)]
    for minute in range(24 * 60):
        second[0] = minute * 60.0
        if minute % (tokens.FORCE_PAUSE // 60) == 0:
            store.delete("k:forced")  # Redis' own clock does not run along
        for shared in both:
            assert shared.renewed("always-the-same") == "always-the-same"
    assert 1 < asked.count(True) <= most


def test_a_token_that_changes_nothing_is_not_asked_for_again_at_once(api: Api, store: Redis) -> None:
    """Sixteen lanes whose every message is refused would otherwise ask WeChat ten thousand times a minute."""
    client = make(api, store)
    api.routes[MENU] = {"errcode": 40001, "errmsg": "not latest"}
    for _ in range(50):
        with pytest.raises(WeChatError):
            client.call("get", "menu/get")
    assert len(api.made(TOKEN)) <= 4


def test_a_failed_fetch_is_not_repeated_at_once(api: Api, store: Redis) -> None:
    api.routes[TOKEN] = {"errcode": 40125, "errmsg": "invalid appsecret"}
    client = make(api, store)
    for _ in range(10):
        with pytest.raises(WeChatError, match="40125"):
            client.call("get", "menu/get")
    assert len(api.made(TOKEN)) == 1


@pytest.mark.parametrize("answer", [{}, {"access_token": "x"}, {"access_token": "x", "expires_in": "soon"}])
def test_an_answer_without_a_token(api: Api, store: Redis, answer: Answer) -> None:
    api.routes[TOKEN] = answer
    with pytest.raises(WeChatUnavailable):
        make(api, store).tokens.current()


def test_a_lock_whose_holder_is_stuck_holds_nobody_for_ever(
    api: Api, store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.1)
    store.set("wechat:wx1:access-token:lock", "somebody")
    assert make(api, store).tokens.current() == "token-1"


def test_ticket(api: Api, store: Redis) -> None:
    api.routes["/cgi-bin/ticket/getticket"] = {"errcode": 0, "ticket": "t1", "expires_in": 7200}
    client = make(api, store)
    ticket = jsapi_tickets(store, client)
    assert [ticket.current(), ticket.current()] == ["t1", "t1"]
    (call,) = api.made("/cgi-bin/ticket/getticket")
    assert call.query == {"type": "jsapi", "access_token": "token-1"}
