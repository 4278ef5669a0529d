"""Every fault, where it strikes, how often, and that it goes."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.merchant import Merchant
from tests.wechat.simulator.test_simulator_pay import merchant
from tests.wechat.simulator.toy import AES_KEY, APPID, TOKEN

__all__ = ["merchant"]  # the fixture
PATH = "/cgi-bin/getcallbackip"


def fault(sim: Sim, *entries: dict[str, Any]) -> None:
    sim.post("/settings", {"faults": list(entries)})


def test_slow(sim: Sim) -> None:
    fault(sim, {"on": "api", "what": "slow", "match": PATH, "value": 0.3})
    start = time.monotonic()
    assert "ip_list" in sim.api("GET", PATH)
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("code", [-1, 45009, 40001])
def test_an_errcode(sim: Sim, code: int) -> None:
    fault(sim, {"on": "api", "what": "errcode", "match": PATH, "value": code, "times": 2})
    assert [sim.api("GET", PATH).get("errcode", 0) for _ in range(3)] == [code, code, 0]
    assert sim.get("/settings")["faults"] == []


def test_a_failing_server(sim: Sim) -> None:
    fault(sim, {"on": "api", "what": "status", "value": 503, "match": "/cgi-bin/menu"})
    token = sim.token()
    answer = sim.session.get(f"{sim.origin}/cgi-bin/menu/get", params={"access_token": token}, timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html")


def test_down(sim: Sim) -> None:
    fault(sim, {"on": "api", "what": "down", "times": -1})
    for _ in range(3):
        with pytest.raises(requests.ConnectionError):
            sim.api("GET", PATH, token="x")
    fault(sim)
    assert "ip_list" in sim.api("GET", PATH)


def test_dropped_after_processing(sim: Sim) -> None:
    token = sim.token()
    fault(sim, {"on": "api", "what": "dropped", "match": "/cgi-bin/tags/create"})
    with pytest.raises(requests.ConnectionError):
        sim.api("POST", "/cgi-bin/tags/create", {"tag": {"name": "医生"}}, token=token)
    assert [tag["name"] for tag in sim.api("GET", "/cgi-bin/tags/get")["tags"]] == ["医生"]


def test_a_killed_token(sim: Sim) -> None:
    token = sim.token()
    assert sim.post("/tokens/kill") == {"killed": 1}
    assert sim.api("GET", PATH, token=token)["errcode"] == 40001
    assert sim.token() != token


def test_a_duplicate_push(sim: Sim) -> None:
    fault(sim, {"on": "push", "what": "duplicate", "match": "text"})
    sim.post("/phones/doctor-01/text", {"content": "once"})
    with sim.toy.arrived:
        assert sim.toy.arrived.wait_for(lambda: len(sim.toy.received) == 2, 60)
    assert len({message.id for message in sim.toy.received}) == 1
    assert [message["from"] for message in sim.chat("doctor-01")] == ["me", "account"]


def test_reordered_pushes(sim: Sim) -> None:
    fault(sim, {"on": "push", "what": "reordered", "value": 0.3})
    assert sim.post("/phones/doctor-01/text", {"content": "first"})["delivery"]["verdict"] == "held back"
    sim.post("/phones/doctor-01/text", {"content": "second"})
    with sim.toy.arrived:
        assert sim.toy.arrived.wait_for(lambda: len(sim.toy.received) == 2, 60)
    assert [message.content for message in sim.toy.received] == ["second", "first"]
    assert sim.toy.received[1].id < sim.toy.received[0].id


def test_a_push_whose_answer_is_lost(sim: Sim) -> None:
    fault(sim, {"on": "push", "what": "dropped"})
    told = sim.post("/phones/doctor-01/text", {"content": "hello"})["delivery"]
    assert (told["verdict"], told["attempts"]) == ("ok", 2)
    assert len({message.id for message in sim.toy.received}) == 1


def test_a_wrong_signature_and_a_wrong_clock(sim: Sim) -> None:
    fault(sim, {"on": "push", "what": "skew", "value": -900})
    sim.post("/phones/doctor-01/text", {"content": "hello"})
    assert int(sim.toy.queries[-1]["timestamp"]) == int(sim.clock.time) - 900
    fault(sim, {"on": "push", "what": "signature", "times": -1})
    told = sim.post("/phones/doctor-01/text", {"content": "hello"})["delivery"]
    assert told["verdict"] == "HTTP 500", "wechatpy raises, and the toy does not catch it"
    with pytest.raises(InvalidSignatureException):
        WeChatCrypto(TOKEN, AES_KEY, APPID).decrypt_message("<xml><Encrypt>x</Encrypt></xml>", "bad", "1", "2")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"on": "moon", "what": "slow"}, "on"),
        ({"on": "push", "what": "errcode"}, "what"),
        ({"on": "api", "what": "slow", "times": "often"}, "times"),
        ({"on": "api", "what": "slow", "match": 7}, "match"),
        ("slow", "fault"),
    ],
)
def test_faults_that_are_none(sim: Sim, entry: Any, words: str) -> None:
    answer = sim.session.post(f"{sim.origin}/simulator/api/settings", json={"faults": [entry]}, timeout=60)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_faults_of_pay(merchant: Merchant) -> None:
    sim = merchant.sim
    fault(sim, {"on": "pay", "what": "error", "value": "FREQUENCY_LIMITED"})
    assert merchant.order().status_code == 429
    fault(sim, {"on": "pay", "what": "signature"})
    answer = merchant.order()
    assert answer.status_code == 200
    assert not merchant.verifies(answer.headers, answer.text)
    fault(sim, {"on": "pay", "what": "skew", "value": 400})
    assert int(merchant.order().headers["Wechatpay-Timestamp"]) == int(sim.clock.time) + 400
    fault(sim, {"on": "pay", "what": "dropped"})
    with pytest.raises(requests.ConnectionError):
        merchant.order("order-0002")
    path = f"/v3/pay/transactions/out-trade-no/order-0002?mchid={sim.config.mchid}"
    assert merchant.call("GET", path).json()["trade_state"] == "NOTPAY", "it was made all the same"
    fault(sim, {"on": "pay", "what": "status", "value": 502})
    assert merchant.order().status_code == 502


def test_faults_of_notices(merchant: Merchant) -> None:
    fault(
        merchant.sim,
        {"on": "notify", "what": "duplicate"},
        {"on": "notify", "what": "signature"},
        {"on": "notify", "what": "skew", "value": -301},
    )
    merchant.pay()
    first, second = merchant.wait(2)
    assert first["id"] == second["id"]
    assert not merchant.verifies(merchant.headers[0], merchant.bodies[0])
    assert int(merchant.headers[0]["Wechatpay-Timestamp"]) == int(merchant.sim.clock.time) - 301
    fault(merchant.sim, {"on": "notify", "what": "reordered", "match": "TRANSACTION", "value": 5})
    merchant.pay("order-0002")
    merchant.pay("order-0003")
    told = [notice["plain"]["out_trade_no"] for notice in merchant.wait(4)[2:]]
    assert told == ["order-0003", "order-0002"]
