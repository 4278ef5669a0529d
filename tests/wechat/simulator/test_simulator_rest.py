"""Customer messages of each kind, any push, a person's tokens, saved states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.merchant import Merchant
from tests.wechat.simulator.test_simulator_pay import merchant
from tests.wechat.simulator.toy import APPID, SECRET, names
from wechat.simulator.config import Config
from wechat.simulator.world import World

__all__ = ["merchant"]  # the fixture
OPENID = "oSimParent000000000000000001"


def custom(sim: Sim, kind: str, content: Any) -> int:
    body = {"touser": OPENID, "msgtype": kind, kind: content}
    return int(sim.api("POST", "/cgi-bin/message/custom/send", body)["errcode"])


def test_kinds_of_customer_messages(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    image = sim.post("/phones/li-na/image", {"picture": "patient-2001"})
    media = sim.toy.received[-1].media_id
    assert image["delivery"]["verdict"] == "ok"
    seen = sim.chat("li-na")[-1]["n"]
    menu = {"head_content": "解决了吗？", "list": [{"id": "1", "content": "是"}], "tail_content": "谢谢"}
    article = {"title": "须知", "description": "d", "url": "http://a/", "picurl": ""}
    assert custom(sim, "text", {"content": "您好"}) == 0
    assert custom(sim, "image", {"media_id": media}) == 0
    assert custom(sim, "news", {"articles": [article]}) == 0
    assert custom(sim, "msgmenu", menu) == 0
    chat = sim.chat("li-na", after=seen)
    assert [message["type"] for message in chat] == ["text", "image", "news", "text"]
    assert 'href="weixin://bizmsgmenu?msgmenuid=1&amp;msgmenucontent=%E6%98%AF"' in chat[-1]["text"]


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("text", {"content": ""}, 40008),
        ("text", {"content": "长" * 683}, 45002),
        ("text", "hello", 40008),
        ("image", {"media_id": "none"}, 40007),
        ("news", {"articles": [{}, {}]}, 45008),
        ("msgmenu", {"list": []}, 40008),
        ("wxcard", {}, 40008),
    ],
)
def test_refused_customer_messages(sim: Sim, kind: str, content: Any, code: int) -> None:
    assert custom(sim, kind, content) == code


def test_an_answer_touched_in_a_menu_counts_as_a_tap(sim: Sim) -> None:
    sim.post("/phones/li-na/follow")
    sim.clock.time += 60
    sim.post("/phones/li-na/text", {"content": "是", "menu": "1"})
    assert [custom(sim, "text", {"content": "您好"}) for _ in range(4)] == [0, 0, 0, 45047]
    sim.clock.time += 60
    assert custom(sim, "text", {"content": "您好"}) == 45015


@pytest.mark.parametrize(("limit", "codes"), [(0, [0] * 30), (20, [0] * 20 + [45047] * 10)])
def test_a_payment_opens_a_window(merchant: Merchant, limit: int, codes: list[int]) -> None:
    sim = merchant.sim
    sim.post("/phones/li-na/follow")
    sim.clock.time += 60
    merchant.pay()
    sim.post("/settings", {"window_payment": limit})
    assert [custom(sim, "text", {"content": "您好"}) for _ in range(30)] == codes


def typing(sim: Sim, command: str = "Typing") -> int:
    body = {"touser": OPENID, "command": command}
    return int(sim.api("POST", "/cgi-bin/message/custom/typing", body)["errcode"])


def test_typing(sim: Sim) -> None:
    assert typing(sim, "Sleeping") == 45072
    assert typing(sim) == 45080
    sim.post("/phones/li-na/follow")
    assert [typing(sim), typing(sim), typing(sim, "CancelTyping"), typing(sim)] == [0, 45081, 0, 0]
    sim.clock.time += 31
    assert typing(sim) == 45080


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"MsgType": "voice", "MediaId": "m", "Format": "amr", "Recognition": "发烧"}, "voice"),
        ({"MsgType": "video", "MediaId": "m", "ThumbMediaId": "t"}, "video"),
        ({"MsgType": "shortvideo", "MediaId": "m", "ThumbMediaId": "t"}, "shortvideo"),
        (
            {"MsgType": "location", "Location_X": "39.9", "Location_Y": "116.3", "Scale": 15, "Label": "南礼士路"},
            "location",
        ),
        ({"MsgType": "link", "Title": "t", "Description": "d", "Url": "http://a/"}, "link"),
        ({"Event": "LOCATION", "Latitude": "39.9", "Longitude": "116.3", "Precision": "10"}, "location"),
        ({"Event": "pic_sysphoto", "EventKey": "k", "SendPicsInfo": {"Count": 0, "PicList": ""}}, "pic_sysphoto"),
        (
            {"Event": "user_authorization_revoke", "OpenID": "o", "AppID": APPID, "RevokeInfo": "301"},
            "user_authorization_revoke",
        ),
        ({"Event": "verify_expired", "ExpiredTime": 1}, "verify_expired"),
    ],
)
@pytest.mark.parametrize("mode", ["plain", "safe"])
def test_any_push(sim: Sim, fields: dict[str, Any], event: str, mode: str) -> None:
    sim.post("/settings", {"mode": mode})
    assert sim.post("/phones/doctor-01/push", fields)["delivery"]["verdict"] == "ok"
    message = sim.toy.received[-1]
    assert event in names(message)
    assert message.source == "oSimDoctor000000000000000001"
    assert ("MsgId" in message._data) == ("MsgType" in fields)


def test_a_push_says_what_it_is(sim: Sim) -> None:
    url = f"{sim.origin}/simulator/api/phones/doctor-01/push"
    assert sim.session.post(url, json={"Content": "x"}, timeout=60).status_code == 400


def test_a_persons_token_is_renewed(sim: Sim) -> None:
    sim.post("/settings", {"unionid": True})
    there = sim.phone("li-na", "/away", params={"scope": "snsapi_userinfo"}).headers["Location"]
    allow = there.partition("/.wechat")[2].partition("#")[0] + "&confirmed=1"
    back = sim.phone("li-na", f"/.wechat{allow}").headers["Location"]
    code = back.partition("code=")[2].partition("&")[0]
    account = {"appid": APPID, "secret": SECRET, "code": code, "grant_type": "authorization_code"}
    first = sim.api("GET", "/sns/oauth2/access_token", token=None, **account)
    assert first["unionid"].startswith("oUnion")

    def works(token: str, openid: str = OPENID) -> int:
        return int(sim.api("GET", "/sns/auth", token=token, openid=openid)["errcode"])

    assert (works(first["access_token"]), works("x"), works(first["access_token"], "oNobody")) == (0, 40001, 40003)
    sim.clock.time += 7200
    assert works(first["access_token"]) == 42001
    given = {"appid": APPID, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = sim.api("GET", "/sns/oauth2/refresh_token", token=None, **given)
    assert works(second["access_token"]) == 0
    info = sim.api("GET", "/sns/userinfo", token=second["access_token"], openid=OPENID)
    assert (info["nickname"], info["unionid"]) == ("李娜", first["unionid"])
    refused = {"grant_type": 40002, "appid": 40013, "refresh_token": 40030}
    for name, errcode in refused.items():
        answer = sim.api("GET", "/sns/oauth2/refresh_token", token=None, **given | {name: "x"})
        assert answer["errcode"] == errcode
    sim.clock.time += 30 * 86400
    assert sim.api("GET", "/sns/oauth2/refresh_token", token=None, **given)["errcode"] == 42002


def test_transfer_to_customer_service_is_an_answer(sim: Sim) -> None:
    sim.toy.behave = "transfer"
    told = sim.post("/phones/doctor-01/text", {"content": "人工"})["delivery"]
    assert (told["verdict"], told["reply"]) == ("ok", None)


def test_states_are_saved_and_brought_back(merchant: Merchant) -> None:
    sim = merchant.sim
    sim.post("/phones/li-na/follow")
    merchant.pay()
    name = sim.api("POST", "/wxaapi/newtmpl/addtemplate", {"tid": 1001, "kidList": [1, 2], "sceneDesc": ""})[
        "priTmplId"
    ]
    assert sim.post("/states/booked/save") == {"states": ["booked"]}
    sim.post("/reset")
    assert sim.get("/pay")["orders"] == []
    sim.post("/states/booked/load")
    assert sim.get("/phones/li-na")["following"]
    assert [order["state"] for order in sim.get("/pay")["orders"]] == ["SUCCESS"]
    assert sim.api("GET", "/wxaapi/newtmpl/gettemplate")["data"][-1]["priTmplId"] == name
    for path in ("/states/none/load", "/states/..%2Fx/save", "/states/a.b/save"):
        assert sim.session.post(f"{sim.origin}/simulator/api{path}", timeout=60).status_code in (400, 404), path


def test_a_restart_keeps_orders_and_goes_on_telling(config: Config, merchant: Merchant) -> None:
    merchant.sim.post("/settings", {"pay_notify_scale": 1000.0})
    merchant.answers[:] = [500]
    merchant.pay()
    merchant.wait(1)
    merchant.sim.world.wait(lambda: merchant.sim.world.state.notices[0].attempts == 1, 60)
    merchant.sim.world.close()
    from wechat.simulator.pay import notify  # noqa: PLC0415

    again = World(config, merchant.sim.clock)
    notify.resume(again)
    assert merchant.wait(2)[1]["plain"]["out_trade_no"] == "order-0001"
    assert again.state.orders["order-0001"].state == "SUCCESS"
    again.close()


def test_whether_the_server_can_be_reached(sim: Sim) -> None:
    def check(**changes: str) -> Any:
        return sim.api("POST", "/cgi-bin/callback/check", {"action": "all", "check_operator": "DEFAULT"} | changes)

    found = check()
    assert (found["dns"][0]["ip"], found["ping"][0]["package_loss"]) == ("127.0.0.1", "0%")
    assert set(check(action="dns")) == {"dns"}
    assert (check(action="x")["errcode"], check(check_operator="x")["errcode"]) == (40201, 40202)
