"""Rules of telling: pure functions, no session, no clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.clock import after_night, today
from config.policy import Policy


def not_before(moment: datetime, policy: Policy) -> datetime:
    """The moment, or the end of the quiet hours that it lies in."""
    return after_night(moment, policy.quiet_from, policy.quiet_until)


def tell_doctor_at(visit_starts_at: datetime, now: datetime, policy: Policy, *, gather: bool) -> datetime:
    """When a doctor hears of a visit: one of today at once, others in groups and outside the quiet hours."""
    if today(visit_starts_at) <= today(now):
        return now
    return not_before(now + timedelta(minutes=policy.doctor_group_minutes) if gather else now, policy)
