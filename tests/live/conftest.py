"""A visit that goes on, and browsers of those who sit in its room and of those who don't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.queries import Visit
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.encounters.rooms import encounter_of, move
from people.models import Account
from tests.product import Hospital, account, sign_in, visit_ahead

Browse = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    """Everything happens at the moment of the test."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    """The mother's child, with the doctor."""
    colleague = account(session, "o-colleague", now)
    hospital.colleague.account_id = colleague.id
    return visit_ahead(session, hospital, hospital.child, now)


@pytest.fixture
def encounter(session: Session, visit: Visit, now: datetime) -> Encounter:
    """The doctor has called the child in."""
    made = encounter_of(session, visit, now)
    made.phone = "13800001234"
    move(session, made, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    session.commit()
    return made


@pytest.fixture
def browse(app: Flask) -> Browse:
    """Makes browsers, each signed in as somebody; without forms' tokens, which other tests look at."""
    app.config["WTF_CSRF_ENABLED"] = False

    def make(who: Account | None = None) -> FlaskClient:
        client = app.test_client()
        with client.session_transaction() as kept:
            kept["locale"] = "en"
        if who:
            sign_in(client, who)
        return client

    return make


@pytest.fixture
def mother(browse: Browse, hospital: Hospital) -> FlaskClient:
    """The mother's phone."""
    return browse(hospital.mother)


@pytest.fixture
def doctor(browse: Browse, session: Session, hospital: Hospital) -> FlaskClient:
    """The doctor's phone."""
    return browse(session.get_one(Account, hospital.doctor.account_id))
