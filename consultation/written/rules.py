"""Rules of the visit in writing: pure functions, no session, no clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking.models import COMING, ClinicType, ScheduleStatus
from booking.queries import Visit
from config.policy import Policy


def offered(clinic: ClinicType, policy: Policy) -> bool:
    """Whether a family can choose to have a visit of such a clinic in writing."""
    return str(clinic) in {code.strip() for code in policy.text_clinics.split(",")}


def may_begin(visit: Visit, now: datetime) -> bool:
    """Whether the family can begin to write: from the booking on, until the period of the number is over."""
    held, schedule = visit.appointment, visit.schedule
    coming = held.status in COMING and not held.hold_until and schedule.status is ScheduleStatus.ACTIVE
    return coming and now < schedule.over_at


def reply_by(now: datetime, policy: Policy) -> datetime:
    """Until when the doctor has to answer what is asked now."""
    return now + timedelta(hours=policy.text_reply_hours)
