"""Calling: next, again, skipped, missed; and how a visit begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from booking import actions as booking
from config.jobs import emit
from config.nudges import nudge
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Ending
from consultation.encounters.rooms import happened, line_topic, move
from consultation.line import queries, rules
from consultation.line.actions.ending import finish
from consultation.line.actions.holding import by, hold, hold_both, hold_line, own
from consultation.line.events import FamilyCalled, TurnSoon
from consultation.line.late import settled
from consultation.line.refusals import (
    CheckNeeded,
    NobodyWaiting,
    NotCalled,
    NotWaiting,
    StillBusy,
)
from people.access import Viewer, practitioner_of


def call_next(session: Session, viewer: Viewer, now: datetime, policy: Policy) -> Encounter:
    """Call the first of the viewer's line; while somebody is being called, that one (a second tap changes nothing).

    Raises NobodyWaiting, StillBusy, CheckNeeded, NotStaff.
    """
    doctor = practitioner_of(session, viewer)
    hold_line(session, doctor.id)
    waiting = queries.line(session, doctor.id)
    if called := queries.calling(waiting):
        return called
    if not waiting:
        raise NobodyWaiting
    return _call(session, hold(session, waiting[0].id), viewer.account_id, now, policy)


def call(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime, policy: Policy) -> Encounter:
    """Call this child, whatever its turn. Raises NotFound, NotWaiting, StillBusy, CheckNeeded."""
    encounter = own(session, viewer, appointment_id)
    called = queries.calling(queries.line(session, encounter.practitioner_id))
    if called is encounter:
        return encounter
    if called:
        raise StillBusy
    return _call(session, encounter, viewer.account_id, now, policy)


def _call(session: Session, encounter: Encounter, account_id: UUID, now: datetime, policy: Policy) -> Encounter:
    if encounter.status is not EncounterStatus.ARRIVED:
        raise NotWaiting
    if not queries.checked(session, encounter.practitioner_id, encounter.schedule_id):
        raise CheckNeeded
    if queries.busy_with(session, encounter.practitioner_id):
        raise StillBusy
    _ring(session, encounter, account_id, now)
    settled(session, encounter, "called", now)
    others = [one for one in queries.line(session, encounter.practitioner_id) if one is not encounter]
    if len(others) >= policy.soon_before:  # the one who is called is before them, too
        emit(session, TurnSoon(encounter_id=others[policy.soon_before - 1].id))
    return encounter


def _ring(session: Session, encounter: Encounter, account_id: UUID, now: datetime) -> None:
    encounter.called_at = now
    happened(session, encounter, "called", now, by=account_id)
    nudge(session, line_topic(encounter.practitioner_id))
    emit(session, FamilyCalled(encounter_id=encounter.id, occasion=f"{now:%y%m%d%H%M%S}"))


def call_again(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> Encounter:
    """Ring once more; the family's time to join begins anew. Raises NotFound, NotCalled."""
    encounter = _called(own(session, viewer, appointment_id))
    if encounter.called_at and now - encounter.called_at >= timedelta(seconds=5):  # a double tap rings once
        _ring(session, encounter, viewer.account_id, now)
    return encounter


def uncall(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> Encounter:
    """A call by mistake is taken back: nothing was missed. Raises NotFound, NotCalled."""
    encounter = _called(own(session, viewer, appointment_id))
    encounter.called_at = None
    happened(session, encounter, "uncalled", now, by=viewer.account_id)
    nudge(session, line_topic(encounter.practitioner_id))
    return encounter


def skip(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime, policy: Policy) -> Encounter:
    """The doctor does not wait any longer: the call was missed. Raises NotFound, NotCalled."""
    encounter = _called(own(session, viewer, appointment_id))
    miss(session, encounter, now, policy, by=by(viewer.account_id))
    return encounter


def _called(encounter: Encounter) -> Encounter:
    if encounter.status is not EncounterStatus.ARRIVED or encounter.called_at is None:
        raise NotCalled
    return encounter


def miss(session: Session, encounter: Encounter, now: datetime, policy: Policy, *, by: str) -> None:
    """A call (row and line held) was missed: the child comes again behind the policy's number of others; after the
    policy's number of misses its visit is closed."""
    encounter.called_at = None
    encounter.missed += 1
    if encounter.missed >= policy.missed_calls_max:
        finish(session, encounter, Ending.MISSED_CALLS, now, policy, by)
        return
    others = [one for one in queries.line(session, encounter.practitioner_id) if one is not encounter]
    turns = [one.turn for one in others]
    encounter.turn, moved = rules.behind(turns, encounter.turn, policy.missed_call_after)
    for one in others[policy.missed_call_after :] if moved else ():
        hold(session, one.id).turn += moved
    happened(session, encounter, "missed", now, missed=encounter.missed)
    nudge(session, line_topic(encounter.practitioner_id))


def join(session: Session, encounter: Encounter, account_id: UUID, now: datetime) -> Encounter:
    """The guardian with the child answers the call: the visit begins. Raises NotCalled, StillBusy."""
    encounter = hold_both(session, encounter)
    if encounter.status is EncounterStatus.IN_PROGRESS and encounter.account_id == account_id:
        return encounter
    if _called(encounter).account_id != account_id:
        raise NotCalled
    _begin(session, encounter, by(account_id), now)
    return encounter


def start(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> Encounter:
    """The doctor confirms that the family is there, by whatever way. Raises NotFound, NotWaiting, StillBusy,
    CheckNeeded."""
    encounter = own(session, viewer, appointment_id)
    if encounter.status is EncounterStatus.IN_PROGRESS:
        return encounter
    if encounter.status is not EncounterStatus.ARRIVED:
        raise NotWaiting
    if not queries.checked(session, encounter.practitioner_id, encounter.schedule_id):
        raise CheckNeeded
    called = queries.calling(queries.line(session, encounter.practitioner_id))
    if called and called is not encounter:
        raise StillBusy
    _begin(session, encounter, by(viewer.account_id), now)
    return encounter


def _begin(session: Session, encounter: Encounter, who: str, now: datetime) -> None:
    if queries.busy_with(session, encounter.practitioner_id):
        raise StillBusy
    encounter.called_at = encounter.called_at or now
    booking.arrive(booking.locked(session, encounter.appointment_id), by=who, now=now)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by=who, why="begun")
    settled(session, encounter, "begun", now)


def extend(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> Encounter:
    """Keep this visit open by hand, so that the next child can be called meanwhile. Raises NotFound, NotWaiting."""
    encounter = own(session, viewer, appointment_id)
    if encounter.status is not EncounterStatus.IN_PROGRESS:
        raise NotWaiting
    if encounter.extended_at is None:
        encounter.extended_at = now
        happened(session, encounter, "kept-open", now, by=viewer.account_id)
        nudge(session, line_topic(encounter.practitioner_id))
    return encounter


def resume(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> Encounter:
    """Go on with a visit that was kept open. Raises NotFound, NotWaiting, StillBusy."""
    encounter = own(session, viewer, appointment_id)
    if encounter.status is not EncounterStatus.IN_PROGRESS:
        raise NotWaiting
    if encounter.extended_at:
        if queries.busy_with(session, encounter.practitioner_id):
            raise StillBusy
        encounter.extended_at = None
        happened(session, encounter, "resumed", now, by=viewer.account_id)
        nudge(session, line_topic(encounter.practitioner_id))
    return encounter
