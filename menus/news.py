"""What the hospital has changed about a visit: stopped, with other times in one tap; late; another doctor."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from booking import queries as bookings
from booking import rules
from booking.models import Why
from booking.queries import Visit
from booking.stop_models import REASON_TEXTS, ClinicStop
from config.policy import Policy
from people.access import Viewer
from people.queries import practitioner_names

SHOWN = 6  # other times


def news_of(session: Session, viewer: Viewer, visit: Visit, at: datetime, policy: Policy) -> dict[str, Any]:
    """``offers``: other times for a child whose clinic was stopped, and ``stopped`` why (an English msgid);
    ``booked_since``: the number that the child has instead; ``instead_of``: the name of the doctor whom somebody
    stands in for."""
    ended = visit.appointment.cancel_reason is Why.SUSPENDED
    stop = session.get_one(ClinicStop, visit.schedule.stop_id) if ended and visit.schedule.stop_id else None
    since = _booked_since(session, viewer, visit, stop, at) if stop else None
    first = visit.schedule.stands_in_for_id
    days = rules.open_days(at, policy) if ended and not since else []
    return {
        "offers": bookings.soonest(session, visit, days, SHOWN) if days else [],
        "stopped": REASON_TEXTS[stop.reason] if stop else None,
        "booked_since": since,
        "instead_of": practitioner_names(session, {first})[first] if first else None,
    }


def _booked_since(session: Session, viewer: Viewer, lost: Visit, stop: ClinicStop, at: datetime) -> UUID | None:
    for coming in bookings.coming_visits(session, viewer, at):
        same = (coming.patient.id, coming.department.id) == (lost.patient.id, lost.department.id)
        if same and coming.appointment.booked_at >= stop.created_at:
            return coming.appointment.id
    return None
