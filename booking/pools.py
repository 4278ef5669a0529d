"""When numbers that were kept back are everybody's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from booking.models import Pool
from booking.rights import controlled_areas
from config.clock import local, today
from config.policy import Policy


def last_days(now: datetime, policy: Policy) -> Iterator[tuple[Pool, date]]:
    """For each kept-back pool the last day whose numbers are everybody's by now."""
    clock, day = local(now).time(), today(now)
    later = timedelta(days=policy.horizon_last_day - (clock < max(policy.pool_later_at, policy.release_time)))
    unused = timedelta(days=policy.followup_returns_days_before - (clock < policy.release_time))
    yield Pool.LATER, day + later
    yield Pool.FOLLOWUP, day + unused
    yield Pool.AREA, day + unused if controlled_areas(policy) else date.max
