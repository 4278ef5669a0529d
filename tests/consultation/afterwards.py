"""A visit that is over, for the tests of what comes after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from booking.queries import Visit, visit
from config.policy import Policy
from consultation.encounters.models import EncounterStatus, Ending
from consultation.encounters.rooms import encounter_of, move
from consultation.line.actions import finish
from tests.product import Hospital, visit_ahead

POLICY = Policy()


def over(session: Session, hospital: Hospital, now: datetime, ending: Ending = Ending.ANSWERED) -> Visit:
    """The mother's child with the doctor, called in and ended just now."""
    made = visit_ahead(session, hospital, hospital.child, now)
    encounter = encounter_of(session, made, now)
    encounter.phone = "13800001234"
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    finish(session, encounter, ending, now, POLICY, "test")
    session.commit()
    return visit(session, made.appointment.id)
