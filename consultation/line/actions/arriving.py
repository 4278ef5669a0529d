"""A family checks in, and may leave the line and come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.queries import Visit
from config.ids import new_id
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Kind
from consultation.encounters.rooms import OVER, encounter_of, happened, move
from consultation.line import rules
from consultation.line.actions.holding import by, hold
from consultation.line.models import Attestation, Confirmed
from consultation.line.refusals import CheckInClosed, NotWaiting, RecordingRefused, VisitBegun, VisitOver
from consultation.line.texts import texts
from consultation.written.refusals import NoCheckIn
from people import consents
from people.audit import record as audit
from people.models import Decision
from people.refusals import ConsentMissing


def check_in(
    session: Session,
    visit: Visit,
    account_id: UUID,
    place: str,
    phone: str,
    now: datetime,
    policy: Policy,
) -> Encounter:
    """A guardian (of a visit that booking.queries let them to) is there with the child: where, and which phone rings.

    They sit in the room from now on; coming back, they keep their turn. Raises
    CheckInClosed, VisitBegun (another guardian is in the room), VisitOver, NoCheckIn (a visit in writing); for a visit
    by video also ConsentMissing (not asked yet whether they agree to be recorded), RecordingRefused.
    """
    encounter = hold(session, encounter_of(session, visit, now).id)
    appointment = booking.locked(session, visit.appointment.id)
    if encounter.status in OVER:
        raise VisitOver
    if encounter.kind is Kind.TEXT:
        raise NoCheckIn
    if encounter.status is EncounterStatus.IN_PROGRESS and encounter.account_id != account_id:
        raise VisitBegun
    if encounter.status is not EncounterStatus.IN_PROGRESS and not rules.may_check_in(visit, now, policy):
        raise CheckInClosed(first=rules.opens_at(visit, policy), last=visit.schedule.over_at)
    if encounter.kind is Kind.VIDEO and encounter.status is not EncounterStatus.IN_PROGRESS:
        _agrees(session, account_id)
    if encounter.arrived_at is None:
        encounter.turn = rules.turn(appointment)
    encounter.account_id, encounter.place, encounter.phone = account_id, place, phone
    attest(session, encounter, account_id, [Confirmed.PRESENT], now)
    booking.arrive(appointment, by=by(account_id), now=now)
    if encounter.status is EncounterStatus.PLANNED:
        move(session, encounter, EncounterStatus.ARRIVED, now, by=by(account_id), why="checked in")
    else:
        happened(session, encounter, "seat", now, by=account_id)
    audit(session, "check-in", at=now, entity="encounter", entity_id=encounter.id, account_id=account_id)
    return encounter


def _agrees(session: Session, account_id: UUID) -> None:
    answer = consents.recording(session, account_id)
    if answer is None:
        raise ConsentMissing
    if answer is not Decision.PERMIT:
        raise RecordingRefused


def leave(session: Session, encounter: Encounter, account_id: UUID, now: datetime) -> None:
    """The guardian with the child leaves the line; the turn is kept for when they come back. Raises NotWaiting."""
    encounter = hold(session, encounter.id)
    if encounter.status is not EncounterStatus.ARRIVED or encounter.account_id != account_id:
        raise NotWaiting
    encounter.called_at = None
    move(session, encounter, EncounterStatus.PLANNED, now, by=by(account_id), why="left the line")


def attest(session: Session, encounter: Encounter, account_id: UUID, kinds: Sequence[Confirmed], now: datetime) -> None:
    """Keep what an account confirmed, with the version of the text; what it confirmed before stays as it was."""
    rows = [
        {
            "id": new_id(),
            "encounter_id": encounter.id,
            "kind": kind,
            "account_id": account_id,
            "version": texts().version,
            "at": now,
        }
        for kind in kinds
    ]
    if rows:
        keys = ["encounter_id", "kind", "account_id"]
        session.execute(insert(Attestation).on_conflict_do_nothing(index_elements=keys), rows)
