"""Who gets into the room of a visit, and what happens there in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.errors import NotFound
from config.states import WrongState
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Participant, SeatRole
from consultation.encounters.rooms import encounter_of, happened, move, place_of, seat
from consultation.talk.queries import news
from people.access import Viewer
from people.models import Account, GuardianStatus
from tests.product import Hospital, account, guardian

Book = Callable[..., Visit]


@pytest.fixture
def visit(book: Book) -> Visit:
    return book()


@pytest.fixture
def encounter(session: Session, visit: Visit, now: datetime) -> Encounter:
    return encounter_of(session, visit, now)


def look(of: Account) -> Viewer:
    return Viewer(of.id, "zh_CN")


def doctor(session: Session, hospital: Hospital) -> Viewer:
    assert hospital.doctor.account_id
    return Viewer(hospital.doctor.account_id, "zh_CN")


def test_one_encounter_per_appointment(session: Session, visit: Visit, encounter: Encounter, now: datetime) -> None:
    assert encounter_of(session, visit, now) is encounter
    assert encounter.status is EncounterStatus.PLANNED


def test_the_two_sides_have_a_seat_and_nobody_else(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    appointment = visit.appointment.id
    assert seat(session, look(hospital.mother), appointment).role is SeatRole.GUARDIAN
    assert seat(session, doctor(session, hospital), appointment).role is SeatRole.PRACTITIONER
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    for nobody in (father, hospital.stranger):
        with pytest.raises(NotFound):
            seat(session, look(nobody), appointment)
    assert encounter.account_id == hospital.mother.id


def test_who_is_invited_must_agree_and_may_leave(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    father = account(session, "o-father", now)
    bound = guardian(session, father, hospital.child, now)
    invited = Participant(
        encounter_id=encounter.id,
        account_id=father.id,
        role=SeatRole.SECOND_GUARDIAN,
        invited_by_id=hospital.mother.id,
        invited_at=now,
    )
    session.add(invited)
    with pytest.raises(NotFound):
        seat(session, look(father), visit.appointment.id)
    invited.agreed_at = now
    assert seat(session, look(father), visit.appointment.id).role is SeatRole.SECOND_GUARDIAN
    bound.status = GuardianStatus.FROZEN
    with pytest.raises(NotFound):
        seat(session, look(father), visit.appointment.id)
    bound.status = GuardianStatus.ACTIVE
    invited.left_at = now
    with pytest.raises(NotFound):
        seat(session, look(father), visit.appointment.id)


def test_events_are_numbered_without_gaps_and_reach_whom_they_are_for(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    mother, treating = look(hospital.mother), doctor(session, hospital)
    happened(session, encounter, "message", now, by=mother.account_id)
    happened(session, encounter, "signal", now, by=mother.account_id, to=treating.account_id, sdp="v=0")
    happened(session, encounter, "signal", now, by=treating.account_id, to=hospital.stranger.id)
    mine = news(session, seat(session, mother, visit.appointment.id).place, 0, "en")
    assert [event["n"] for event in mine] == [1, 2]
    theirs = news(session, place_of(session, treating, visit.appointment.id), 1, "en")
    assert [event["n"] for event in theirs] == [2, 3]


def test_moves_are_written_where_they_happen(session: Session, encounter: Encounter, now: datetime) -> None:
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    assert (encounter.started_at, encounter.ended_at, encounter.events) == (now, now, 2)
    with pytest.raises(WrongState):
        move(session, encounter, EncounterStatus.ARRIVED, now, by="test", why="again")
