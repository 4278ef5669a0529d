"""A paid visit in writing of the mother's child, told of beforehand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.models import Schedule
from booking.queries import Visit
from booking.queries import visit as whole
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import seat
from consultation.intake.actions import complete
from consultation.talk.models import Message
from consultation.written import actions
from people.access import Viewer
from people.models import Practitioner
from tests.booking.test_paying import FEE, pay, payment_of
from tests.consultation.answering import COMPLETE, tell
from tests.consultation.lines import POLICY, checked, morning
from tests.product import Hospital

PHONE = "13800001234"
Say = Callable[..., Message]


def told_all(session: Session, visit: Visit, now: datetime) -> None:
    """The mother has told of the child."""
    for step, typed in COMPLETE.items():
        tell(session, visit, now, step, **typed)
    complete(session, visit, visit.appointment.account_id, now, POLICY)


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """The doctor's morning the day after tomorrow, with a fee; the doctor's identity was checked for it."""
    session.execute(update(Schedule).values(fee_fen=FEE))
    session.expire_all()
    found = morning(session, hospital.doctor, now)
    checked(session, found, hospital.doctor, now)
    return found


@pytest.fixture
def visit(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Visit:
    """Booked and paid, in writing, told of."""
    held = booking.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    pay(session, payment_of(session, held), now)
    made = whole(session, held.id)
    actions.choose(session, made, hospital.mother.id, now)
    told_all(session, made, now)
    return made


@pytest.fixture
def encounter(session: Session, hospital: Hospital, visit: Visit, now: datetime) -> Encounter:
    """The mother has begun."""
    return actions.begin(session, visit, hospital.mother.id, PHONE, now, POLICY)


@pytest.fixture
def say(session: Session, hospital: Hospital, visit: Visit) -> Say:
    """Somebody writes in the room: the mother unless said."""

    def do(at: datetime, text: str = "Hello", *, doctor: Practitioner | None = None) -> Message:
        account = doctor.account_id if doctor else hospital.mother.id
        assert account
        here = seat(session, Viewer(account, "zh_CN"), visit.appointment.id, lock=True)
        return actions.write(session, here, text, uuid4(), at, POLICY)

    return do
