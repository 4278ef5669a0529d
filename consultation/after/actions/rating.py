"""A family says how a visit was."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.errors import NotFound
from config.policy import Policy
from consultation.after import queries
from consultation.after.holding import over
from consultation.after.library import lists
from consultation.after.models import Rating
from consultation.after.refusals import RatingFixed
from consultation.after.rules import rating_until
from people.access import Viewer

SCORES = range(1, 6)


def rate(session: Session, viewer: Viewer, appointment_id: UUID, score: int, now: datetime, policy: Policy) -> Rating:
    """Keep a score from 1 to 5, or change it: one for each visit, whoever of the guardians says it.

    Raises NotFound, NotOver, RatingFixed.
    """
    if score not in SCORES:
        raise NotFound
    visit, _, _ = over(session, viewer, appointment_id)
    found = queries.rating(session, appointment_id)
    if found is None:
        found = Rating(
            appointment_id=appointment_id,
            department_id=visit.department.id,
            day=visit.appointment.day,
            reasons=[],
            at=now,
        )
        session.add(found)
    elif found.score != score:
        _may_change(found, now, policy)
        found.reasons = []
    found.account_id, found.score, found.changed_at = viewer.account_id, score, now
    session.flush()
    return found


def give_reason(
    session: Session, viewer: Viewer, appointment_id: UUID, code: str, now: datetime, policy: Policy
) -> Rating:
    """Add a reason to the score, or take it back. Raises NotFound also for one that is not offered, RatingFixed."""
    over(session, viewer, appointment_id)
    found = queries.rating(session, appointment_id)
    if found is None or code not in {reason.code for reason in lists().reasons_at(found.score)}:
        raise NotFound
    _may_change(found, now, policy)
    found.reasons = sorted({*found.reasons} ^ {code})
    found.account_id, found.changed_at = viewer.account_id, now
    return found


def _may_change(found: Rating, now: datetime, policy: Policy) -> None:
    if now >= (until := rating_until(found, policy)):
        raise RatingFixed(until=until)
