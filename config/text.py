"""Text shown to people: gettext with the locale as an argument, for pages, messages and documents alike.

English is written in the code; every room's ``locale/zh_CN.po`` holds the Chinese, which is the default.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from config.settings import ROOT

CHINESE = "zh_CN"
ENGLISH = "en"
LOCALES = (CHINESE, ENGLISH)


def catalogues() -> list[Path]:
    """Every room's Chinese catalogue."""
    return sorted(ROOT.glob(f"*/locale/{CHINESE}.po"))


@cache
def translations(locale: str) -> NullTranslations:
    """The texts of a locale, all rooms together. English needs none: it is what the code says."""
    merged = NullTranslations()
    if locale != CHINESE:
        return merged
    for path in catalogues():
        compiled = io.BytesIO()
        with path.open("rb") as source:
            write_mo(compiled, read_po(source, locale=CHINESE, abort_invalid=True))
        compiled.seek(0)
        room = Translations(compiled)
        merged = merged.merge(room) if isinstance(merged, Translations) else room
    return merged


def known(locale: str | None) -> str:
    """The locale if it is one of ours, else Chinese; ``en_US`` and ``en-GB`` count as English."""
    return ENGLISH if (locale or "").lower().startswith("en") else CHINESE


def N_(message: str) -> str:
    """Mark a text for the catalogue; it is translated where it is shown."""
    return message


def translate(locale: str, message: str, **params: object) -> str:
    """The message in that locale, its ``%(name)s`` places filled."""
    text = str(translations(locale).gettext(message)) if message else ""
    return text % params if params else text
