"""What the roster's codes are called: English msgids, and every way in which a spreadsheet may say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from booking.models import ClinicType, Period
from booking.roster_models import ExceptionKind, OnHolidays
from config.formats import weekday as weekday_name
from config.text import CHINESE, ENGLISH, LOCALES, N_, translate

PERIODS: Mapping[Period, str] = {Period.MORNING: N_("Morning"), Period.AFTERNOON: N_("Afternoon")}
CLINIC_TYPES: Mapping[ClinicType, str] = {
    ClinicType.ORDINARY: N_("Ordinary"),
    ClinicType.EXPERT: N_("Expert"),
    ClinicType.SPECIAL: N_("Special"),
}
ON_HOLIDAYS: Mapping[OnHolidays, str] = {
    OnHolidays.AS_WORKDAYS: N_("As workdays"),
    OnHolidays.CLOSED: N_("Closed"),
    OnHolidays.OPEN: N_("Open"),
}
KINDS: Mapping[ExceptionKind, str] = {
    ExceptionKind.LEAVE: N_("Leave"),
    ExceptionKind.EXTRA: N_("Extra clinic"),
    ExceptionKind.SWAP: N_("Swap"),
}
Code = TypeVar("Code", bound=StrEnum)
_MONDAY = date(2024, 1, 1)  # any Monday: only the name is wanted


def weekday(number: int, locale: str) -> str:
    """``周三`` or ``Wed`` of 0 to 6."""
    return weekday_name(_MONDAY + timedelta(days=number), locale)


def weekdays() -> dict[str, int]:
    """Weekdays as spreadsheets write them: ``周三``, ``星期三``, ``礼拜三``, ``Wed``, ``Wednesday``, ``3``."""
    found: dict[str, int] = {}
    long = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for number in range(7):
        chinese = weekday(number, CHINESE)
        names = (chinese, weekday(number, ENGLISH), long[number], str(number + 1))
        found |= {name.lower(): number for name in names}
        found |= {f"{week}{chinese[1:]}": number for week in ("星期", "礼拜")}
    return found | {"星期天": 6, "周天": 6}


def ways_to_say(names: Mapping[Code, str]) -> dict[str, Code]:
    """A code's own value and its name in both languages, to the code."""
    return {
        way.lower(): code
        for code, name in names.items()
        for way in (code.value, *(translate(locale, name) for locale in LOCALES))
    }
