"""A visit that has begun, the doctor's seat in it, and a plain cold as the template writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.policy import Policy
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import Seat, encounter_of, move, seat
from consultation.line.actions import finish
from consultation.record import actions, library, queries
from consultation.record.content import Content
from consultation.record.models import Composition
from consultation.record.queries import Signed
from consultation.record.writing import applied
from people.access import Viewer
from tests.product import Hospital

Book = Callable[..., Visit]


@pytest.fixture
def visit(book: Book) -> Visit:
    return book(ahead=1)


@pytest.fixture
def doctor(hospital: Hospital) -> Viewer:
    assert hospital.doctor.account_id
    return Viewer(hospital.doctor.account_id, "en")


@pytest.fixture
def place(session: Session, doctor: Viewer, visit: Visit, now: datetime) -> Seat:
    """The treating doctor's seat in a visit that has begun."""
    encounter = encounter_of(session, visit, now)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    session.commit()
    return seat(session, doctor, visit.appointment.id, lock=True)


@pytest.fixture
def cold() -> Content:
    """A plain cold, with nothing missing."""
    template = library.templates().template[0]
    return applied(Content(), template, "en").model_copy(update={"epidemiology_confirmed": True})


Sign = Callable[..., Signed]


@pytest.fixture
def sign(session: Session, place: Seat, visit: Visit, now: datetime, cold: Content) -> Sign:
    """Saves and signs the cold, changed as said; returns the version as it is read."""

    def do(content: Content | None = None, **changes: object) -> Signed:
        found = queries.composition(session, place.encounter.id)
        wanted = (content or cold).model_copy(update=changes)
        saved = actions.save(session, place, found.version if found else 0, wanted, now)
        actions.sign(session, place, visit, saved.version, now, Policy(), finish)
        return queries.versions(session, saved)[-1]

    return do


def record(session: Session, place: Seat) -> Composition:
    found = queries.composition(session, place.encounter.id)
    assert found
    return found
