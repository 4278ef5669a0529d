"""Emergency words come before everything else: nobody watches this chat, and the parent must know it at once.

The answer needs neither database nor Redis, and stands in both languages.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from config.hospital import hospital
from config.settings import ROOT
from config.text import LOCALES, N_, translate
from wechat.replies import TextReply
from wechat.words import folded, squeezed

ANSWER = N_(
    "If your child is in danger now: call %(ambulance)s, or come to the emergency department at once. Nobody watches "
    "this chat, do not wait here for an answer.\n%(hospital)s, open day and night: %(address)s, phone %(phone)s\n"
    "If it is not an emergency, use the menu below."
)


@cache
def _data() -> dict[str, Any]:
    with (ROOT / "config/data/emergency.toml").open("rb") as source:
        return tomllib.load(source)


@cache
def _words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Chinese words, and English beginnings of words with a space before them ("dying", not "studying")."""
    words = _data()["words"]
    return tuple(map(squeezed, words["zh"])), tuple(folded(word).rstrip() for word in words["en"])


def heard(words: str) -> bool:
    """Whether an emergency word stands anywhere in what was said or written."""
    chinese, english = _words()
    tight, whole = squeezed(words), folded(words)
    return any(word in tight for word in chinese) or any(word in whole for word in english)


def answer() -> TextReply:
    """Call an ambulance or come at once; Chinese first, then English."""
    us = hospital()
    texts = (
        translate(
            locale,
            ANSWER,
            ambulance=us.number("emergency"),
            phone=us.number("hospital"),
            hospital=us.name[locale],
            address=us.address[locale],
        )
        for locale in LOCALES
    )
    return TextReply("\n\n".join(texts))
