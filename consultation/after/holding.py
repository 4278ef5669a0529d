"""Taking hold of a visit that is over: one thing at a time happens to it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from config.formats import masked
from config.text import CHINESE, ENGLISH
from consultation.after.refusals import NotOver
from consultation.after.rules import ended
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import known
from consultation.line.actions.holding import hold
from people.access import Viewer


def over(session: Session, viewer: Viewer, appointment_id: UUID) -> tuple[Visit, Encounter, datetime]:
    """A visit of one of the viewer's children, its encounter (locked), and when the doctor finished.

    Raises NotFound for anybody else's and for a frozen guardian, NotOver.
    """
    visit, encounter = bookings.visit_of(session, viewer, appointment_id), known(session, appointment_id)
    if encounter:
        encounter = hold(session, encounter.id)
    when = ended(encounter)
    if encounter is None or when is None:
        raise NotOver
    return visit, encounter, when


def about(visit: Visit) -> dict[str, str]:
    """The child's masked name, for the list of tasks."""
    name = masked(visit.patient.name)
    return {CHINESE: name, ENGLISH: name}
