"""WeChat's limits on a menu, each with its error code."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .errors import ApiError

KEYED = {
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
}
NAMED = {  # what the other types carry, each with its size in bytes
    "media_id": {"media_id": 128},
    "article_id": {"article_id": 128},
    "article_view_limited": {"article_id": 128},
    "miniprogram": {"appid": 64, "pagepath": 1024, "url": 1024},
}
TOP, SUB = 3, 5
NAME_BYTES, SUB_NAME_BYTES, KEY_BYTES, URL_BYTES = 16, 60, 128, 1024


def check(body: dict[str, Any]) -> dict[str, Any]:
    """The menu to keep, with `sub_button` lists filled in; raises ApiError for the first limit broken."""
    buttons = body.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= TOP:
        raise ApiError(40016)
    return {"button": [_top(button, index) for index, button in enumerate(buttons)]}


def _top(button: Any, index: int) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise ApiError(40017, f"button[{index}]")
    where = f"button[{index}]"
    _size(button.get("name"), NAME_BYTES, 40018, where)
    subs = button.get("sub_button") or []
    if subs:
        if not isinstance(subs, list) or len(subs) > SUB:
            raise ApiError(40023, where)
        return {
            "name": button["name"],
            "sub_button": [_sub(sub, f"{where}.sub_button[{n}]") for n, sub in enumerate(subs)],
        }
    return _action(button, where, (40017, 40019, 40020, 40055)) | {"sub_button": []}


def _sub(button: Any, where: str) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise ApiError(40024, where)
    _size(button.get("name"), SUB_NAME_BYTES, 40025, where)
    return _action(button, where, (40024, 40026, 40027, 40054)) | {"sub_button": []}


def _action(button: dict[str, Any], where: str, codes: tuple[int, int, int, int]) -> dict[str, Any]:
    """Check a button that does something; `codes` are for its type, key, url size and url."""
    wrong_type, wrong_key, wrong_size, wrong_url = codes
    kind = button.get("type")
    if kind == "view":
        _size(button.get("url"), URL_BYTES, wrong_size, where)
        parts = urlsplit(button["url"])
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ApiError(wrong_url, where)
        return {"type": kind, "name": button["name"], "url": button["url"]}
    if kind in NAMED:
        for name, limit in NAMED[kind].items():
            _size(button.get(name), limit, wrong_key, where)
        return {"type": kind, "name": button["name"], **{name: button[name] for name in NAMED[kind]}}
    if kind not in KEYED:
        raise ApiError(wrong_type, where)
    _size(button.get("key"), KEY_BYTES, wrong_key, where)
    return {"type": kind, "name": button["name"], "key": button["key"]}


def _size(value: Any, limit: int, code: int, where: str) -> None:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= limit:
        raise ApiError(code, where)
