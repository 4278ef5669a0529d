"""The menu: within WeChat's limits, and published only when it differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commands import menu as commands
from tests.wechat.conftest import Answer, Api, Call, Room
from wechat.menu import MenuError, MenuPublisher
from wechat.tags import STAFF

GET, CREATE, DELETE = (f"/cgi-bin/menu/{verb}" for verb in ("get", "create", "delete"))
ADD, DROP = "/cgi-bin/menu/addconditional", "/cgi-bin/menu/delconditional"
TAGS = "/cgi-bin/tags/get"
OK = {"errcode": 0, "errmsg": "ok"}


@dataclass
class Account:
    """The menus as WeChat keeps them: the conditional ones newest first, an empty ``sub_button`` in every entry."""

    button: list[dict[str, Any]] = field(default_factory=list)
    conditional: list[dict[str, Any]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(208396993))

    def get(self, _: Call) -> Answer:
        if not self.button:
            return {"errcode": 46003, "errmsg": "menu no exist"}
        menus = {"conditionalmenu": self.conditional} if self.conditional else {}
        return {"menu": {"button": self.button, "menuid": 1}, **menus}

    def create(self, call: Call) -> Answer:
        self.button = filled(call.json["button"])
        return OK

    def add(self, call: Call) -> Answer:
        menu = {"button": filled(call.json["button"]), "matchrule": call.json["matchrule"]}
        self.conditional.insert(0, {**menu, "menuid": next(self.numbers)})
        return {"menuid": self.conditional[0]["menuid"]}

    def drop(self, call: Call) -> Answer:
        self.conditional = [menu for menu in self.conditional if str(menu["menuid"]) != call.json["menuid"]]
        return OK

    def delete(self, _: Call) -> Answer:
        self.button, self.conditional = [], []
        return OK


def filled(buttons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**button, "sub_button": filled(button.get("sub_button", []))} for button in buttons]


@pytest.fixture
def account(api: Api) -> Account:
    made = Account()
    api.routes |= {GET: made.get, CREATE: made.create, ADD: made.add, DROP: made.drop, DELETE: made.delete}
    api.routes[TAGS] = {"tags": [{"id": 2, "name": "星标组"}, {"id": 101, "name": STAFF}]}
    return made


def changes(api: Api) -> list[str]:
    """Which calls changed something since the last look."""
    made = [call.path.rpartition("/")[2] for call in api.calls if call.path in {CREATE, ADD, DROP, DELETE}]
    api.calls.clear()
    return made


def test_first_time(room: Room, api: Api, account: Account) -> None:
    assert room.service.menu.publish() == "published"
    (sent,) = [call.json for call in api.made(CREATE)]
    assert sent == {"button": room.service.menu.preview()["button"]}
    assert [button["name"] for button in sent["button"]] == ["医疗服务", "扫码", "帮助"]
    assert [entry["url"] for entry in sent["button"][0]["sub_button"]] == [
        "http://127.0.0.1:8000/internet-diagnosis",
        "http://127.0.0.1:8000/visits",
        "http://127.0.0.1:8000/prescriptions",
        "http://127.0.0.1:8000/children",
    ]
    assert sent["button"][1] == {"name": "扫码", "type": "scancode_waitmsg", "key": "scan-child"}
    assert b"\\u" not in api.made(CREATE)[0].body


def test_the_staff_have_their_own(room: Room, api: Api, account: Account) -> None:
    room.service.menu.publish()
    (sent,) = [call.json for call in api.made(ADD)]
    assert sent["matchrule"] == {"tag_id": "101"}
    staff = sent["button"][2]
    assert {entry["name"]: entry["url"].removeprefix("http://127.0.0.1:8000") for entry in staff["sub_button"]} == {
        "今日患者": "/desk",
        "我的排班": "/desk/roster",
        "待办": "/desk/tasks",
    }


def test_unchanged_is_not_sent_again(room: Room, api: Api, account: Account) -> None:
    room.service.menu.publish()
    assert changes(api) == ["create", "addconditional"]
    assert (room.service.menu.publish(), changes(api)) == ("unchanged", [])
    assert room.service.menu.diff() == ""
    account.button[0]["sub_button"].reverse()
    assert (room.service.menu.publish(), changes(api)) == ("published", ["create"])


def test_a_conditional_menu_that_differs_is_replaced_the_new_one_first(room: Room, api: Api, account: Account) -> None:
    room.service.menu.publish()
    account.conditional[0]["button"].pop()
    account.conditional.append({"button": account.button, "matchrule": {"group_id": 2}, "menuid": 5})
    changes(api)
    difference = room.service.menu.diff().splitlines()
    assert [line[0] for line in difference if "今日患者" in line] == ["+"]
    assert [line[0] for line in difference if "星标组" in line] == ["-"]
    assert room.service.menu.publish() == "published"
    assert changes(api) == ["addconditional", "delconditional", "delconditional"]
    assert room.service.menu.publish() == "unchanged"
    assert len(account.conditional) == 1


def test_a_rule_that_is_not_ours_makes_a_difference(room: Room, api: Api, account: Account) -> None:
    room.service.menu.publish()
    account.conditional[0]["matchrule"]["client_platform_type"] = "2"
    assert "client_platform_type" in room.service.menu.diff()


def test_what_is_pulled_is_a_file_that_publishes_the_same(
    room: Room, api: Api, account: Account, tmp_path: Path
) -> None:
    room.service.menu.publish()
    account.button[2] = {"name": '"他"的\\', "type": "view", "url": "https://elsewhere.example/", "sub_button": []}
    path = tmp_path / "menu.toml"
    path.write_text(room.service.menu.pull())
    assert 'path = "/internet-diagnosis"' in path.read_text()
    pulled = MenuPublisher(room.service.client, "http://127.0.0.1:8000", path)
    assert pulled.preview() == room.service.menu.published()
    assert pulled.publish() == "unchanged"


def test_deleted(room: Room, api: Api, account: Account) -> None:
    room.service.menu.publish()
    run = CliRunner().invoke(commands.group(room.service.menu), ["delete"], input="n\n")
    assert (run.exit_code, bool(account.button)) == (1, True)
    run = CliRunner().invoke(commands.group(room.service.menu), ["delete", "--yes"])
    assert (run.output, account.button) == ("the account has no menu\n", [])
    assert room.service.menu.published() == {"button": [], "conditional": []}


@pytest.mark.parametrize("verb", ["diff", "pull", "publish", "preview"])
def test_commands_say_what_wechat_said(room: Room, api: Api, account: Account, verb: str) -> None:
    assert CliRunner().invoke(commands.group(room.service.menu), [verb]).exit_code == 0
    api.routes[GET] = {"errcode": 48001, "errmsg": "api unauthorized rid: 1-2-3"}
    refused = CliRunner().invoke(commands.group(room.service.menu), [verb])
    assert refused.exit_code == (0 if verb == "preview" else 1)
    assert ("48001 api unauthorized (rid 1-2-3)" in refused.output) == (verb != "preview")


def entry(name: str = "帮助", kind: str = "view", rest: str = 'path = "/help"') -> str:
    return f'[[button]]\nname = "{name}"\ntype = "{kind}"\n{rest}\n'


def conditional(url: str = "https://a.example") -> str:
    return entry(rest=f'url = "{url}"').replace("[[button]]", "[[conditional.button]]")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "the menu has 0 entries"),
        (entry() * 4, "the menu has 4 entries"),
        (entry("互联网诊疗服"), "'互联网诊疗服' has a name of 18 bytes; WeChat takes 16"),
        (entry(""), "has no name"),
        (entry(kind="shop"), "'帮助' has the type 'shop'"),
        (entry(kind="click"), "'帮助' has no key"),
        (entry(rest=""), "'帮助' has no path"),
        (entry(rest=f'path = "/{"a" * 1024}"'), "'帮助' has a url of 1034 bytes; WeChat takes 1024"),
        (entry(kind="click", rest=f'key = "{"k" * 129}"'), "'帮助' has a key of 129 bytes; WeChat takes 128"),
        ('[[button]]\nname = "a"\nentry = []\n', "'a' has 0 entries"),
        ('[[button]]\nname = "a"\n' + entry().replace("button", "button.entry") * 6, "'a' has 6 entries"),
        (
            '[[button]]\nname = "a"\n' + entry("务" * 21).replace("button", "button.entry"),
            "has a name of 63 bytes; WeChat takes 60",
        ),
        (
            '[[button]]\nname = "a"\n[[button.entry]]\nname = "b"\n' + entry().replace("button", "button.entry.entry"),
            "'b' has entries of its own",
        ),
        (entry(kind="pic_weixin", rest=""), "'帮助' has no key"),
        (entry(kind="miniprogram"), "'帮助' has no appid; '帮助' has no pagepath"),
        (entry() + "[[conditional]]\n" + conditional(), "a conditional menu needs a tag of its own, not ''"),
        (entry() + ('[[conditional]]\ntag = "a"\n' + conditional()) * 2, "a tag of its own, not 'a'"),
        (entry() + '[[conditional]]\ntag = "a"\n', "the menu for 'a' has 0 entries"),
        (
            entry() + '[[conditional]]\ntag = "a"\n' + "".join(conditional(f"https://{n}.example") for n in range(4)),
            "the conditional menus link to 4 domains (0.example, 1.example, 2.example, 3.example); WeChat takes 3",
        ),
    ],
)
def test_limits_are_checked_before_anything_is_sent(
    room: Room, api: Api, tmp_path: Path, data: str, problem: str
) -> None:
    path = tmp_path / "menu.toml"
    path.write_text(data)
    with pytest.raises(MenuError) as caught:
        MenuPublisher(room.service.client, "https://a", path).publish()
    assert problem in str(caught.value)
    assert api.calls == []


def test_all_that_fits_is_taken(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "menu.toml"
    below = entry("务" * 20, "click", f'key = "{"k" * 128}"').replace("button", "button.entry")
    path.write_text(f'[[button]]\nname = "互联网诊疗a"\n{below * 5}' + entry() * 2)
    assert len(MenuPublisher(room.service.client, "https://a", path).preview()["button"]) == 3
