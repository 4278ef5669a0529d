"""Values fitted to WeChat's typed template keys, so that no value can be refused for its length or its characters.

Rules of the types: WeChat's page on template and subscription messages (``thing`` at most 20 characters, no newline;
``character_string`` at most 32 digits, letters and symbols; ``number`` at most 32 digits; ``letter`` at most 32;
``symbol`` at most 5; ``amount`` a currency sign and at most 10 digits; ``phone_number`` at most 17; ``name`` at most
10 Han or 20 letters; ``phrase`` at most 5 Han; ``const`` and ``enum`` the declared values). How WeChat counts a
character outside the basic plane (𠮷) is not written there: it is counted as two here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from config.clock import local

Value = str | int | date  # a datetime is a date too

ELLIPSIS = "…"
NOTHING = "-"
NO_NAME = "无"
NOTHING_BUT_LETTERS = "x"
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_DOTS = re.compile("[·•・]")
_UNPRINTED = {"Cc", "Cf", "Cs"}


def kind_of(key: str) -> str:
    """The type of a key: ``thing`` of ``thing1``."""
    return key.rstrip("0123456789")


def fit(key: str, value: Value, choices: tuple[str, ...] = ()) -> str:
    """The value as the typed key takes it, never empty.

    Raises KeyError for an unknown type; TypeError when the value is of another kind (a time is a datetime, a date a
    date, an amount whole fen); ValueError for an amount that does not fit, or a const that is none of ``choices``:
    all faults of the program, not of what somebody typed.
    """
    kind = kind_of(key)
    if kind in CLOSED:
        if value not in choices:
            raise ValueError(f"{key}: none of its choices")
        return str(value)
    convert, types = KINDS[kind]
    if not isinstance(value, types) or (types is not datetime and isinstance(value, datetime)):
        raise TypeError(f"{key}: {type(value).__name__}")
    return convert(value)


def moment(value: datetime) -> str:
    """``2026年11月25日 09:30``, Beijing time: the one form that WeChat's ``time`` takes in every language."""
    there = local(value)
    return f"{day(there.date())} {there:%H:%M}"


def day(value: date) -> str:
    """``2026年11月25日``."""
    return f"{value.year}年{value.month}月{value.day}日"


def amount(value: int) -> str:
    """Fen as ``¥50.00``: at most ten digits."""
    if not 0 <= value < 10**10:
        raise ValueError("an amount of more than ten digits, or below zero")
    return f"¥{value // 100}.{value % 100:02}"


def number(value: str | int) -> str:
    """Digits, with a sign and a decimal point if it has them; 0 when there is no number in it."""
    found = re.search(r"[+-]?\d{1,31}(\.\d+)?", unicodedata.normalize("NFKC", str(value)), re.ASCII)
    return found[0][:32].rstrip(".") if found else "0"


def letter(value: str) -> str:
    """Latin letters only."""
    return "".join(c for c in _latin(value) if c.isalpha())[:32] or NOTHING_BUT_LETTERS


def symbol(value: str) -> str:
    """What is neither letter, digit nor space."""
    return "".join(c for c in value if c.isprintable() and not (c.isalnum() or c.isspace() or c == "_"))[:5] or NOTHING


def phone_number(value: str) -> str:
    """Digits and the marks of a phone number."""
    plain = unicodedata.normalize("NFKC", value)
    return "".join(c for c in plain if c in "0123456789+-() ")[:17].strip() or NOTHING


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
    latin = "".join(c for c in _latin(value) if c.isalpha() or c in " .'-")
    shown = latin.strip()[:20].strip()
    return shown if any(c.isalpha() for c in shown) else NO_NAME


def phrase(value: str) -> str:
    """Han characters only."""
    return _cut("".join(_HAN.findall(value)), 5) or NO_NAME


KINDS: Mapping[str, tuple[Callable[[Any], str], Any]] = {
    "thing": (thing, str),
    "character_string": (character_string, str),
    "name": (name, str),
    "phrase": (phrase, str),
    "letter": (letter, str),
    "symbol": (symbol, str),
    "phone_number": (phone_number, str),
    "number": (number, str | int),
    "amount": (amount, int),
    "time": (moment, datetime),
    "date": (day, date),
}
CLOSED = frozenset({"const", "enum"})


def _one_line(text: str) -> str:
    """No control, format or lone surrogate character, every run of white space one space."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _UNPRINTED)
    return " ".join(kept.split())


def _latin(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if c.isascii())


def _size(text: str) -> int:
    return sum(1 + (c > "\uffff") for c in text)


def _cut(text: str, limit: int) -> str:
    while _size(text) > limit:
        text = text[:limit] if len(text) > limit else text[:-1]
    return text


def _shorten(text: str, limit: int) -> str:
    return text if _size(text) <= limit else _cut(text, limit - 1).rstrip() + ELLIPSIS
