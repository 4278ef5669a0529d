"""Templates taken from the library, subscription notices, agreements and their events."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wechat.simulator.conftest import Sim

DOCTOR = "oSimDoctor000000000000000001"
DATA = {"thing1": {"value": "李**"}, "time4": {"value": "2026-11-25 08:30"}}


def post(sim: Sim, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return dict(sim.api("POST", path, body))


def template(sim: Sim, **changes: Any) -> dict[str, Any]:
    return post(sim, "/wxaapi/newtmpl/addtemplate", {"tid": 1001, "kidList": [1, 4], "sceneDesc": "挂号"} | changes)


def notice(sim: Sim, name: str, **changes: Any) -> dict[str, Any]:
    body = {"touser": DOCTOR, "template_id": name, "page": "http://127.0.0.1/x", "data": DATA}
    return post(sim, "/cgi-bin/message/subscribe/bizsend", body | changes)


def test_an_agreement_is_one_notice(sim: Sim) -> None:
    name = template(sim)["priTmplId"]
    assert notice(sim, name)["errcode"] == 43101
    assert sim.post("/phones/doctor-01/subscribe", {"templates": [name]})["titles"] == {name: "预约挂号成功通知"}
    sim.post("/phones/doctor-01/subscribe", {"templates": {name: "accept"}})
    popup = sim.toy.wait_for("subscribe_msg_popup_event")._data["SubscribeMsgPopupEvent"]["List"]
    assert popup == {"TemplateId": name, "SubscribeStatusString": "accept", "PopupScene": "1"}
    sent = notice(sim, name, client_msg_id="n1")
    assert sent["errcode"] == 0
    assert notice(sim, name, client_msg_id="n1")["msgid"] == sent["msgid"], "the same message, no agreement spent"
    told = sim.toy.wait_for("subscribe_msg_sent_event")._data["SubscribeMsgSentEvent"]["List"]
    assert (told["MsgID"], told["ErrorStatus"]) == (str(sent["msgid"]), "success")
    (card,) = [message for message in sim.chat("doctor-01") if message["type"] == "template"]
    assert (card["fields"]["thing1"], card["url"]) == ("李**", "http://127.0.0.1/x")
    assert notice(sim, name)["errcode"] == 43101


def test_taking_it_back(sim: Sim) -> None:
    name = template(sim)["priTmplId"]
    sim.post("/phones/doctor-01/subscribe", {"templates": {name: "accept"}})
    sim.post("/phones/doctor-01/refuse", {"template": name})
    change = sim.toy.wait_for("subscribe_msg_change_event")._data["SubscribeMsgChangeEvent"]["List"]
    assert change == {"TemplateId": name, "SubscribeStatusString": "reject"}
    assert notice(sim, name)["errcode"] == 43101
    sim.post("/phones/doctor-01/subscribe", {"templates": {name: "reject"}})
    assert notice(sim, name)["errcode"] == 43101


@pytest.mark.parametrize("templates", [[], ["none"], {}, {"none": "accept"}, "x"])
def test_agreements_that_are_none(sim: Sim, templates: Any) -> None:
    answer = sim.session.post(
        f"{sim.origin}/simulator/api/phones/doctor-01/subscribe", json={"templates": templates}, timeout=5
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tid": 7}, 200014),
        ({"kidList": [1]}, 200020),
        ({"kidList": [1, 2, 3, 4, 5, 6]}, 200020),
        ({"kidList": [1, 99]}, 200020),
        ({"sceneDesc": "长" * 16}, 200021),
    ],
)
def test_refused_templates(sim: Sim, changes: dict[str, Any], code: int) -> None:
    assert template(sim, **changes)["errcode"] == code


def test_refused_notices(sim: Sim) -> None:
    name = template(sim)["priTmplId"]
    assert notice(sim, "none")["errcode"] == 40037
    assert notice(sim, name, touser="oNobody")["errcode"] == 40003
    assert notice(sim, name, data={**DATA, "thing1": {"value": "长" * 21}})["errcode"] == 47003


def test_the_library(sim: Sim) -> None:
    assert sim.api("GET", "/wxaapi/newtmpl/getcategory")["data"][0]["id"] == 616
    titles = sim.api("GET", "/wxaapi/newtmpl/getpubtemplatetitles", ids="616", start=0, limit=2)
    assert (titles["count"], len(titles["data"])) == (4, 2)
    assert sim.api("GET", "/wxaapi/newtmpl/getpubtemplatetitles", ids="616", start=0, limit=31)["errcode"] == 47001
    words = sim.api("GET", "/wxaapi/newtmpl/getpubtemplatekeywords", tid=1001)
    assert words["data"][0] == {"kid": 1, "name": "就诊人", "example": "李**", "rule": "thing"}
    assert sim.api("GET", "/wxaapi/newtmpl/getpubtemplatekeywords", tid=7)["errcode"] == 200014
    name = template(sim)["priTmplId"]
    *first, entry = sim.api("GET", "/wxaapi/newtmpl/gettemplate")["data"]
    assert (entry["priTmplId"], entry["type"]) == (name, 2)
    assert [known["title"] for known in first] == ["预约挂号成功通知", "预约取消通知", "就诊提醒", "就诊人绑定通知"]
    for known in first:
        assert post(sim, "/wxaapi/newtmpl/deltemplate", {"priTmplId": known["priTmplId"]})["errcode"] == 0
    assert post(sim, "/wxaapi/newtmpl/deltemplate", {"priTmplId": name})["errcode"] == 0
    assert post(sim, "/wxaapi/newtmpl/deltemplate", {"priTmplId": name})["errcode"] == 40037
    assert [template(sim).get("errcode") for _ in range(26)] == [0] * 25 + [200011]


def test_message_templates_come_and_go(sim: Sim) -> None:
    def count() -> int:
        return len(sim.api("GET", "/cgi-bin/template/get_all_private_template")["template_list"])

    def add(**changes: Any) -> dict[str, Any]:
        body = {"template_id_short": "43103", "keyword_name_list": ["金额", "状态"]} | changes
        return post(sim, "/cgi-bin/template/api_add_template", body)

    for entry in sim.api("GET", "/cgi-bin/template/get_all_private_template")["template_list"][10:]:
        post(sim, "/cgi-bin/template/del_private_template", {"template_id": entry["template_id"]})
    before, made = count(), add()["template_id"]
    data = {"amount2": {"value": "50.00元"}, "phrase5": {"value": "已支付"}}
    body = {"touser": DOCTOR, "template_id": made, "data": data}
    assert post(sim, "/cgi-bin/message/template/send", body)["errcode"] == 0
    assert add(template_id_short="x")["errcode"] == 40246
    assert add(keyword_name_list=["无"])["errcode"] == 40247
    full = [add()["errcode"] for _ in range(25 - before)]
    assert full == [0] * (24 - before) + [45026]
    listed = sim.api("GET", "/cgi-bin/template/get_all_private_template")["template_list"]
    for entry in listed:
        assert (
            post(sim, "/cgi-bin/template/del_private_template", {"template_id": entry["template_id"]})["errcode"] == 0
        )
    assert count() == 0
    assert post(sim, "/cgi-bin/template/del_private_template", {"template_id": made})["errcode"] == 40037
    assert sim.api("GET", "/cgi-bin/template/get_industry")["primary_industry"]["first_class"] == "医疗护理"
