"""Whatever times a family chooses and changes, and however late or often the worker looks: reminders of one medicine
are never closer than its interval, never after its last day, and each moment is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from config.clock import at, today
from prescriptions.after.rules import LATE, Plan, last_day, next_due, proposed, too_close, turn

DAY, BEGAN = date(2026, 11, 25), time(10)
INTERVALS = st.integers(2, 24)


@st.composite
def times_of(draw: st.DrawFn, interval: int) -> tuple[time, ...]:
    """Times that a family may choose: at least the interval apart."""
    picked: list[time] = []
    for minutes in draw(st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=6)):
        wanted = tuple(sorted({*picked, time(*divmod(minutes, 60))}))
        if not too_close(wanted, interval):
            picked = list(wanted)
    return tuple(picked)


@st.composite
def medicines(draw: st.DrawFn) -> list[Plan]:
    made = []
    for n in range(1, draw(st.integers(1, 3)) + 1):
        interval = draw(INTERVALS)
        made.append(Plan(n, draw(times_of(interval)), interval, last_day(DAY, draw(st.integers(1, 4)))))
    return made


@given(st.data(), medicines())
def test_never_closer_never_after_never_twice(data: st.DataObject, plans: list[Plan]) -> None:
    now = at(DAY, BEGAN)
    told: list[tuple[int, datetime, datetime]] = []
    waiting = next_due(plans, now)
    for _ in range(40):
        now += timedelta(minutes=data.draw(st.sampled_from((0, 1, 7, 29, 45, 240, 700))))
        if data.draw(st.booleans()) and data.draw(st.booleans()):  # the family changes the times
            plans = [replace(plan, times=data.draw(times_of(plan.interval))) for plan in plans]
            waiting = next_due(plans, now)
        while waiting and waiting <= now:
            found = turn(plans, waiting, now)
            if found.slot:
                told += [(n, found.slot, now) for n in found.lines]
                plans = [replace(plan, last=found.slot) if plan.n in found.lines else plan for plan in plans]
            waiting = found.next_at
    for plan in plans:
        mine = [slot for n, slot, _ in told if n == plan.n]
        assert mine == sorted(set(mine))
        hours = [(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(mine)]
        assert min(hours, default=24) >= plan.interval
        assert all(today(slot) <= plan.until for slot in mine)
    assert all(timedelta() <= at_ - slot <= LATE for _, slot, at_ in told)


@given(st.integers(1, 6), INTERVALS)
def test_what_is_proposed_can_be_chosen(times: int, interval: int) -> None:
    if times * interval <= 24:  # the dose rules let no other line be signed (finding ``interval``)
        found = proposed(times, interval)
        assert len(found) == times
        assert not too_close(found, interval)


def test_the_usual_times() -> None:
    assert proposed(1, 24) == (time(8),)
    assert proposed(2, 12) == (time(8), time(20))
    assert proposed(3, 6) == (time(8), time(14), time(20))
    assert proposed(3, 8) == (time(6), time(14), time(22))
    assert proposed(4, 4) == (time(8), time(12), time(16), time(20))


def test_without_the_look_at_the_last_one_a_change_would_bring_two_doses_together() -> None:
    """The guard's negative: the same change, with what was told last forgotten."""
    eight = at(DAY + timedelta(days=1), time(8))
    plan = Plan(1, (time(8), time(14), time(20)), 6, last_day(DAY, 3), last=eight)
    changed = replace(plan, times=(time(9), time(15)))
    assert next_due([changed], eight) == at(DAY + timedelta(days=1), time(15))
    assert next_due([replace(changed, last=None)], eight) == at(DAY + timedelta(days=1), time(9))
