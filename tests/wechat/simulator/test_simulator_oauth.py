"""Web authorisation from the authorize address to the openid, snapshot pages, and the JS-SDK's signature."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import APPID, SECRET
from wechat.simulator import crypto

OPENID = "oSimParent000000000000000001"


def code(sim: Sim, phone: str = "li-na", scope: str = "snsapi_base") -> str:
    answer = sim.phone(phone, "/.wechat/connect/oauth2/authorize", params=query(sim, scope=scope, confirmed="1"))
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def query(sim: Sim, **changes: str) -> dict[str, str]:
    home = {"appid": APPID, "redirect_uri": f"{sim.config.backend}/back?a=1", "response_type": "code"}
    return {**home, "scope": "snsapi_base", "state": "s1", **changes}


def exchange(sim: Sim, given: str, **changes: str) -> Any:
    asked = {"appid": APPID, "secret": SECRET, "code": given, "grant_type": "authorization_code", **changes}
    return sim.api("GET", "/sns/oauth2/access_token", token=None, **asked)


def test_the_road_stays_on_the_phones_host(sim: Sim) -> None:
    away = sim.phone("li-na", "/away")
    home = sim.config.phone_origin("li-na")
    assert away.headers["Location"].startswith(f"{home}/.wechat/connect/oauth2/authorize?appid={APPID}&")
    back = sim.phone("li-na", away.headers["Location"].removeprefix(home).partition("#")[0])
    assert re.match(rf"{home}/back\?code=\w.+&state=s1$", back.headers["Location"])
    assert sim.post("/phones/li-na/open", {"url": f"{sim.config.backend}/away"})["html"].endswith("|s1")


def test_a_link_to_the_authorize_address_finds_its_phone(sim: Sim) -> None:
    home = sim.config.phone_origin("li-na")
    asked = sim.session.get(
        f"{sim.origin}/connect/oauth2/authorize?x=1", headers={"Referer": home + "/"}, allow_redirects=False, timeout=5
    )
    assert asked.headers["Location"] == f"{home}/.wechat/connect/oauth2/authorize?x=1"
    assert "请在微信客户端打开链接" in sim.session.get(f"{sim.origin}/connect/oauth2/authorize", timeout=60).text


def test_a_code_works_once_and_for_five_minutes(sim: Sim) -> None:
    given = code(sim)
    first = exchange(sim, given)
    assert (first["openid"], "is_snapshotuser" in first) == (OPENID, False)
    assert exchange(sim, given)["errcode"] == 40163
    assert exchange(sim, "made-up")["errcode"] == 40029
    assert exchange(sim, "")["errcode"] == 41008
    assert exchange(sim, given, secret="x")["errcode"] == 40125
    late = code(sim)
    sim.clock.time += 300
    assert exchange(sim, late)["errcode"] == 40029


def test_userinfo_asks_first(sim: Sim) -> None:
    asked = query(sim, scope="snsapi_userinfo")
    page = sim.phone("li-na", "/.wechat/connect/oauth2/authorize", params=asked)
    assert page.status_code == 200
    assert "允许" in page.text
    opened = sim.post("/phones/li-na/open", {"url": f"{sim.config.backend}/away?scope=snsapi_userinfo"})
    assert opened["title"] == "consent"
    assert sim.post("/phones/li-na/open", {"url": opened["allow"]})["title"] == "back"
    granted = exchange(sim, code(sim, scope="snsapi_userinfo"))
    person = sim.api("GET", "/sns/userinfo", token=granted["access_token"], openid=OPENID)
    assert (person["nickname"], person["sex"], person["city"]) == ("李娜", 0, "")
    base = exchange(sim, code(sim))
    assert sim.api("GET", "/sns/userinfo", token=base["access_token"], openid=OPENID)["errcode"] == 48001


def test_a_snapshot_user_is_nobody(sim: Sim) -> None:
    sim.post("/phones/li-na", {"snapshot": True})
    granted = exchange(sim, code(sim, scope="snsapi_userinfo"))
    assert granted["is_snapshotuser"] == 1
    assert granted["openid"] != OPENID
    assert len(granted["openid"]) == len(OPENID)
    assert exchange(sim, code(sim))["openid"] == granted["openid"], "and always the same nobody"


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"redirect_uri": "http://evil.invalid/back"}, 10003),
        ({"redirect_uri": "http://localhost/back"}, 10003),
        ({"redirect_uri": ""}, 10011),
        ({"scope": "snsapi_all"}, 10005),
        ({"scope": ""}, 10010),
        ({"appid": ""}, 10012),
        ({"appid": "wxother"}, 40013),
        ({"state": "s" * 129}, 10013),
    ],
)
def test_error_pages(sim: Sim, changes: dict[str, str], number: int) -> None:
    page = sim.phone("li-na", "/.wechat/connect/oauth2/authorize", params=query(sim, **changes))
    assert page.status_code == 200
    assert f"错误码：{number}" in page.text


def test_jssdk_checks_what_wechat_checks(sim: Sim) -> None:
    ticket = sim.api("GET", "/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
    page = f"{sim.config.backend}/scan?a=1"
    signed = {"appId": APPID, "timestamp": 1, "nonceStr": "n", "jsApiList": ["scanQRCode", "unknownApi"]}
    signed["signature"] = crypto.sign_page(ticket, "n", "1", page)
    seen = f"{sim.config.phone_origin('li-na')}/scan?a=1#part"

    def configure(where: str = seen, **changes: Any) -> Any:
        return sim.post("/phones/li-na/jssdk", {"page": where, "params": {**signed, **changes}})

    assert configure() == {"errMsg": "config:ok", "apis": ["scanQRCode"], "tags": []}
    assert configure(signature="0" * 40)["errMsg"] == "config:invalid signature"
    assert configure(seen.replace("a=1", "a=2"))["errMsg"] == "config:invalid signature"
    assert configure("http://elsewhere.invalid/")["errMsg"] == "config:invalid url domain"
    assert configure(appId="wxother")["errMsg"] == "config:invalid appid"
    sim.post("/phones/li-na", {"snapshot": True})
    assert configure()["errMsg"].startswith("config:fail")
