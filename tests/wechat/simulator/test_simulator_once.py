"""The older one-time subscription, lasting notices, and messages that WeChat stopped."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import APPID
from wechat.simulator.once import TEMPLATE

DOCTOR = "oSimDoctor000000000000000001"
BOOKED = "TPL_practitioner_booked_00000000000000000001"
DATA = {
    "thing1": {"value": "内科"},
    "time2": {"value": "2026-11-25 08:30"},
    "character_string3": {"value": "6"},
    "thing4": {"value": "李**"},
}


def page(sim: Sim, **changes: str) -> str:
    facts = {"action": "get_confirm", "appid": APPID, "scene": "7", "template_id": TEMPLATE, "reserved": "r1"}
    facts |= {"redirect_url": f"{sim.config.backend}/echo"} | changes
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in facts.items())
    return f"https://mp.weixin.qq.com/mp/subscribemsg?{query}"


def send(sim: Sim, **changes: Any) -> int:
    body = {"touser": DOCTOR, "template_id": TEMPLATE, "url": "http://x/", "scene": "7", "title": "提醒"}
    body |= {"data": {"content": {"value": "明天就诊", "color": "#f00"}}} | changes
    return int(sim.api("POST", "/cgi-bin/message/template/subscribe", body)["errcode"])


def test_one_yes_is_one_message(sim: Sim) -> None:
    assert send(sim) == 43101
    asked = sim.post("/phones/doctor-01/open", {"url": page(sim)})
    assert asked["title"] == "subscribe"
    back = sim.post("/phones/doctor-01/open", {"url": asked["allow"]})["url"]
    told = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert told == {"openid": DOCTOR, "template_id": TEMPLATE, "scene": "7", "reserved": "r1", "action": "confirm"}
    assert send(sim, scene="8") == 43101, "another scene is another yes"
    assert (send(sim), send(sim)) == (0, 43101)
    (card,) = sim.chat("doctor-01")
    assert (card["title"], card["fields"]) == ("提醒", {"content": "明天就诊"})


def test_the_page_on_a_phone(sim: Sim) -> None:
    path = page(sim).replace("https://mp.weixin.qq.com", "/.wechat")
    shown = sim.phone("doctor-01", path)
    assert "once-allow" in shown.text
    no = sim.phone("doctor-01", f"{path}&confirmed=no")
    assert no.headers["Location"].startswith(sim.config.phone_origin("doctor-01"))
    assert "action=cancel" in no.headers["Location"]
    assert send(sim) == 43101


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "x"},
        {"appid": "wx0"},
        {"template_id": "none"},
        {"scene": "10001"},
        {"scene": "a"},
        {"redirect_url": "http://elsewhere.invalid/"},
    ],
)
def test_pages_that_ask_for_nothing(sim: Sim, changes: dict[str, str]) -> None:
    shown = sim.post("/phones/doctor-01/open", {"url": page(sim, **changes)})
    assert "allow" not in shown
    assert shown["title"] not in ("", "subscribe"), "it says why"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"touser": "oNobody"}, 40003),
        ({"template_id": "none"}, 40037),
        ({"title": "长" * 16}, 47003),
        ({"data": {"content": {"value": "长" * 201}}}, 47003),
        ({"data": "x"}, 47003),
    ],
)
def test_refused_messages(sim: Sim, changes: dict[str, Any], code: int) -> None:
    assert send(sim, **changes) == code


def test_a_lasting_notice_is_agreed_to_once(sim: Sim) -> None:
    made = sim.api("POST", "/wxaapi/newtmpl/addtemplate", {"tid": 1002, "kidList": [1, 2], "sceneDesc": "提醒"})
    name = made["priTmplId"]
    sim.post("/phones/doctor-01/subscribe", {"templates": {name: "accept"}})
    data = {"thing1": {"value": "李**"}, "time2": {"value": "2026-11-25 08:30"}}
    body = {"touser": DOCTOR, "template_id": name, "data": data}
    codes = [sim.api("POST", "/cgi-bin/message/subscribe/bizsend", body)["errcode"] for _ in range(3)]
    assert codes == [0, 0, 0]
    assert sim.get("/phones/doctor-01")["notices"] == [{"template": name, "title": "就诊提醒", "left": -1}]
    once = "NTC_appointment_booked_000000000000000000001"
    answer = sim.session.post(
        f"{sim.origin}/simulator/api/phones/doctor-01/subscribe", json={"templates": [name, once]}, timeout=5
    )
    assert answer.status_code == 400, "one question does not mix the two"


def test_stopped_messages_can_be_asked_for(sim: Sim) -> None:
    sim.post("/phones/doctor-01/follow")
    before = len(sim.chat("doctor-01"))
    sim.post("/settings", {"intercepted": [BOOKED]})
    body = {"touser": DOCTOR, "template_id": BOOKED, "data": DATA}
    ids = [str(sim.api("POST", "/cgi-bin/message/template/send", body)["msgid"]) for _ in range(3)]
    assert sim.toy.wait_for("templatesendjobfinish").status == "failed: system failed"
    assert len(sim.chat("doctor-01")) == before

    def asked(**changes: Any) -> Any:
        query = {"tmpl_msg_id": BOOKED, "largest_id": 0, "limit": 2} | changes
        return sim.api("POST", "/wxa/sec/queryblocktmplmsg", query)

    first = asked()["msginfo"]
    assert [one["id"] for one in first] == ids[:0:-1]
    assert first[0]["content"].startswith("科室：内科\n")
    assert [one["id"] for one in asked(largest_id=int(first[-1]["id"]))["msginfo"]] == ids[:1]
    assert (asked(limit=101)["errcode"], asked(tmpl_msg_id="none")["errcode"]) == (47001, 40037)
