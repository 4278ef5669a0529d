"""Tags, conditional menus, lists of followers: each call and each limit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wechat.simulator.conftest import Sim

DOCTOR, PARENT = "oSimDoctor000000000000000001", "oSimParent000000000000000001"
CLICK = {"type": "click", "name": "帮助", "key": "help"}
STAFF = {"type": "click", "name": "今日患者", "key": "patients"}


def post(sim: Sim, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return dict(sim.api("POST", f"/cgi-bin/{path}", body))


def tag(sim: Sim, name: str = "医生") -> int:
    return int(post(sim, "tags/create", {"tag": {"name": name}})["tag"]["id"])


def put(sim: Sim, number: int, *openids: str, verb: str = "batchtagging") -> int:
    return int(post(sim, f"tags/members/{verb}", {"tagid": number, "openid_list": list(openids)})["errcode"])


def test_the_life_of_a_tag(sim: Sim) -> None:
    number = tag(sim)
    assert number >= 100
    assert post(sim, "tags/update", {"tag": {"id": number, "name": "大夫"}})["errcode"] == 0
    assert put(sim, number, DOCTOR) == 0
    assert sim.api("GET", "/cgi-bin/tags/get")["tags"] == [{"id": number, "name": "大夫", "count": 1}]
    assert post(sim, "tags/getidlist", {"openid": DOCTOR}) == {"tagid_list": [number]}
    assert post(sim, "user/tag/get", {"tagid": number})["data"] == {"openid": [DOCTOR]}
    assert sim.api("GET", "/cgi-bin/user/info", openid=DOCTOR)["tagid_list"] == [number]
    assert put(sim, number, DOCTOR, verb="batchuntagging") == 0
    assert post(sim, "user/tag/get", {"tagid": number}) == {"count": 0, "next_openid": ""}
    assert put(sim, number, DOCTOR) == 0
    assert post(sim, "tags/delete", {"tag": {"id": number}})["errcode"] == 0
    assert post(sim, "tags/getidlist", {"openid": DOCTOR}) == {"tagid_list": []}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("tags/create", {"tag": {"name": ""}}, 45158),
        ("tags/create", {"tag": {"name": "字" * 11}}, 45158),
        ("tags/create", {"tag": {"name": "医生"}}, 45157),
        ("tags/create", {}, 45158),
        ("tags/update", {"tag": {"id": 2, "name": "x"}}, 45058),
        ("tags/update", {"tag": {"id": 999, "name": "x"}}, 45159),
        ("tags/delete", {"tag": {"id": 0}}, 45058),
        ("tags/members/batchtagging", {"tagid": 100, "openid_list": []}, 40032),
        ("tags/members/batchtagging", {"tagid": 100, "openid_list": [DOCTOR] * 51}, 40032),
        ("tags/members/batchtagging", {"tagid": 100, "openid_list": ["oNobody"]}, 40003),
        ("tags/members/batchtagging", {"tagid": 100, "openid_list": [PARENT]}, 49003),
        ("tags/members/batchtagging", {"tagid": 7, "openid_list": [DOCTOR]}, 45159),
        ("tags/getidlist", {"openid": "oNobody"}, 40003),
    ],
)
def test_refused_tags(sim: Sim, path: str, body: dict[str, Any], code: int) -> None:
    tag(sim)
    assert post(sim, path, body)["errcode"] == code


def test_numbers_of_tags(sim: Sim) -> None:
    numbers = [tag(sim, f"tag {n}") for n in range(100)]
    assert post(sim, "tags/create", {"tag": {"name": "one more"}})["errcode"] == 45056
    assert [put(sim, number, DOCTOR) for number in numbers[:21]] == [0] * 20 + [45059]


def test_leaving_takes_the_tags(sim: Sim) -> None:
    number = tag(sim)
    put(sim, number, DOCTOR)
    sim.post("/phones/doctor-01/unfollow")
    sim.post("/phones/doctor-01/follow")
    assert post(sim, "tags/getidlist", {"openid": DOCTOR}) == {"tagid_list": []}


def conditional(sim: Sim, rule: Any, button: dict[str, Any] = STAFF) -> dict[str, Any]:
    return post(sim, "menu/addconditional", {"button": [button], "matchrule": rule})


def names(sim: Sim, openid: str) -> list[str]:
    return [button["name"] for button in post(sim, "menu/trymatch", {"user_id": openid})["menu"]["button"]]


def test_a_tag_sees_its_own_menu(sim: Sim) -> None:
    number = tag(sim)
    assert conditional(sim, {"tag_id": number})["errcode"] == 65301, "a default menu comes first"
    post(sim, "menu/create", {"button": [CLICK]})
    menuid = conditional(sim, {"tag_id": str(number)})["menuid"]
    put(sim, number, DOCTOR)
    assert (names(sim, DOCTOR), names(sim, "oSimDoctor000000000000000002")) == (["今日患者"], ["帮助"])
    assert sim.get("/phones/doctor-01")["menu"]["button"][0]["key"] == "patients"
    sim.post("/phones/doctor-01/tap", {"entry": "patients"})
    assert sim.toy.received[-1].key == "patients"
    listed = sim.api("GET", "/cgi-bin/menu/get")
    assert [menu["matchrule"] for menu in listed["conditionalmenu"]] == [{"tag_id": str(number)}]
    assert str(listed["conditionalmenu"][0]["menuid"]) == menuid
    newer = conditional(sim, {"client_platform_type": "2"}, CLICK | {"name": "安卓"})["menuid"]
    platform = sim.get("/phones/doctor-01")["platform"]
    assert names(sim, DOCTOR) == (["安卓"] if platform == "android" else ["今日患者"]), "the newest rule goes first"
    assert post(sim, "menu/delconditional", {"menuid": newer})["errcode"] == 0
    assert post(sim, "menu/delconditional", {"menuid": newer})["errcode"] == 65301
    assert names(sim, DOCTOR) == ["今日患者"]
    sim.api("GET", "/cgi-bin/menu/delete")
    assert post(sim, "menu/trymatch", {"user_id": DOCTOR})["errcode"] == 46003, "the default takes all with it"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (None, 65318),
        ({}, 65318),
        ({"tag_id": ""}, 65318),
        ({"tag_id": "999"}, 65319),
        ({"client_platform_type": "4"}, 65319),
        ({"sex": "1"}, 65320),
        ({"language": "zh_CN", "client_platform_type": "1"}, 65320),
    ],
)
def test_refused_rules(sim: Sim, rule: Any, code: int) -> None:
    post(sim, "menu/create", {"button": [CLICK]})
    assert conditional(sim, rule)["errcode"] == code


def test_domains_of_conditional_menus(sim: Sim) -> None:
    post(sim, "menu/create", {"button": [CLICK]})
    rule = {"client_platform_type": "1"}
    views = [{"type": "view", "name": "v", "url": f"https://{n}.example/"} for n in "abcd"]
    codes = [conditional(sim, rule, view).get("errcode", 0) for view in views]
    assert codes == [0, 0, 0, 65315]


def test_trymatch_needs_a_follower(sim: Sim) -> None:
    post(sim, "menu/create", {"button": [CLICK]})
    assert post(sim, "menu/trymatch", {"user_id": PARENT})["errcode"] == 65309


def test_the_menu_in_its_other_shape(sim: Sim) -> None:
    assert sim.api("GET", "/cgi-bin/get_current_selfmenu_info") == {"is_menu_open": 0}
    post(sim, "menu/create", {"button": [CLICK, {"name": "更多", "sub_button": [STAFF]}]})
    info = sim.api("GET", "/cgi-bin/get_current_selfmenu_info")
    assert info["selfmenu_info"]["button"] == [CLICK, {"name": "更多", "sub_button": {"list": [STAFF]}}]


def test_more_types_of_entries(sim: Sim) -> None:
    program = {"type": "miniprogram", "name": "小程序", "appid": "wx1", "pagepath": "p", "url": "https://a.example/"}
    article = {"type": "article_id", "name": "文章", "article_id": "a"}
    assert post(sim, "menu/create", {"button": [program, article]})["errcode"] == 0
    assert post(sim, "menu/create", {"button": [program | {"pagepath": ""}]})["errcode"] == 40019


def test_followers(sim: Sim) -> None:
    listed = sim.api("GET", "/cgi-bin/user/get")
    assert (listed["total"], listed["count"], listed["data"]["openid"][2]) == (17, 17, DOCTOR)  # two families before
    rest = sim.api("GET", "/cgi-bin/user/get", next_openid=listed["data"]["openid"][15])
    assert (rest["total"], rest["count"]) == (17, 1)
    assert sim.api("GET", "/cgi-bin/user/get", next_openid=PARENT)["errcode"] == 40003
    people = [{"openid": DOCTOR, "lang": "zh_CN"}, {"openid": PARENT}]
    assert post(sim, "user/info/updateremark", {"openid": DOCTOR, "remark": "内科"})["errcode"] == 0
    infos = post(sim, "user/info/batchget", {"user_list": people})["user_info_list"]
    assert [(info["subscribe"], info.get("remark")) for info in infos] == [(1, "内科"), (0, None)]
    assert post(sim, "user/info/batchget", {"user_list": people * 51})["errcode"] == 40032
    assert post(sim, "user/info/updateremark", {"openid": DOCTOR, "remark": "长" * 31})["errcode"] == 47001
