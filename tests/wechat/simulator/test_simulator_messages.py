"""Template messages with their typed values, de-duplication and result events; customer-service messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wechat.simulator.conftest import Sim
from wechat.simulator.template_values import valid

OPENID, DOCTOR = "oSimParent000000000000000001", "oSimDoctor000000000000000001"
TEMPLATE = "TPL_practitioner_booked_00000000000000000001"
DATA = {"thing1": "内科门诊", "time2": "2026-11-25 08:30", "character_string3": "6", "thing4": "李**"}


def send(sim: Sim, openid: str = DOCTOR, template: str = TEMPLATE, **more: Any) -> dict[str, Any]:
    values = DATA | more.pop("data", {})
    data = {key: {"value": value} for key, value in values.items()}
    answer: dict[str, Any] = sim.api(
        "POST", "/cgi-bin/message/template/send", {"touser": openid, "template_id": template, "data": data, **more}
    )
    return answer


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("thing1", ["二十个字" * 5, "a b,c", "😀" * 20], ["字" * 21, "", "  "]),
        ("character_string2", ["A-12/6", "x" * 32], ["x" * 33, "号6", ""]),
        ("number3", ["12", "-1.5"], ["1a", "1" * 33]),
        ("letter4", ["abC"], ["ab1", "a" * 33]),
        ("symbol5", ["+-*"], ["a", "++++++"]),
        (
            "time6",
            ["08:30", "2026年11月25日 08:30", "2026-11-25 08:30:00", "08:30~09:00"],
            ["8点半", "2026-11-25", "明天 08:30"],
        ),
        ("date7", ["2026年11月25日", "2026-11-25 08:30", "2026-11-25~2026-11-26"], ["11月25日", "08:30"]),
        ("amount8", ["¥100", "100元", "12.50"], ["一百元", "¥" + "1" * 11]),
        ("phone_number9", ["010-59616161", "+86-13800000000"], ["打电话", "1" * 18]),
        ("car_number10", ["粤A8Z888挂", "京A12345"], ["粤A8Z88888挂"]),
        ("name11", ["李小宝", "Li Xiaobao"], ["名" * 11, "x" * 21, "李1"]),
        ("phrase12", ["已预约"], ["已经成功预约", "ok"]),
        ("keyword1", ["anything at all, however long it may be"], [""]),
    ],
)
def test_types(key: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not valid(key, value, {})] == []
    assert [value for value in bad if valid(key, value, {})] == []


def test_const_is_a_closed_list() -> None:
    assert valid("const1", "已支付", {"const1": ["已支付"]})
    assert not valid("const1", "已退款", {"const1": ["已支付"]})


def test_a_card_arrives_and_its_end_is_told(sim: Sim) -> None:
    answer = send(sim, url="http://example.invalid/x", client_msg_id="m1")
    assert answer["errcode"] == 0
    (card,) = sim.chat("doctor-01", wait=5)
    assert card["type"] == "template"
    assert card["fields"] == DATA
    assert [row["label"] for row in card["rows"]] == ["科室", "就诊时间", "就诊序号", "就诊人"]
    assert (card["url"], card["msgid"]) == ("http://example.invalid/x", answer["msgid"])
    event = sim.toy.wait_for("templatesendjobfinish")
    assert (str(event.id), event.status) == (str(answer["msgid"]), "success")


@pytest.mark.parametrize(
    ("how", "status"),
    [({"blocked": True}, "failed:user block"), ({"delivery": "system failed"}, "failed: system failed")],
)
def test_messages_that_do_not_arrive(sim: Sim, how: dict[str, Any], status: str) -> None:
    sim.post("/phones/doctor-01", how)
    assert send(sim)["errcode"] == 0
    assert sim.toy.wait_for("templatesendjobfinish").status == status
    assert sim.chat("doctor-01") == []


@pytest.mark.parametrize("key", list(DATA))
@pytest.mark.parametrize("value", ["", "字" * 33, "two\nlines"])
def test_a_wrong_value_is_named(sim: Sim, key: str, value: str) -> None:
    answer = send(sim, data={key: value})
    assert answer["errcode"] == 47003
    assert answer["errmsg"].startswith(f"argument invalid! data.{key}.value invalid rid: ")


def test_a_newline_may_cut_instead(sim: Sim) -> None:
    sim.post("/settings", {"template_newline": "cut"})
    assert send(sim, data={"thing1": "内科\n门诊"})["errcode"] == 0
    assert sim.chat("doctor-01")[0]["fields"]["thing1"] == "内科"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"openid": "oNobody"}, 40003),
        ({"openid": "doctor-01"}, 40003),
        ({"openid": OPENID}, 43004),
        ({"template": "TPL_none"}, 40037),
        ({"url": "http://x/" + "x" * 1024}, 40039),
    ],
)
def test_refusals(sim: Sim, changes: dict[str, str], code: int) -> None:
    assert send(sim, **changes)["errcode"] == code
    assert sim.api("POST", "/cgi-bin/message/template/send", b"{]")["errcode"] == 47001


def test_client_msg_id_means_one_message_for_ten_minutes(sim: Sim) -> None:
    first = send(sim, client_msg_id="m1")["msgid"]
    assert send(sim, client_msg_id="m1")["msgid"] == first
    assert send(sim, openid="oSimDoctor000000000000000002", client_msg_id="m1")["msgid"] != first
    assert len(sim.chat("doctor-01")) == 1
    sim.clock.time += 600
    assert send(sim, client_msg_id="m1")["msgid"] != first
    sums = sim.get("/sends")
    assert (sums["accepted"], sums["duplicates"]) == (3, 1)


def test_template_list(sim: Sim) -> None:
    listed = sim.api("GET", "/cgi-bin/template/get_all_private_template")["template_list"]
    entry = next(one for one in listed if one["template_id"] == TEMPLATE)
    assert "就诊时间：{{time2.DATA}}" in entry["content"]
    assert set(entry) == {"template_id", "title", "primary_industry", "deputy_industry", "content", "example"}


def custom(sim: Sim) -> int:
    body = {"touser": OPENID, "msgtype": "text", "text": {"content": "您好"}}
    return int(sim.api("POST", "/cgi-bin/message/custom/send", body)["errcode"])


def test_customer_messages_need_an_open_window(sim: Sim) -> None:
    assert custom(sim) == 45015
    sim.post("/phones/li-na/follow")
    assert [custom(sim) for _ in range(4)] == [0, 0, 0, 45047]
    sim.clock.time += 60
    assert custom(sim) == 45015
    sim.post("/phones/li-na/text", {"content": "在吗"})
    sim.clock.time += 47 * 3600
    assert [custom(sim) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    assert sum(message.get("custom", False) for message in sim.chat("li-na")) == 8


def test_user_info(sim: Sim) -> None:
    assert sim.api("GET", "/cgi-bin/user/info", openid=OPENID)["subscribe"] == 0
    sim.post("/phones/li-na/follow")
    known = sim.api("GET", "/cgi-bin/user/info", openid=OPENID)
    assert (known["subscribe"], known["nickname"], known["subscribe_time"]) == (1, "", int(sim.clock.time))
    assert sim.api("GET", "/cgi-bin/user/info", openid="li-na")["errcode"] == 40003
