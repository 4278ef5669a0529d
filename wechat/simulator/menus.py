"""Which menu a phone shows: the newest conditional menu that fits it, else the default one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .errors import ApiError
from .state import Phone, State

PLATFORMS = {"1": "iphone", "2": "android"}
RULES = {"tag_id", "group_id", "client_platform_type"}
DEFAULT_ID, DOMAINS = 425000000, 3


def shown_to(state: State, phone: Phone) -> dict[str, Any] | None:
    """The menu of this phone, with its `menuid`; None when the account has none."""
    if state.menu is None:
        return None
    fitting = (menu for menu in reversed(state.conditional) if fits(menu["matchrule"], phone))
    return next(fitting, {**state.menu, "menuid": DEFAULT_ID})


def fits(rule: dict[str, str], phone: Phone) -> bool:
    """Whether a rule means this phone."""
    tag, platform = rule.get("tag_id") or rule.get("group_id"), rule.get("client_platform_type")
    return (not tag or int(tag) in phone.tags) and (not platform or PLATFORMS.get(platform) == phone.platform)


def rule(state: State, given: Any) -> dict[str, str]:
    """A rule that names something; raises ApiError 65318, 65319 or 65320."""
    if not isinstance(given, dict):
        raise ApiError(65318)
    named = {str(name): str(value) for name, value in given.items() if value not in ("", None)}
    if named.keys() - RULES:
        raise ApiError(65320, ", ".join(sorted(named.keys() - RULES)))
    if not named:
        raise ApiError(65318)
    tag, platform = named.get("tag_id") or named.get("group_id"), named.get("client_platform_type")
    if tag and tag not in state.tags:
        raise ApiError(65319, "tag_id")
    if platform and platform not in ("1", "2", "3"):
        raise ApiError(65319, "client_platform_type")
    return named


def check_domains(menus: list[dict[str, Any]]) -> None:
    """Conditional menus lead to three domains at most; raises ApiError 65315."""
    buttons = [b for menu in menus for top in menu["button"] for b in [top, *top["sub_button"]]]
    if len({urlsplit(b["url"]).hostname for b in buttons if b.get("type") == "view"}) > DOMAINS:
        raise ApiError(65315)


def current(menu: dict[str, Any] | None) -> dict[str, Any]:
    """The menu as get_current_selfmenu_info words it: sub-buttons in a list of their own."""
    if menu is None:
        return {"is_menu_open": 0}
    buttons = [
        {"name": top["name"], "sub_button": {"list": [_plain(sub) for sub in top["sub_button"]]}}
        if top["sub_button"]
        else _plain(top)
        for top in menu["button"]
    ]
    return {"is_menu_open": 1, "selfmenu_info": {"button": buttons}}


def _plain(button: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in button.items() if name != "sub_button"}
