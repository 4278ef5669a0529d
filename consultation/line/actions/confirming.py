"""What the doctor confirms: who they are, who is in the room; and the marks by hand, for visits that never began."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking import actions as booking
from config.errors import Refused
from config.ids import new_id
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.encounters.rooms import happened
from consultation.line import queries
from consultation.line.actions.arriving import attest
from consultation.line.actions.holding import own
from consultation.line.models import CheckedDoctor, Confirmed
from consultation.line.realname import RealNameCheck
from consultation.line.refusals import NotWaiting, WentThroughRoom
from people.access import Viewer, practitioner_of
from people.audit import record as audit


def confirm_doctor(
    session: Session,
    viewer: Viewer,
    schedule_id: UUID,
    given: Mapping[str, str],
    check: RealNameCheck,
    now: datetime,
    policy: Policy,
) -> Refused | None:
    """The viewer's identity is checked for a session. Returns why it failed, to be raised when this has committed."""
    doctor = practitioner_of(session, viewer)
    if refusal := check.check(session, doctor, given, now, policy):
        return refusal
    values = {"practitioner_id": doctor.id, "schedule_id": schedule_id, "method": check.name, "at": now}
    session.execute(insert(CheckedDoctor).values(id=new_id(), **values).on_conflict_do_nothing())
    audit(session, "check-doctor", at=now, entity="schedule", entity_id=schedule_id, account_id=viewer.account_id)
    return None


def confirm(
    session: Session, viewer: Viewer, appointment_id: UUID, kinds: Collection[Confirmed], now: datetime
) -> Encounter:
    """The treating doctor confirms who is in the room. Raises NotFound, NotWaiting."""
    encounter = own(session, viewer, appointment_id)
    if encounter.status not in {EncounterStatus.ARRIVED, EncounterStatus.IN_PROGRESS}:
        raise NotWaiting
    said = [kind for kind in kinds if kind is not Confirmed.PRESENT]  # that one is the guardian's own
    attest(session, encounter, viewer.account_id, said, now)
    happened(session, encounter, "confirmed", now, by=viewer.account_id)
    audit(
        session,
        "confirm-identity",
        at=now,
        entity="encounter",
        entity_id=encounter.id,
        account_id=viewer.account_id,
        what=sorted(said),
    )
    return encounter


def mark(session: Session, viewer: Viewer, appointment_id: UUID, *, came: bool, now: datetime, policy: Policy) -> None:
    """By hand, whether the child came: for a visit that never began in its room. Raises WentThroughRoom, and what
    booking.actions.mark raises."""
    if queries.begun(session, appointment_id):
        raise WentThroughRoom
    booking.mark(session, viewer, appointment_id, came=came, now=now, policy=policy)


def unmark(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> None:
    """Take a mark by hand back. Raises WentThroughRoom, and what booking.actions.unmark raises."""
    if queries.begun(session, appointment_id):
        raise WentThroughRoom
    booking.unmark(session, viewer, appointment_id, now)
