"""Rules of the visit: pure functions, no session, no clock."""

from __future__ import annotations

from datetime import datetime

from booking.models import COMING, AppointmentStatus
from booking.queries import Visit

BEGUN = (AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)
NEVER = (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW)  # the visits that did not take place


def may_add(visit: Visit, now: datetime) -> bool:
    """Whether pictures can be sent for the visit: until its period ends, or it is cancelled."""
    return visit.appointment.status in COMING and visit.schedule.ends_at > now


def may_change(visit: Visit, now: datetime) -> bool:
    """Whether its pictures can be removed or moved: not once the visit has begun, or its period is over.

    Those of a visit that did not take place can always be moved to another.
    """
    status = visit.appointment.status
    return status in NEVER or (status not in BEGUN and visit.schedule.ends_at > now)
