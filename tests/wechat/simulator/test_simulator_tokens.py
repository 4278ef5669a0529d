"""Access tokens and tickets: lifetimes, overlap, limits, and the codes for what is wrong."""

from __future__ import annotations

import re

import pytest

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import APPID, SECRET

STABLE = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}


def plain(sim: Sim, **changes: str) -> dict[str, object]:
    answer: dict[str, object] = sim.api("GET", "/cgi-bin/token", token=None, **{**STABLE, **changes})
    return answer


def works(sim: Sim, token: str) -> int:
    return int(sim.api("GET", "/cgi-bin/getcallbackip", token=token).get("errcode", 0))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wxother"}, 40013),
        ({"secret": "other"}, 40125),
        ({"grant_type": "x"}, 40002),
    ],
)
def test_wrong_account(sim: Sim, changes: dict[str, str], code: int) -> None:
    answer = plain(sim, **changes)
    assert answer["errcode"] == code
    assert re.search(r" rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$", str(answer["errmsg"]))
    assert sim.api("POST", "/cgi-bin/stable_token", {**STABLE, **changes}, token=None)["errcode"] == code


def test_wrong_method(sim: Sim) -> None:
    assert sim.api("GET", "/cgi-bin/stable_token", token=None)["errcode"] == 43002
    assert sim.api("POST", "/cgi-bin/token", {}, token=None)["errcode"] == 43001


def test_a_new_token_leaves_the_old_one_five_minutes(sim: Sim) -> None:
    first, second = (str(plain(sim)["access_token"]) for _ in range(2))
    assert first != second
    sim.clock.time += 299
    assert works(sim, first) == works(sim, second) == 0
    sim.clock.time += 2
    assert (works(sim, first), works(sim, second)) == (40001, 0)
    sim.clock.time += 7200
    assert works(sim, second) == 42001


def test_stable_token_stays_and_renews_early(sim: Sim) -> None:
    first = sim.token()
    sim.clock.time += 6899
    assert sim.token() == first
    sim.clock.time += 2
    second = sim.token()
    assert second != first
    assert works(sim, first) == works(sim, second) == 0
    sim.clock.time += 300
    assert (works(sim, first), works(sim, second)) == (42001, 0)


def test_token_and_stable_token_do_not_touch_each_other(sim: Sim) -> None:
    stable, other = sim.token(), str(plain(sim)["access_token"])
    plain(sim)
    sim.clock.time += 301
    assert (works(sim, stable), works(sim, other)) == (0, 40001)


def test_forced_refresh_kills_and_is_limited(sim: Sim) -> None:
    def forced() -> str:
        return str(
            sim.api("POST", "/cgi-bin/stable_token", {**STABLE, "force_refresh": True}, token=None)["access_token"]
        )

    first = sim.token()
    second = forced()
    assert (works(sim, first), works(sim, second)) == (40001, 0)
    assert forced() == second, "not again within 30 seconds"
    seen = {second}
    for _ in range(25):
        sim.clock.time += 31
        seen.add(forced())
    assert len(seen) == 20, "at most 20 a day"


def test_calls_need_a_token(sim: Sim) -> None:
    assert sim.api("GET", "/cgi-bin/menu/get", token=None)["errcode"] == 41001
    assert sim.api("GET", "/cgi-bin/menu/get", token="made up")["errcode"] == 40001


def test_ticket(sim: Sim) -> None:
    first = sim.api("GET", "/cgi-bin/ticket/getticket", type="jsapi")
    assert (first["errcode"], first["expires_in"]) == (0, 7200)
    sim.clock.time += 7199
    assert sim.api("GET", "/cgi-bin/ticket/getticket", type="jsapi")["ticket"] == first["ticket"]
    sim.clock.time += 1
    assert sim.api("GET", "/cgi-bin/ticket/getticket", type="jsapi")["ticket"] != first["ticket"]
