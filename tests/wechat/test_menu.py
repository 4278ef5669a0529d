"""The menu: within WeChat's limits, and published only when it differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wechat.conftest import Api, Room
from wechat.menu import MenuError, MenuPublisher

GET, CREATE = "/cgi-bin/menu/get", "/cgi-bin/menu/create"


def test_first_time(room: Room, api: Api) -> None:
    api.routes[GET] = {"errcode": 46003, "errmsg": "menu no exist"}
    api.routes[CREATE] = {"errcode": 0, "errmsg": "ok"}
    assert room.service.menu.publish() == "published"
    (sent,) = [call.json for call in api.made(CREATE)]
    assert sent == room.service.menu.preview()
    assert [button["name"] for button in sent["button"]] == ["医疗服务", "扫码", "帮助"]
    assert [entry["url"] for entry in sent["button"][0]["sub_button"]] == [
        "http://127.0.0.1:8000/internet-diagnosis",
        "http://127.0.0.1:8000/visits",
        "http://127.0.0.1:8000/children",
    ]
    assert sent["button"][1] == {"name": "扫码", "type": "scancode_waitmsg", "key": "scan-child"}
    assert b"\\u" not in api.made(CREATE)[0].body


def test_unchanged_is_not_sent_again(room: Room, api: Api) -> None:
    menu = room.service.menu.preview()
    for button in menu["button"]:
        button.setdefault("sub_button", [])
        for entry in button["sub_button"]:
            entry["sub_button"] = []  # as WeChat gives it back
    api.routes[GET] = {"menu": menu}
    assert room.service.menu.publish() == "unchanged"
    menu["button"][0]["sub_button"].reverse()
    api.routes[CREATE] = {"errcode": 0}
    assert room.service.menu.publish() == "published"
    assert len(api.made(CREATE)) == 1


def entry(name: str = "帮助", kind: str = "view", rest: str = 'path = "/help"') -> str:
    return f'[[button]]\nname = "{name}"\ntype = "{kind}"\n{rest}\n'


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
