"""Quotas a day and a minute, clearing them, request ids, the IP whitelist."""

from __future__ import annotations

import re
from typing import Any

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import APPID, SECRET

PATH = "/cgi-bin/menu/get"


def call(sim: Sim, path: str = PATH) -> int:
    return int(sim.api("GET", path).get("errcode", 0))


def post(sim: Sim, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    return dict(sim.api("POST", f"/cgi-bin/{path}", body, **options))


def test_a_day_has_an_end(sim: Sim) -> None:
    sim.post("/settings", {"quotas": {PATH: 2}})
    assert [call(sim) for _ in range(3)] == [46003, 46003, 45009]
    quota = post(sim, "openapi/quota/get", {"cgi_path": PATH})["quota"]
    assert quota == {"daily_limit": 2, "used": 2, "remain": 0}
    sim.clock.time += 86400
    assert call(sim) == 46003
    assert post(sim, "openapi/quota/get", {"cgi_path": "menu"})["errcode"] == 76021


def test_a_minute_has_an_end(sim: Sim) -> None:
    sim.post("/settings", {"minute_quotas": {PATH: 1}})
    sim.clock.time -= sim.clock.time % 60
    assert [call(sim) for _ in range(2)] == [46003, 45011]
    sim.clock.time += 60
    assert call(sim) == 46003


def test_the_published_numbers(sim: Sim) -> None:
    def limit(path: str) -> int:
        return int(post(sim, "openapi/quota/get", {"cgi_path": path})["quota"]["daily_limit"])

    numbers = {"/cgi-bin/token": 2000, "/cgi-bin/message/custom/send": 500_000, "/cgi-bin/user/get": 500}
    assert {path: limit(path) for path in numbers} == numbers


def test_clearing_ten_times_a_month(sim: Sim) -> None:
    sim.post("/quotas/use-up", {"path": PATH})
    assert call(sim) == 45009
    assert post(sim, "clear_quota", {"appid": "wxother"})["errcode"] == 40013
    assert post(sim, "clear_quota", {"appid": APPID})["errcode"] == 0
    assert call(sim) == 46003
    by_secret = {"token": None, "appid": APPID, "appsecret": SECRET}
    assert post(sim, "clear_quota/v2", {}, **by_secret)["errcode"] == 0
    assert post(sim, "clear_quota/v2", {}, **{**by_secret, "appsecret": "x"})["errcode"] == 40125
    codes = [post(sim, "clear_quota", {"appid": APPID})["errcode"] for _ in range(9)]
    assert codes == [0] * 8 + [48006]
    sim.clock.time += 31 * 86400
    assert post(sim, "clear_quota", {"appid": APPID})["errcode"] == 0


def test_a_request_id_is_remembered(sim: Sim) -> None:
    refused = sim.api("GET", PATH)
    found = re.search(r"rid: (\S+)", refused["errmsg"])
    assert found
    told = post(sim, "openapi/rid/get", {"rid": found[1]})["request"]
    assert told["request_url"].startswith(PATH)
    assert "46003" in told["response_body"]
    assert told["client_ip"] == "127.0.0.1"
    assert told["invoke_time"] == int(sim.clock.time)
    for wrong in ("abc-def-012", "no", ""):
        assert post(sim, "openapi/rid/get", {"rid": wrong})["errcode"] == 76001


def test_the_whitelist(sim: Sim) -> None:
    body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    token = sim.token()
    sim.post("/settings", {"ip_whitelist": ["203.0.113.9"]})
    answer = post(sim, "stable_token", body, token=None)
    assert answer["errcode"] == 40164
    assert "127.0.0.1" in answer["errmsg"]
    assert sim.api("GET", "/cgi-bin/token", token=None, **body)["errcode"] == 40164
    assert sim.api("GET", PATH, token=token)["errcode"] == 46003, "only tokens are guarded"
    sim.post("/settings", {"ip_whitelist": ["203.0.113.9", "127.0.0.1"]})
    assert "access_token" in post(sim, "stable_token", body, token=None)
