"""The account's menu: read from config/data/menu.toml, checked against WeChat's limits, published when it differs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from config.settings import ROOT
from wechat.client import WeChatClient, WeChatError

DATA = ROOT / "config/data/menu.toml"
NO_MENU = 46003

# WeChat's limits (custom menu, api_createcustommenu): counts, and bytes of UTF-8.
TOP_ENTRIES, SUB_ENTRIES = 3, 5
TOP_NAME, SUB_NAME, KEY, URL = 16, 60, 128, 1024
NEEDS = {"view": "url", "click": "key", "scancode_waitmsg": "key", "scancode_push": "key"}

Button = dict[str, Any]


class MenuError(ValueError):
    """The menu's data break a limit of WeChat. The message names every entry at fault."""


@dataclass(frozen=True)
class MenuPublisher:
    """Publishes the menu of config/data/menu.toml; ``origin`` is where its pages are."""

    client: WeChatClient
    origin: str
    path: Path = field(default=DATA)

    def preview(self) -> dict[str, Any]:
        """The menu as it would be sent. Raises MenuError."""
        with self.path.open("rb") as source:
            menu = {"button": [_button(entry, self.origin) for entry in tomllib.load(source).get("button", [])]}
        if problems := list(_problems(menu["button"])):
            raise MenuError("; ".join(problems))
        return menu

    def publish(self) -> Literal["unchanged", "published"]:
        """Publish the menu if WeChat has another one. Raises MenuError, WeChatError, WeChatUnavailable."""
        menu = self.preview()
        if _plain(self._published()) == _plain(menu["button"]):
            return "unchanged"
        self.client.call("post", "menu/create", menu)
        return "published"

    def _published(self) -> list[Button]:
        try:
            answer = self.client.call("get", "menu/get")
        except WeChatError as error:
            if error.code != NO_MENU:
                raise
            return []
        buttons = answer.get("menu", {}).get("button", [])
        return list(buttons)


def _button(entry: Mapping[str, Any], origin: str) -> Button:
    """An entry of the data as WeChat wants it: ``path`` becomes an address, ``entry`` the list below."""
    button = {name: value for name, value in entry.items() if name not in {"path", "entry"}}
    if "path" in entry:
        button["url"] = origin + entry["path"]
    if "entry" in entry:
        button["sub_button"] = [_button(below, origin) for below in entry["entry"]]
    return button


def _plain(buttons: list[Button]) -> list[Button]:
    """Buttons as they compare: WeChat adds an empty ``sub_button`` to each."""
    plain = []
    for button in buttons:
        below = _plain(button.get("sub_button") or [])
        rest = {name: value for name, value in button.items() if name != "sub_button"}
        plain.append({**rest, "sub_button": below} if below else rest)
    return plain


def _problems(top: list[Button]) -> Iterator[str]:
    if not 1 <= len(top) <= TOP_ENTRIES:
        yield f"the menu has {len(top)} entries; WeChat takes 1 to {TOP_ENTRIES}"
    for button in top:
        below = button.get("sub_button")
        if below is None:
            yield from _entry_problems(button, TOP_NAME)
            continue
        yield from _name_problems(button, TOP_NAME)
        if not 1 <= len(below) <= SUB_ENTRIES:
            yield f"{button.get('name')!r} has {len(below)} entries; WeChat takes 1 to {SUB_ENTRIES}"
        for entry in below:
            if "sub_button" in entry:
                yield f"{entry.get('name')!r} has entries of its own; WeChat's menu has two levels"
            yield from _entry_problems(entry, SUB_NAME)


def _name_problems(button: Button, limit: int) -> Iterator[str]:
    name = str(button.get("name", ""))
    if not name:
        yield f"an entry has no name: {button}"
    elif (size := len(name.encode())) > limit:
        yield f"{name!r} has a name of {size} bytes; WeChat takes {limit}"


def _entry_problems(button: Button, name_limit: int) -> Iterator[str]:
    yield from _name_problems(button, name_limit)
    name, kind = button.get("name"), str(button.get("type", ""))
    if kind not in NEEDS:
        yield f"{name!r} has the type {kind!r}; known are {', '.join(NEEDS)}"
        return
    needed = NEEDS[kind]
    value = str(button.get(needed, ""))
    limit = URL if needed == "url" else KEY
    if not value:
        yield f"{name!r} has no {'path' if needed == 'url' else needed}"
    elif (size := len(value.encode())) > limit:
        yield f"{name!r} has a {needed} of {size} bytes; WeChat takes {limit}"
