"""The account's menus: everybody's and the staff's, read from config/data/menu.toml, published when they differ."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from config.settings import ROOT
from wechat.client import WeChatClient, WeChatError
from wechat.menu_limits import Button, problems
from wechat.tags import Tags

DATA = ROOT / "config/data/menu.toml"
NO_MENU = 46003

Menu = dict[str, Any]


class MenuError(ValueError):
    """The menu's data break a limit of WeChat. The message names every entry at fault."""


@dataclass(frozen=True)
class MenuPublisher:
    """The menus of config/data/menu.toml and those in WeChat; ``origin`` is where our pages are.

    Both are ``{"button": [...], "conditional": [{"tag": name, "button": [...]}]}``. All but ``preview`` raise
    WeChatError and WeChatUnavailable.
    """

    client: WeChatClient
    origin: str
    path: Path = field(default=DATA)

    def preview(self) -> Menu:
        """The menus as they would be sent. Raises MenuError."""
        with self.path.open("rb") as source:
            data = tomllib.load(source)
        menu = {
            "button": self._buttons(data),
            "conditional": sorted(
                ({"tag": menu.get("tag", ""), "button": self._buttons(menu)} for menu in data.get("conditional", [])),
                key=_tag,
            ),
        }
        if found := list(problems(menu["button"], menu["conditional"])):
            raise MenuError("; ".join(found))
        return menu

    def publish(self) -> Literal["unchanged", "published"]:
        """Publish what WeChat has otherwise. Raises MenuError.

        A conditional menu can't be changed, and the newest that fits a person counts: so the new one is added before
        the old one goes, and nobody is without theirs in between.
        """
        wanted, known = self.preview(), self.published()
        if known == wanted:
            return "unchanged"
        if known["button"] != wanted["button"]:
            self.client.call("post", "menu/create", {"button": wanted["button"]})
        old = self._conditional()
        for menu in wanted["conditional"]:
            if menu not in [kept for _, kept in old]:
                rule = {"tag_id": str(Tags(self.client).ensure(menu["tag"]))}
                self.client.call("post", "menu/addconditional", {"button": menu["button"], "matchrule": rule})
        for number, menu in old:
            if menu not in wanted["conditional"]:
                self.client.call("post", "menu/delconditional", {"menuid": number})
        return "published"

    def published(self) -> Menu:
        """The menus that WeChat has, as they compare with ``preview``."""
        return {
            "button": _plain(self._get().get("menu", {}).get("button", [])),
            "conditional": sorted((menu for _, menu in self._conditional()), key=_tag),
        }

    def diff(self) -> str:
        """What publishing would change, as a unified diff; empty when nothing. Raises MenuError."""
        before, after = (_lines(menu) for menu in (self.published(), self.preview()))
        return "\n".join(difflib.unified_diff(before, after, "WeChat", self.path.name, n=2, lineterm=""))

    def pull(self) -> str:
        """The menus that WeChat has as a file like config/data/menu.toml, to begin from with an account in use."""
        menu = self.published()
        lines = [*self._toml(menu["button"], "button")]
        for conditional in menu["conditional"]:
            rest = {name: value for name, value in conditional.items() if name != "button"}
            lines += ["", "[[conditional]]", *_assignments(rest)]
            lines += self._toml(conditional["button"], "conditional.button")
        return "\n".join(lines).strip() + "\n"

    def delete(self) -> None:
        """Take all menus away, the conditional ones too."""
        self.client.call("get", "menu/delete")

    def _get(self) -> dict[str, Any]:
        try:
            return self.client.call("get", "menu/get")
        except WeChatError as error:
            if error.code != NO_MENU:
                raise
            return {}

    def _conditional(self) -> list[tuple[str, Menu]]:
        """The conditional menus that WeChat has, each with its number."""
        menus = self._get().get("conditionalmenu") or []
        names = {str(number): name for name, number in Tags(self.client).ids().items()} if menus else {}
        return [(str(menu["menuid"]), _conditional(menu, names)) for menu in menus]

    def _buttons(self, data: Mapping[str, Any]) -> list[Button]:
        return [self._button(entry) for entry in data.get("button", [])]

    def _button(self, entry: Mapping[str, Any]) -> Button:
        """An entry of the data as WeChat wants it: ``path`` becomes an address, ``entry`` the list below."""
        button = {name: value for name, value in entry.items() if name not in {"path", "entry"}}
        if "path" in entry:
            button["url"] = self.origin + entry["path"]
        if "entry" in entry:
            button["sub_button"] = [self._button(below) for below in entry["entry"]]
        return button

    def _toml(self, buttons: list[Button], table: str) -> Iterator[str]:
        for button in buttons:
            values = {name: value for name, value in button.items() if name != "sub_button"}
            if str(values.get("url", "")).startswith(self.origin + "/"):
                values["path"] = values.pop("url").removeprefix(self.origin)
            yield from ("", f"[[{table}]]", *_assignments(values))
            yield from self._toml(button.get("sub_button", []), f"{table}.entry")


def _assignments(values: Mapping[str, Any]) -> Iterator[str]:
    """TOML lines, the name first; a JSON string is a TOML string."""
    ordered = sorted(values, key=lambda name: (name != "name", name != "type"))
    return (f"{name} = {json.dumps(str(values[name]), ensure_ascii=False)}" for name in ordered)


def _tag(menu: Menu) -> str:
    return str(menu["tag"])


def _lines(menu: Menu) -> list[str]:
    return json.dumps(menu, ensure_ascii=False, indent=2, sort_keys=True).splitlines()


def _plain(buttons: list[Button]) -> list[Button]:
    """Buttons as they compare: WeChat adds an empty ``sub_button`` to each."""
    plain = []
    for button in buttons:
        below = _plain(button.get("sub_button") or [])
        rest = {name: value for name, value in button.items() if name != "sub_button"}
        plain.append({**rest, "sub_button": below} if below else rest)
    return plain


def _conditional(menu: Mapping[str, Any], names: Mapping[str, str]) -> Menu:
    """A conditional menu as it compares; ``group_id`` is WeChat's older name of a tag's number."""
    rule = {name: value for name, value in menu.get("matchrule", {}).items() if value}
    number = str(rule.pop("tag_id", None) or rule.pop("group_id", ""))
    return {"tag": names.get(number, number), "button": _plain(menu.get("button", [])), **rule}
