"""The menu's limits, and that phones see it at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wechat.simulator.conftest import Sim

CLICK = {"type": "click", "name": "帮助", "key": "help"}


def view(url: str, name: str = "看") -> dict[str, Any]:
    return {"type": "view", "name": name, "url": url}


def sub(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"name": "更多", "sub_button": list(buttons)}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([CLICK | {"name": ""}], 40018),
        ([CLICK | {"name": "六个汉字超长"}], 40018),
        ([CLICK | {"key": "k" * 129}], 40019),
        ([CLICK | {"type": "fly"}], 40017),
        ([view("x" * 1025)], 40020),
        ([view("javascript:alert(1)")], 40055),
        ([sub(*[CLICK] * 6)], 40023),
        ([sub(CLICK | {"type": "fly"})], 40024),
        ([sub(CLICK | {"name": "长" * 21})], 40025),
        ([sub(CLICK | {"key": ""})], 40026),
        ([sub(view(""))], 40027),
        ([sub(view("ftp://host/"))], 40054),
    ],
)
def test_limits(sim: Sim, buttons: list[Any], code: int) -> None:
    assert sim.api("POST", "/cgi-bin/menu/create", {"button": buttons})["errcode"] == code
    assert sim.api("GET", "/cgi-bin/menu/get")["errcode"] == 46003


def test_names_just_fit(sim: Sim) -> None:
    buttons = [CLICK | {"name": "五个汉字x"}, sub(CLICK | {"name": "长" * 20})]
    assert sim.api("POST", "/cgi-bin/menu/create", {"button": buttons}) == {"errcode": 0, "errmsg": "ok"}


def test_escapes_are_refused(sim: Sim) -> None:
    raw = json.dumps({"button": [CLICK]}).encode()
    assert b"\\u" in raw
    assert sim.api("POST", "/cgi-bin/menu/create", raw)["errcode"] == 40033
    assert sim.api("POST", "/cgi-bin/menu/create", b"{")["errcode"] == 47001


def test_published_read_and_deleted(sim: Sim) -> None:
    sim.api("POST", "/cgi-bin/menu/create", {"button": [sub(CLICK)]})
    menu = sim.api("GET", "/cgi-bin/menu/get")["menu"]
    assert menu == {"button": [{"name": "更多", "sub_button": [CLICK | {"sub_button": []}]}]}
    assert sim.get("/state")["menu"] == menu
    sim.api("GET", "/cgi-bin/menu/delete")
    assert sim.get("/state")["menu"] is None
