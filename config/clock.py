"""The only place that asks the clock. Inside, time is aware UTC; on the page it is Asia/Shanghai."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_SHIFT = re.compile(r"([+-]?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")
_shift = timedelta()


def parse_shift(text: str) -> timedelta:
    """Read a shift such as ``+1d2h30m`` or ``-45m``; empty is none. Raises ValueError for anything else."""
    match = _SHIFT.match(text)
    if not match or (text and not any(match.groups()[1:])):
        raise ValueError(f"{text!r} is not a shift such as +1d2h30m")
    sign, days, hours, minutes, seconds = match.groups(default="0")
    amount = timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    return -amount if sign == "-" else amount


def shift(text: str) -> None:
    """Shift this process's clock (CLINIC_CLOCK; the settings refuse it in production)."""
    global _shift  # noqa: PLW0603 - a process has one clock
    _shift = parse_shift(text)


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC) + _shift


def real_now() -> datetime:
    """This moment for the world outside, which CLINIC_CLOCK does not shift: WeChat's stamps, quotas and midnights."""
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """The moment as the hospital's wall clock shows it."""
    return moment.astimezone(SHANGHAI)


def today(moment: datetime) -> date:
    """The hospital's date at that moment."""
    return local(moment).date()


def at(day: date, clock: time) -> datetime:
    """The moment at which the hospital's wall clock shows that time on that day, in UTC."""
    return datetime.combine(day, clock, SHANGHAI).astimezone(UTC)


def after_night(moment: datetime, begins: time, ends: time) -> datetime:
    """The moment, or the end of the hours that it lies in. The hours may pass midnight; alike means none."""
    clock, day = local(moment).time(), today(moment)
    if begins <= ends:
        return at(day, ends) if begins <= clock < ends else moment
    if clock >= begins:
        return at(day + timedelta(days=1), ends)
    return at(day, ends) if clock < ends else moment
