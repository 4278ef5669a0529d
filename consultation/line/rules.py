"""Rules of the line: pure functions, no session, no clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from booking.models import COMING, Appointment, Schedule, ScheduleStatus
from booking.queries import Visit
from config.clock import local
from config.policy import Policy
from consultation.encounters.models import Encounter, Ending

ANSWERS = frozenset({Ending.ANSWERED, Ending.EMERGENCY, Ending.HOSPITAL_TODAY})
BY_RULE = frozenset(
    {Ending.NOT_FOLLOWUP, Ending.STATE_CHANGED, Ending.IDENTITY, Ending.GUARDIAN_ABSENT, Ending.TECHNICAL}
)
STEP = 1000  # between two places: a missed call fits between
LEAST, MOST = timedelta(minutes=2), timedelta(hours=1)  # what one visit can be believed to take
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(-\d{1,6})?")  # a mainland mobile, or a landline with its area


def phone(typed: str) -> str | None:
    """A phone as it is dialled: a mainland mobile, or a landline with area code and extension; None for others."""
    text = re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", typed))
    text = re.sub(r"^(\+?86)(?=1[3-9]\d{9}$)|^\+86-?(?=[1-9])", lambda found: "" if found[1] else "0", text)
    return text if _PHONE.fullmatch(text) else None


def opens_at(visit: Visit, policy: Policy) -> datetime:
    """From when on the family can check in."""
    return visit.appointment.starts_at - timedelta(minutes=policy.check_in_minutes)


def may_check_in(visit: Visit, now: datetime, policy: Policy) -> bool:
    """Whether the family can check in now: until the period is over, the doctor's delay included."""
    held, schedule = visit.appointment, visit.schedule
    waits = held.status in COMING and not held.hold_until and schedule.status is ScheduleStatus.ACTIVE
    return waits and opens_at(visit, policy) <= now < schedule.over_at


def turn(appointment: Appointment) -> int:
    """The place in the line of the day: by the appointed time, then by number. Lowest first."""
    clock = local(appointment.starts_at)
    return (clock.hour * 60 + clock.minute) * STEP + appointment.number


def behind(others: Sequence[int], own: int, count: int) -> tuple[int, int]:
    """Where a missed child stands again: behind ``count`` of the others' turns (ascending). Returns its new turn, and
    by how much all of those after it must move on (0: there is room)."""
    if not others:
        return own, 0
    if len(others) <= count:
        return max(others[-1] + STEP, own), 0
    before, after = others[count - 1], others[count]
    return (before + (after - before) // 2, 0) if after - before > 1 else (before + STEP // 2, STEP)


def pace(own: Sequence[timedelta], department: Sequence[timedelta], slot: timedelta) -> timedelta:
    """How long a visit takes: the median of what this doctor finished today, else of the department's, else what the
    roster plans for a number. One visit says nothing yet."""
    for seen in (own, department):
        if len(seen) > 1:
            return min(max(timedelta(seconds=median(one.total_seconds() for one in seen)), LEAST), MOST)
    return min(max(slot, LEAST), MOST)


def estimate(now: datetime, ahead: int, pace: timedelta, since: datetime | None, begins_at: datetime) -> datetime:
    """About when the turn comes: ``ahead`` children before it, one in the room since ``since``, and nobody before
    ``begins_at``. Rounded up to five minutes, so that it does not promise more than is known."""
    rest = max(pace - (now - since), pace / 4) if since else timedelta()
    moment = max(now + rest, begins_at) + ahead * pace
    over = timedelta(minutes=moment.minute % 5, seconds=moment.second, microseconds=moment.microsecond)
    return moment - over + timedelta(minutes=5) if over else moment


def slot(schedule: Schedule, numbers: int) -> timedelta:
    """What the roster plans for a number."""
    return (schedule.ends_at - schedule.starts_at) / max(numbers, 1)


def due_at(encounter: Encounter, visit_at: datetime) -> datetime:
    """When the child should have been called: at the appointed time (delay included), or from its arrival on."""
    return max(visit_at, encounter.arrived_at or visit_at)


def refunded(ending: Ending, policy: Policy) -> bool:
    """Whether the fee goes back for an ending by rule."""
    return str(ending) in {code.strip() for code in policy.refund_endings.split(",")}


def weak(pin: str) -> bool:
    """Whether a PIN is no PIN: not six digits, all alike, or in a row."""
    if not re.fullmatch(r"\d{6}", pin, re.ASCII):
        return True
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    return steps in ({0}, {1}, {-1})
