"""Rules of booking: pure functions, no session, no clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from config.clock import at, local, today
from config.policy import Policy


def open_days(now: datetime, policy: Policy) -> list[date]:
    """The days that can be booked at ``now``: the first day ahead to the last, whose numbers open at the release."""
    last = policy.horizon_last_day
    if local(now).time() < policy.release_time:
        last -= 1
    return [today(now) + timedelta(days=ahead) for ahead in range(policy.horizon_first_day, last + 1)]


def shown_days(now: datetime, policy: Policy) -> list[date]:
    """The days a parent sees: the open ones, and the one that opens next."""
    days = range(policy.horizon_first_day, policy.horizon_last_day + 1)
    return [today(now) + timedelta(days=ahead) for ahead in days]


def released_at(day: date, policy: Policy) -> datetime:
    """When that day's numbers open."""
    return at(day - timedelta(days=policy.horizon_last_day), policy.release_time)


def cancel_until(starts_at: datetime, policy: Policy) -> datetime:
    """Until when the parent may cancel (Beijing unified booking rules)."""
    return starts_at - timedelta(hours=policy.cancel_until_hours)


def day_reminder(starts_at: datetime, now: datetime, policy: Policy) -> datetime | None:
    """When to remind on the day before; None when a booking comes after that."""
    moment = at(today(starts_at) - timedelta(days=1), policy.remind_day_before_at)
    return moment if moment > now else None


def soon_reminder(starts_at: datetime, now: datetime, policy: Policy) -> datetime | None:
    """When to remind shortly before; None when a booking comes after that."""
    moment = starts_at - timedelta(minutes=policy.remind_minutes_before)
    return moment if moment > now else None


def number_times(starts_at: datetime, ends_at: datetime, quota: int) -> list[datetime]:
    """The estimated time of each number: the period divided evenly, to the full minute below."""
    step = (ends_at - starts_at) / quota
    times = (starts_at + step * index for index in range(quota))
    return [moment.replace(second=0, microsecond=0) for moment in times]
