"""How a visit ends, and what that means for its appointment and its money."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.models import COMING, Appointment, AppointmentStatus, Why
from config.policy import Policy
from config.states import advance
from consultation.encounters.models import Encounter, EncounterStatus, Ending
from consultation.encounters.rooms import OVER, known, move
from consultation.line import queries, rules
from consultation.line.actions.holding import by, hold, own
from consultation.line.late import settled
from consultation.line.models import HandoverStatus
from consultation.line.refusals import NotWaiting, VisitOver
from people.access import Viewer
from people.audit import record as audit

WHYS = {
    Ending.NOT_FOLLOWUP: Why.NOT_FOLLOWUP,
    Ending.STATE_CHANGED: Why.TRIAGE,
    Ending.IDENTITY: Why.IDENTITY,
    Ending.GUARDIAN_ABSENT: Why.GUARDIAN_ABSENT,
    Ending.TECHNICAL: Why.TECHNICAL,
    Ending.UNANSWERED: Why.UNANSWERED,
    Ending.CANCELLED: Why.REPLACED,  # the parent wants no other doctor
}


def finish(session: Session, encounter: Encounter, ending: Ending, now: datetime, policy: Policy, by: str) -> None:
    """End the encounter and its appointment: an answer fulfils it, missed calls are a miss by the rules of
    marking, and an ending by rule gives the fee back where policy says so.

    Raises VisitOver; NotWaiting for an answer to a visit that never began.
    """
    encounter = hold(session, encounter.id)
    if encounter.status in OVER:
        raise VisitOver
    held = encounter.status is EncounterStatus.IN_PROGRESS
    if ending in rules.ANSWERS and not held:
        raise NotWaiting
    to = EncounterStatus.FINISHED if held and ending in rules.ANSWERS | rules.BY_RULE else EncounterStatus.CANCELLED
    _close(session, encounter, to, ending, now, by)
    appointment = booking.locked(session, encounter.appointment_id)
    if appointment.status not in {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED}:
        return
    if ending in rules.ANSWERS | {Ending.MISSED_CALLS}:
        booking.attended(session, appointment, came=ending is not Ending.MISSED_CALLS, by=by, now=now)
    elif ending is Ending.CANCELLED or rules.refunded(ending, policy):
        booking.end(session, appointment, AppointmentStatus.CANCELLED, by=by, why=WHYS[ending], now=now)
    else:
        booking.attended(session, appointment, came=True, by=by, now=now)


def _close(
    session: Session, encounter: Encounter, to: EncounterStatus, ending: Ending, now: datetime, who: str
) -> None:
    if handover := queries.asked(session, encounter):
        advance(handover, HandoverStatus.WITHDRAWN, by=who, why="visit over", now=now)
        handover.answered_at = now
    if to is EncounterStatus.CANCELLED:
        encounter.called_at = None
    move(session, encounter, to, now, by=who, why=str(ending), ending=ending)
    settled(session, encounter, "visit over", now)


def end_by_rule(
    session: Session, viewer: Viewer, appointment_id: UUID, ending: Ending, now: datetime, policy: Policy
) -> Encounter:
    """The doctor ends a visit that must not go on; the reason is kept. Raises NotFound, VisitOver, NotWaiting."""
    encounter = own(session, viewer, appointment_id)
    if ending not in rules.BY_RULE or encounter.status is EncounterStatus.PLANNED:
        raise NotWaiting
    finish(session, encounter, ending, now, policy, by(viewer.account_id))
    audit(
        session,
        "end-visit",
        at=now,
        entity="encounter",
        entity_id=encounter.id,
        account_id=viewer.account_id,
        ending=str(ending),
    )
    return encounter


def appointment_ended(session: Session, appointment_id: UUID, now: datetime) -> None:
    """The appointment was given back, changed or stopped elsewhere: its visit does not take place (any more). One that
    goes on already is brought to its end."""
    found = known(session, appointment_id)
    if found is None:
        return
    encounter = hold(session, found.id)
    appointment = session.get_one(Appointment, appointment_id, populate_existing=True)
    waits = encounter.status in {EncounterStatus.PLANNED, EncounterStatus.ARRIVED}
    if waits and appointment.status not in COMING:
        _close(session, encounter, EncounterStatus.CANCELLED, Ending.CANCELLED, now, "clinic")


def schedule_stopped(session: Session, schedule_id: UUID, now: datetime) -> None:
    """A period was stopped: the visits whose appointments ended with it do not take place."""
    ended = select(Encounter.appointment_id).where(Encounter.schedule_id == schedule_id, Encounter.status.not_in(OVER))
    for appointment_id in session.scalars(ended.order_by(Encounter.id)).all():
        appointment_ended(session, appointment_id, now)
