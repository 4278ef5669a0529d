"""A used-up quota: this API is left alone until it opens again, by every process, and the administrator sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from redis import Redis

from commands import limits as commands
from tests.wechat.conftest import Api
from wechat import tokens
from wechat.client import WeChatClient
from wechat.errors import QuotaUsed, TooFast
from wechat.limits import Limits

MENU = "/cgi-bin/menu/get"
EVENING = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)  # 20:30 in Beijing
MIDNIGHT = datetime(2026, 11, 25, 16, tzinfo=UTC)


class Clock:
    """WeChat's clock, set by the test."""

    def __init__(self) -> None:
        self.now = EVENING

    def __call__(self) -> datetime:
        return self.now


def make(api: Api, store: Redis, clock: Clock) -> WeChatClient:
    client = WeChatClient("wx1", "secret", api.origin, Limits(store, "wx1", clock))
    client.tokens = tokens.access_tokens(store, client)
    return client


def over(code: int) -> dict[str, object]:
    return {"errcode": code, "errmsg": "reach max api daily quota limit rid: 647861e7-232b69aa-0f7213be"}


@pytest.mark.parametrize(
    ("code", "kind", "opens"), [(45009, QuotaUsed, MIDNIGHT), (45011, TooFast, EVENING + timedelta(minutes=1))]
)
@pytest.mark.parametrize("up", [True, False])
def test_closed_until_it_opens(
    api: Api, store: Redis, no_store: Redis, code: int, kind: type[Exception], opens: datetime, up: bool
) -> None:
    api.routes[MENU] = over(code)
    clock = Clock()
    client = make(api, store if up else no_store, clock)
    for moment in (EVENING, EVENING, opens - timedelta(seconds=1)):
        clock.now = moment
        with pytest.raises(kind) as caught:
            client.call("get", "menu/get")
        assert caught.value.rid == "647861e7-232b69aa-0f7213be"  # type: ignore[attr-defined]
    assert len(api.made(MENU)) == 1
    assert client.limits.closed()[0].until == opens.timestamp()
    clock.now = opens
    api.routes[MENU] = {"menu": {}}
    assert client.call("get", "menu/get") == {"menu": {}}
    assert client.limits.closed() == []


def test_other_processes_know_and_other_apis_stay_open(api: Api, store: Redis) -> None:
    api.routes[MENU] = over(45009)
    api.routes["/cgi-bin/tags/get"] = {"tags": []}
    clock = Clock()
    with pytest.raises(QuotaUsed):
        make(api, store, clock).call("get", "menu/get")
    other = make(api, store, clock)
    with pytest.raises(QuotaUsed):
        other.call("get", "menu/get")
    assert len(api.made(MENU)) == 1
    assert other.call("get", "tags/get") == {"tags": []}


def test_the_administrator_sees_it_and_may_ask_again(api: Api, store: Redis) -> None:
    api.routes[MENU] = over(45009)
    client = make(api, store, Clock())
    with pytest.raises(QuotaUsed):
        client.call("get", "menu/get")
    run, group = CliRunner(), commands.group(client.limits)
    shown = run.invoke(group, ["show"]).output
    assert shown == f"{MENU} until 2026-11-26 00:00 Beijing time (45009, rid 647861e7-232b69aa-0f7213be)\n"
    assert run.invoke(group, ["reopen", MENU]).exit_code == 0
    assert run.invoke(group, ["show"]).output == "no API is closed\n"
    api.routes[MENU] = {"menu": {}}
    assert client.call("get", "menu/get") == {"menu": {}}
