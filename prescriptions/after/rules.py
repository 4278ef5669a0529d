"""Rules of what comes after a prescription: at which times of the day a medicine is given. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from config.clock import at, today

DAY = 24 * 60  # minutes
MORNING, EVENING, EARLY = 8 * 60, 20 * 60, 6 * 60
AWAKE = 14 * 60  # from the first to the last dose of a day without a night dose
LATE = timedelta(minutes=30)  # a reminder that is later than that is left out: the next dose would be too near
TEXT, NOTE = 500, 1000  # characters of the family's words, and of the staff's


@dataclass(frozen=True)
class Plan:
    """When one line of a prescription is given: its times of the day, hours apart at least, its last day, and of which
    moment was reminded last."""

    n: int
    times: tuple[time, ...]
    interval: int
    until: date
    last: datetime | None = None


def proposed(times: int, interval: int) -> tuple[time, ...]:
    """So many times of the day, at least ``interval`` hours apart: spread from 8:00 to 20:00 where that is far enough,
    else from 6:00 on. Source: how hospital pharmacies write 一日三次 (8:00, 14:00, 20:00)."""
    if times == 1:
        return (_time(MORNING),)
    gap = max(interval * 60, (EVENING - MORNING) // (times - 1))
    spread = gap * (times - 1)
    first = MORNING if spread <= AWAKE else EARLY
    return tuple(sorted(_time(first + gap * n) for n in range(times)))


def too_close(times: Sequence[time], interval: int) -> bool:
    """Whether two of the times, the night included, are less than ``interval`` hours apart."""
    minutes = sorted(one.hour * 60 + one.minute for one in times)
    if len(minutes) < 2:
        return bool(minutes) and interval > 24
    gaps = [later - earlier for earlier, later in zip(minutes, [*minutes[1:], minutes[0] + DAY], strict=True)]
    return min(gaps) < interval * 60


def next_due(plans: Iterable[Plan], after: datetime) -> datetime | None:
    """The next moment after ``after`` at which one of the medicines is given; None: there is none any more."""
    return min((slot for plan in plans if (slot := _next(plan, after))), default=None)


def due_at(plans: Iterable[Plan], slot: datetime) -> list[int]:
    """The lines that are given at a moment."""
    just_before = slot - timedelta(microseconds=1)
    return [plan.n for plan in plans if _next(plan, just_before) == slot]


@dataclass(frozen=True)
class Turn:
    """What a look at the clock brings: the moment to remind of and its lines (None: nothing yet), and the next one."""

    slot: datetime | None
    lines: tuple[int, ...]
    next_at: datetime | None


def turn(plans: Sequence[Plan], waiting: datetime, now: datetime) -> Turn:
    """The moment ``waiting`` has come, perhaps long ago: what is later than LATE is left out."""
    slot = waiting if waiting >= now - LATE else next_due(plans, now - LATE)
    if slot is None or slot > now:
        return Turn(None, (), slot)
    lines = tuple(due_at(plans, slot))
    told = [replace(plan, last=slot) if plan.n in lines else plan for plan in plans]
    return Turn(slot, lines, next_due(told, slot))


def _next(plan: Plan, after: datetime) -> datetime | None:
    earliest = plan.last + timedelta(hours=plan.interval) if plan.last else None
    day = today(after)
    while day <= plan.until:
        for clock in sorted(plan.times):
            slot = at(day, clock)
            if slot > after and (earliest is None or slot >= earliest):
                return slot
        day += timedelta(days=1)
    return None


def last_day(starts_on: date, days: int) -> date:
    """The last of so many days."""
    return starts_on + timedelta(days=days - 1)


def written(times: Iterable[time]) -> list[str]:
    """Times as they are kept: ``08:00``."""
    return [f"{one:%H:%M}" for one in times]


def read(times: Iterable[str]) -> tuple[time, ...]:
    """Kept or typed times. Raises ValueError for what is none."""
    found = {time.fromisoformat(one.strip()) for one in times}
    return tuple(sorted(one.replace(second=0, microsecond=0, tzinfo=None) for one in found))


def moments(kept: Mapping[str, Any]) -> dict[str, datetime]:
    """The moments of ``MedicineReminder.last``."""
    return {n: datetime.fromisoformat(str(said)) for n, said in kept.items()}


def _time(minutes: int) -> time:
    return time(*divmod(minutes % DAY, 60))
