"""One formatter each for days, times, ages and money; zh_CN and English."""

from __future__ import annotations

from datetime import date, datetime

from config.clock import local
from config.text import CHINESE

_WEEKDAYS = {
    CHINESE: ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_NEAR = {CHINESE: ("今天", "明天"), "en": ("Today", "Tomorrow")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def weekday(day: date, locale: str) -> str:
    """``周三`` or ``Wed``."""
    return _WEEKDAYS[locale][day.weekday()]


def short_day(day: date, locale: str) -> str:
    """``11月25日`` or ``25 Nov``."""
    return f"{day.month}月{day.day}日" if locale == CHINESE else f"{day.day} {_MONTHS[day.month - 1]}"


def week_day(day: date, locale: str) -> str:
    """``11月25日 周三`` or ``Wed 25 Nov``."""
    said = short_day(day, locale), weekday(day, locale)
    return " ".join(said if locale == CHINESE else said[::-1])


def long_day(day: date, locale: str) -> str:
    """``2026年11月25日 周三`` or ``Wed 25 Nov 2026``."""
    said = week_day(day, locale)
    return f"{day.year}年{said}" if locale == CHINESE else f"{said} {day.year}"


def clock(moment: datetime) -> str:
    """The hospital's wall clock: ``09:30``."""
    return local(moment).strftime("%H:%M")


def moment(at: datetime, locale: str) -> str:
    """``2026年11月25日 周三 09:30`` or ``Wed 25 Nov 2026, 09:30``."""
    return _with_clock(long_day(local(at).date(), locale), at, locale)


def near(at: datetime, on: date, locale: str) -> str:
    """As somebody says it on that day: ``今天 09:30``, ``明天 09:30``, within the year ``11月28日 周六 09:30``, else as
    ``moment``; ``Today, 09:30``, ``Tomorrow, 09:30``, ``Sat 28 Nov, 09:30``."""
    day = local(at).date()
    said = dict(enumerate(_NEAR[locale])).get((day - on).days)
    if said is None:
        said = (week_day if day.year == on.year else long_day)(day, locale)
    return _with_clock(said, at, locale)


def _with_clock(day: str, at: datetime, locale: str) -> str:
    return f"{day}{' ' if locale == CHINESE else ', '}{clock(at)}"


def age(born: date, on: date, locale: str) -> str:
    """Age as a paediatrician says it: days under a month, months under a year, then years and months.

    ``12天`` / ``12 d``, ``7个月`` / ``7 mo``, ``3岁2个月`` / ``3 y 2 mo``, ``14岁`` / ``14 y`` from 14 years on.
    """
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    years, rest = divmod(months, 12)
    if months < 1:
        number, zh, en = (on - born).days, "天", "d"
    elif years < 1:
        number, zh, en = months, "个月", "mo"
    else:
        number, zh, en = years, "岁", "y"
    text = f"{number}{zh}" if locale == CHINESE else f"{number} {en}"
    if 1 <= years < 14 and rest:
        text += f"{rest}个月" if locale == CHINESE else f" {rest} mo"
    return text


def money(fen: int, locale: str) -> str:
    """``50元``, ``50.50元``, ``免费`` or ``¥50``, ``¥50.50``, ``free``."""
    if fen == 0:
        return "免费" if locale == CHINESE else "free"
    yuan = f"{fen // 100}" if fen % 100 == 0 else f"{fen // 100}.{fen % 100:02d}"
    return f"{yuan}元" if locale == CHINESE else f"¥{yuan}"


def yuan(fen: int) -> str:
    """``¥1,250.00``, as accounts are kept; ``-¥50.00`` below zero."""
    return f"{'-' if fen < 0 else ''}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def masked(name: str) -> str:
    """A name as it may stand in a push message: the first character and stars, ``王**``."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 2)
