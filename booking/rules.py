"""Rules of booking: pure functions, no session, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus, Why
from booking.roster_models import Roster
from config.clock import after_night, at, local, today
from config.policy import Policy

T = TypeVar("T")

REASONS_TO_CHANGE = frozenset({Why.PARENT, Why.DELAYED, Why.REPLACED})


def open_days(now: datetime, policy: Policy) -> list[date]:
    """The days that can be booked at ``now``: the first day ahead to the last, whose numbers open at the release."""
    return [today(now) + timedelta(days=ahead) for ahead in _open(now, policy)]


def is_open(day: date, now: datetime, policy: Policy) -> bool:
    """Whether that day's numbers can be booked at ``now``."""
    return (day - today(now)).days in _open(now, policy)


def _open(now: datetime, policy: Policy) -> range:
    """The days ahead that can be booked."""
    released = local(now).time() >= policy.release_time
    return range(policy.horizon_first_day, policy.horizon_last_day + released)


def shown_days(now: datetime, policy: Policy) -> list[date]:
    """The days a parent sees: the open ones, and the one that opens next."""
    days = range(policy.horizon_first_day, policy.horizon_last_day + 1)
    return [today(now) + timedelta(days=ahead) for ahead in days]


def released_at(day: date, policy: Policy) -> datetime:
    """When that day's numbers open."""
    return at(day - timedelta(days=policy.horizon_last_day), policy.release_time)


def next_release(now: datetime, policy: Policy) -> datetime:
    """When numbers open next."""
    moment = at(today(now), policy.release_time)
    return moment if moment > now else at(today(now) + timedelta(days=1), policy.release_time)


def cancel_until(starts_at: datetime, policy: Policy) -> datetime:
    """Until when the parent may cancel (Beijing unified booking rules)."""
    return starts_at - timedelta(hours=policy.cancel_until_hours)


def reasons_to_cancel(appointment: Appointment, schedule: Schedule, now: datetime, policy: Policy) -> frozenset[Why]:
    """For which reasons a parent may give the number back now: any until the deadline; later a child that is worse,
    and what the hospital has to answer for. All with the full fee back."""
    reasons = {Why.WORSENED} if now < schedule.over_at else set()
    if now <= cancel_until(appointment.starts_at, policy):
        reasons.add(Why.PARENT)
    if schedule.delay_minutes and now < schedule.over_at:
        reasons.add(Why.DELAYED)
    if schedule.stands_in_for_id and now < schedule.over_at:
        reasons.add(Why.REPLACED)
    return frozenset(reasons)


def list_closes_at(schedule: Schedule, policy: Policy) -> datetime:
    """When the schedule's waiting list closes: what is freed later is simply free."""
    return schedule.starts_at - timedelta(minutes=policy.waiting_closes_minutes)


def offer_until(starts_at: datetime, now: datetime, policy: Policy) -> datetime:
    """Until when a number of ``starts_at`` that is offered at ``now`` waits for an answer: nobody is asked to wake up
    for it, and never into the visit."""
    asked_at = after_night(now, policy.offer_quiet_from, policy.offer_quiet_until)
    return min(asked_at + timedelta(minutes=policy.offer_minutes), starts_at)


def night_offers_end(policy: Policy) -> str:
    """The clock time, such as ``07:30``, at which the offers of a night are over."""
    any_day = datetime.combine(date(2026, 1, 1), policy.offer_quiet_until)
    return f"{any_day + timedelta(minutes=policy.offer_minutes):%H:%M}"


def hospitals_doing(schedule: Schedule) -> Why | None:
    """Why nobody misses a visit in this period: the doctor was late or replaced. None: there is no such reason."""
    if schedule.delay_minutes:
        return Why.DELAYED
    return Why.REPLACED if schedule.stands_in_for_id else None


def markable(appointment: Appointment, schedule: Schedule, now: datetime, policy: Policy) -> bool:
    """Whether it can be said that the child came, or did not: from the visit's time on, for policy's days. A stopped
    clinic has neither."""
    begun = appointment.starts_at + timedelta(minutes=schedule.delay_minutes) <= now
    open_still = today(now) <= appointment.day + timedelta(days=policy.mark_days)
    waits = appointment.status in {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED}
    return waits and begun and open_still and schedule.status is ScheduleStatus.ACTIVE


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


def in_force(rosters: Sequence[Roster], day: date) -> list[Roster]:
    """Of one doctor's rosters those that rule on a day or begin later: the newest begun of a period replaces others."""
    begun = {(row.weekday, row.period): row for row in sorted(rosters, key=_begins) if row.valid_from <= day}
    return [row for row in rosters if row.valid_from > day or begun[row.weekday, row.period] is row]


def _begins(roster: Roster) -> date:
    return roster.valid_from


def nearest(free: Mapping[int, T], count: int) -> list[T]:
    """The ``count`` free numbers that lie closest together, the lowest of several; empty when there are fewer."""
    numbers = sorted(free)
    starts = range(len(numbers) - count + 1)
    if not count or not starts:
        return []
    best = min(starts, key=lambda start: numbers[start + count - 1] - numbers[start])
    return [free[number] for number in numbers[best : best + count]]
