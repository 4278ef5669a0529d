"""Values fitted to WeChat's typed template keys, so that no value can be refused for its length or its characters.

Rules of the types: WeChat's page on template and subscription messages (``thing`` at most 20 characters, no newline;
``character_string`` at most 32 digits, letters and symbols; ``name`` at most 10 Han or 20 letters; ``phrase`` at most
5 Han). How WeChat counts a character outside the basic plane (𠮷) is not written there: it is counted as two here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime

from config.clock import local

Value = str | datetime

ELLIPSIS = "…"
NOTHING = "-"
NO_NAME = "无"
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_DOTS = re.compile("[·•・]")
_UNPRINTED = {"Cc", "Cf", "Cs"}


def kind_of(key: str) -> str:
    """The type of a key: ``thing`` of ``thing1``."""
    return key.rstrip("0123456789")


def fit(key: str, value: Value) -> str:
    """The value as the typed key takes it, never empty. Raises KeyError for an unknown type, TypeError for a time that
    is none or a text that is one."""
    kind = kind_of(key)
    if isinstance(value, datetime) is not (kind == "time"):
        raise TypeError(f"{key}: {type(value).__name__}")
    return moment(value) if isinstance(value, datetime) else TEXTS[kind](value)


def moment(value: datetime) -> str:
    """``2026年11月25日 09:30``, Beijing time: the one form that WeChat's ``time`` takes in every language."""
    there = local(value)
    return f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}"


def thing(value: str) -> str:
    """Any text on one line."""
    return _shorten(_one_line(value), 20) or NOTHING


def character_string(value: str) -> str:
    """Digits, letters and symbols of ASCII; full-width ones become plain, everything else is left out."""
    plain = unicodedata.normalize("NFKC", _one_line(value))
    return "".join(c for c in plain if " " <= c <= "~")[:32].strip() or NOTHING


def name(value: str) -> str:
    """Han characters and middle dots if there are any, else Latin letters, spaces and the marks of names."""
    if _HAN.search(value):
        return _cut("".join(c for c in _DOTS.sub("·", value) if _HAN.match(c) or c == "·"), 10)
    latin = "".join(c for c in unicodedata.normalize("NFKD", value) if c.isascii() and (c.isalpha() or c in " .'-"))
    shown = latin.strip()[:20].strip()
    return shown if any(c.isalpha() for c in shown) else NO_NAME


def phrase(value: str) -> str:
    """Han characters only."""
    return _cut("".join(_HAN.findall(value)), 5) or NO_NAME


TEXTS: Mapping[str, Callable[[str], str]] = {
    "thing": thing,
    "character_string": character_string,
    "name": name,
    "phrase": phrase,
}
KINDS = frozenset({*TEXTS, "time"})


def _one_line(text: str) -> str:
    """No control, format or lone surrogate character, every run of white space one space."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _UNPRINTED)
    return " ".join(kept.split())


def _size(text: str) -> int:
    return sum(1 + (c > "\uffff") for c in text)


def _cut(text: str, limit: int) -> str:
    while _size(text) > limit:
        text = text[:limit] if len(text) > limit else text[:-1]
    return text


def _shorten(text: str, limit: int) -> str:
    return text if _size(text) <= limit else _cut(text, limit - 1).rstrip() + ELLIPSIS
