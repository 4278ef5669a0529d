"""What a typed message means: a small set of words (config/data/words.toml)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from typing import Any

from config.settings import ROOT

_WORD = re.compile(r"[^\W_]+")


@cache
def _data() -> dict[str, Any]:
    with (ROOT / "config/data/words.toml").open("rb") as source:
        return tomllib.load(source)


@cache
def _meanings() -> list[tuple[str, str]]:
    """(word as compared, meaning), longest word first."""
    pairs = [(_comparable(word), meaning) for meaning, words in _data()["words"].items() for word in words]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def folded(text: str) -> str:
    """Lower case and half width, every run of anything but letters and digits one space, a space around the whole."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return f" {' '.join(_WORD.findall(plain))} "


def squeezed(text: str) -> str:
    """The same without spaces."""
    return folded(text).replace(" ", "")


def _comparable(word: str) -> str:
    return folded(word) if word.isascii() else squeezed(word)


def meaning(text: str) -> str | None:
    """What the message asks for: the name of a list in words.toml, or None."""
    whole, tight = folded(text), squeezed(text)
    return next((meant for word, meant in _meanings() if word in (whole if word.isascii() else tight)), None)


def is_number(text: str) -> bool:
    """Whether the whole message looks like a patient number or a phone number."""
    return re.fullmatch(_data()["number"], squeezed(text)) is not None
