"""Scene codes: made, drawn, scanned, expired; short keys."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.wechat.simulator.conftest import Sim
from wechat.simulator.pictures import decode


def create(sim: Sim, kind: str, scene: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"action_name": kind, "action_info": {"scene": scene}, **more}
    return dict(sim.api("POST", "/cgi-bin/qrcode/create", body))


def test_a_temporary_code_from_making_to_its_end(sim: Sim) -> None:
    made = create(sim, "QR_STR_SCENE", {"scene_str": "invite.7"}, expire_seconds=600)
    assert made["expire_seconds"] == 600
    picture = sim.session.get(f"{sim.origin}/cgi-bin/showqrcode?ticket={quote(made['ticket'])}", timeout=60)
    assert decode(picture.content) == ("qrcode", made["url"])
    on_phone = sim.phone("li-na", f"/.wechat/cgi-bin/showqrcode?ticket={quote(made['ticket'])}")
    assert on_phone.content == picture.content
    assert [code["scene"] for code in sim.get("/codes")["codes"]] == ["invite.7"]
    sim.post("/phones/li-na/scan-code", {"result": made["url"]})
    event = sim.toy.received[-1]
    assert (event.event, event.scene_id, event.ticket) == ("subscribe_scan", "invite.7", made["ticket"])
    answer = sim.session.post(
        f"{sim.origin}/simulator/api/phones/li-na/scan-code", files={"image": picture.content}, timeout=5
    )
    assert answer.json()["delivery"]["event"] == "SCAN"
    event = sim.toy.received[-1]
    assert (event.event, event.scene_id, event.ticket) == ("scan", "invite.7", made["ticket"])
    info = sim.api("GET", "/cgi-bin/user/info", openid="oSimParent000000000000000001")
    assert (info["subscribe_scene"], info["qr_scene"], info["qr_scene_str"]) == ("ADD_SCENE_QR_CODE", 0, "invite.7")
    sim.clock.time += 600
    late = sim.session.post(
        f"{sim.origin}/simulator/api/phones/li-na/scan-code", json={"result": made["url"]}, timeout=5
    )
    assert (late.status_code, late.json()["error"]) == (400, "the code has expired")
    assert sim.get("/codes")["codes"] == []


def test_a_scan_lets_the_account_write(sim: Sim) -> None:
    made = create(sim, "QR_SCENE", {"scene_id": 7})
    sim.post("/phones/doctor-01/scan-code", {"result": made["url"]})
    body = {"touser": "oSimDoctor000000000000000001", "msgtype": "text", "text": {"content": "您好"}}
    assert [sim.api("POST", "/cgi-bin/message/custom/send", body)["errcode"] for _ in range(4)] == [0, 0, 0, 45047]


def test_a_permanent_code(sim: Sim) -> None:
    made = create(sim, "QR_LIMIT_SCENE", {"scene_id": 42})
    assert "expire_seconds" not in made
    assert create(sim, "QR_LIMIT_SCENE", {"scene_id": 42})["ticket"] == made["ticket"]
    assert create(sim, "QR_LIMIT_STR_SCENE", {"scene_str": "42"})["ticket"] != made["ticket"]
    sim.clock.time += 10 * 365 * 86400
    sim.post("/phones/li-na/scan-code", {"result": made["url"]})
    assert sim.api("GET", "/cgi-bin/user/info", openid="oSimParent000000000000000001")["qr_scene"] == 42


@pytest.mark.parametrize(
    ("kind", "scene", "more", "code"),
    [
        ("QR_OTHER", {"scene_id": 1}, {}, 40053),
        ("QR_SCENE", {"scene_id": 0}, {}, 40053),
        ("QR_SCENE", {"scene_id": "1"}, {}, 40053),
        ("QR_SCENE", {"scene_id": 2**32}, {}, 40053),
        ("QR_LIMIT_SCENE", {"scene_id": 100_001}, {}, 40053),
        ("QR_STR_SCENE", {"scene_str": ""}, {}, 40053),
        ("QR_STR_SCENE", {"scene_str": "x" * 65}, {}, 40053),
        ("QR_STR_SCENE", {"scene_id": 1}, {}, 40053),
        ("QR_SCENE", {"scene_id": 1}, {"expire_seconds": 0}, 40052),
        ("QR_SCENE", {"scene_id": 1}, {"expire_seconds": "600"}, 40052),
    ],
)
def test_refusals(sim: Sim, kind: str, scene: dict[str, Any], more: dict[str, Any], code: int) -> None:
    assert create(sim, kind, scene, **more)["errcode"] == code


def test_how_long_a_code_may_live(sim: Sim) -> None:
    assert create(sim, "QR_SCENE", {"scene_id": 1})["expire_seconds"] == 60
    assert create(sim, "QR_SCENE", {"scene_id": 1}, expire_seconds=9_999_999)["expire_seconds"] == 2_592_000


def test_a_foreign_code(sim: Sim) -> None:
    answer = sim.session.post(
        f"{sim.origin}/simulator/api/phones/li-na/scan-code", json={"picture": "patient-2001"}, timeout=5
    )
    assert answer.status_code == 400
    assert sim.session.get(f"{sim.origin}/cgi-bin/showqrcode?ticket=x", timeout=60).status_code == 404


def test_short_keys(sim: Sim) -> None:
    def post(path: str, **body: Any) -> dict[str, Any]:
        return dict(sim.api("POST", f"/cgi-bin/shorten/{path}", body))

    key = post("gen", long_data="长" * 1000, expire_seconds=100)["short_key"]
    sim.clock.time += 99
    assert (post("fetch", short_key=key)["long_data"], post("fetch", short_key=key)["expire_seconds"]) == (
        "长" * 1000,
        1,
    )
    sim.clock.time += 1
    assert post("fetch", short_key=key)["errcode"] == 9410012
    assert post("gen", long_data="x" * 4097)["errcode"] == 9410010
    assert post("gen", long_data="x", expire_seconds=30 * 86400 + 1)["errcode"] == 9410011
