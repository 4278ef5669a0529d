"""WeChat's limits on menus (api_createcustommenu, api_addconditionalmenu): each problem names its entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

Button = dict[str, Any]

# Counts, and bytes of UTF-8.
TOP_ENTRIES, SUB_ENTRIES, CONDITIONAL_DOMAINS = 3, 5, 3
TOP_NAME, SUB_NAME = 16, 60
LIMITS = {"key": 128, "url": 1024}
KEY, URL, MEDIA, ARTICLE = ("key",), ("url",), ("media_id",), ("article_id",)
NEEDS: Mapping[str, tuple[str, ...]] = {
    "view": URL,
    "click": KEY,
    "scancode_push": KEY,
    "scancode_waitmsg": KEY,
    "pic_sysphoto": KEY,
    "pic_photo_or_album": KEY,
    "pic_weixin": KEY,
    "location_select": KEY,
    "media_id": MEDIA,
    "article_id": ARTICLE,
    "article_view_limited": ARTICLE,
    "miniprogram": ("appid", "pagepath", "url"),
}


def problems(default: Sequence[Button], conditional: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What WeChat would refuse: in the default menu, and in those for people with a tag."""
    yield from _menu(default, "the menu")
    tags = [str(menu.get("tag", "")) for menu in conditional]
    for menu, tag in zip(conditional, tags, strict=True):
        if not tag or tags.count(tag) > 1:
            yield f"a conditional menu needs a tag of its own, not {tag!r}"
        yield from _menu(menu.get("button", []), f"the menu for {tag!r}")
    domains = sorted({domain for menu in conditional for domain in _domains(menu.get("button", []))})
    if len(domains) > CONDITIONAL_DOMAINS:
        shown = ", ".join(domains)
        yield f"the conditional menus link to {len(domains)} domains ({shown}); WeChat takes {CONDITIONAL_DOMAINS}"


def _menu(top: Sequence[Button], where: str) -> Iterator[str]:
    if not 1 <= len(top) <= TOP_ENTRIES:
        yield f"{where} has {len(top)} entries; WeChat takes 1 to {TOP_ENTRIES}"
    for button in top:
        below = button.get("sub_button")
        if below is None:
            yield from _entry(button, TOP_NAME)
            continue
        yield from _name(button, TOP_NAME)
        if not 1 <= len(below) <= SUB_ENTRIES:
            yield f"{button.get('name')!r} has {len(below)} entries; WeChat takes 1 to {SUB_ENTRIES}"
        for entry in below:
            if "sub_button" in entry:
                yield f"{entry.get('name')!r} has entries of its own; WeChat's menu has two levels"
            yield from _entry(entry, SUB_NAME)


def _name(button: Button, limit: int) -> Iterator[str]:
    name = str(button.get("name", ""))
    if not name:
        yield f"an entry has no name: {button}"
    elif (size := len(name.encode())) > limit:
        yield f"{name!r} has a name of {size} bytes; WeChat takes {limit}"


def _entry(button: Button, name_limit: int) -> Iterator[str]:
    yield from _name(button, name_limit)
    name, kind = button.get("name"), str(button.get("type", ""))
    if kind not in NEEDS:
        yield f"{name!r} has the type {kind!r}; known are {', '.join(NEEDS)}"
        return
    for needed in NEEDS[kind]:
        value = str(button.get(needed, ""))
        if not value:
            yield f"{name!r} has no {'path' if needed == 'url' else needed}"
        elif (size := len(value.encode())) > LIMITS.get(needed, size):
            yield f"{name!r} has a {needed} of {size} bytes; WeChat takes {LIMITS[needed]}"


def _domains(buttons: Sequence[Button]) -> Iterator[str]:
    for button in buttons:
        if host := urlsplit(str(button.get("url", ""))).hostname:
            yield host
        yield from _domains(button.get("sub_button") or [])
