"""Taking hold of a doctor's line and of one encounter in it, in the one order that all actions keep."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from consultation.encounters.models import Encounter, SeatRole
from consultation.encounters.rooms import seat
from consultation.line.refusals import NotWaiting
from people.access import Viewer
from people.models import Practitioner


def hold_line(session: Session, practitioner_id: UUID) -> None:
    """Nobody else calls, begins or hands over in this doctor's line before the transaction ends."""
    session.execute(select(Practitioner.id).where(Practitioner.id == practitioner_id).with_for_update(key_share=True))


def hold(session: Session, encounter_id: UUID) -> Encounter:
    """The encounter as it is now; nobody else moves it before the transaction ends."""
    chosen = select(Encounter).where(Encounter.id == encounter_id).with_for_update()
    return session.scalars(chosen.execution_options(populate_existing=True)).one()


def hold_both(session: Session, encounter: Encounter) -> Encounter:
    """The doctor's line and one encounter in it. Raises NotWaiting when another doctor has taken it over meanwhile."""
    practitioner_id, encounter_id = encounter.practitioner_id, encounter.id
    hold_line(session, practitioner_id)
    found = hold(session, encounter_id)
    if found.practitioner_id != practitioner_id:
        raise NotWaiting
    return found


def own(session: Session, viewer: Viewer, appointment_id: UUID) -> Encounter:
    """The encounter that the viewer treats, held with its line. Raises NotFound for everybody else's."""
    found = seat(session, viewer, appointment_id)
    if found.role is not SeatRole.PRACTITIONER:
        raise NotFound
    return hold_both(session, found.encounter)


def by(account_id: UUID) -> str:
    """Who does it, for the history of states."""
    return f"account:{account_id}"
