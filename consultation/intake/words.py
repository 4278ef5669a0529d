"""Answers in words, for the family's pages and for the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config import formats
from config.text import N_, translate
from consultation.intake.answers import UNSURE
from consultation.intake.questionnaire import Item, Type
from consultation.intake.weights import kilograms

YES, NO, DONT_KNOW = N_("Yes"), N_("No"), N_("Not sure")


def spoken(item: Item, value: Any, locale: str) -> str | None:
    """An answer in one language; None when there is none."""
    if value is None:
        return None
    if value == UNSURE:
        return translate(locale, DONT_KNOW)
    if item.rows:
        return "; ".join(
            " ".join(text for cell in item.item if (text := spoken(cell, row.get(cell.linkId), locale)))
            for row in value
        )
    return _one(item, value, locale)


def _one(item: Item, value: Any, locale: str) -> str:
    if item.type is Type.BOOLEAN:
        return translate(locale, YES if value else NO)
    if item.type is Type.CHOICE:
        texts = {option.code: option.text.model_dump()[locale] for option in item.answerOption}
        codes = [value] if isinstance(value, str) else value
        return ("、" if locale.startswith("zh") else ", ").join(texts[code] for code in codes)
    if item.type is Type.QUANTITY:
        return f"{kilograms(value['grams'])} kg"
    if item.type is Type.DATE_TIME:
        at = datetime.fromisoformat(value)
        return f"{formats.short_day(at, locale)} {formats.clock(at)}"
    return f"{value:g}" if isinstance(value, float) else str(value)
