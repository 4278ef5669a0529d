"""The tasks about a child that waits too long: for who leads the team, then for a free doctor."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from config.text import N_
from consultation.encounters.models import Encounter
from people import tasks

LATE = tasks.kind(
    "visit-late",
    title=N_("%(about)s waits too long for the doctor: see to it, or hand the child over."),
    path="/desk/late/{id}",
)
OFFERED = tasks.kind(
    "visit-offered",
    title=N_("%(about)s waits too long for a colleague: can you see the child?"),
    path="/desk/late/{id}",
)
WRITTEN = tasks.kind(
    "written-late",
    title=N_("%(about)s waits too long for an answer in writing: see to it, or hand the child over."),
    path="/desk/late/{id}",
)
REFUNDED = tasks.kind(
    "written-unanswered",
    title=N_("%(about)s had no answer in writing in time, so the visit has ended: call the family."),
    path="/desk/late/{id}",
)


def settled(session: Session, encounter: Encounter, why: str, now: datetime) -> None:
    """Nobody need look after the child any more."""
    for kind in (LATE, OFFERED, WRITTEN):
        tasks.settle(session, kind, encounter.appointment_id, why=why, now=now)
