"""The worker sees to the lines of departments where a child is expected or waits, and asks nothing of the others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from config import clock
from consultation.encounters.models import Encounter
from consultation.line import actions
from tests.consultation.lines import POLICY, arrive, booked, checked, morning, viewer
from tests.product import Hospital, department
from worker import jobs


@pytest.fixture
def called(session: Session, hospital: Hospital, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Encounter:
    """A child is called, and the product's clock stands where nobody can answer any more."""
    schedule = morning(session, hospital.doctor, now)
    (visit,) = booked(session, hospital, schedule, [hospital.child], now)
    at = visit.appointment.starts_at
    checked(session, schedule, hospital.doctor, at)
    encounter = arrive(session, hospital, visit, at)
    actions.call_next(session, viewer(hospital.doctor), at, POLICY)
    session.commit()
    monkeypatch.setattr(clock, "_shift", at + timedelta(seconds=POLICY.call_seconds) - clock.real_now())
    return encounter


def statements(database: Connection) -> int:
    """How many statements one look takes."""
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.append(str(call[2]))

    event.listen(database, "before_cursor_execute", note)
    try:
        jobs.see_to_lines()
    finally:
        event.remove(database, "before_cursor_execute", note)
    return len(asked)


def test_a_call_that_nobody_answered_ends(session: Session, called: Encounter) -> None:
    jobs.see_to_lines()
    session.refresh(called)
    assert (called.missed, called.called_at) == (1, None)


def test_departments_where_nobody_is_expected_cost_nothing(
    session: Session, hospital: Hospital, called: Encounter, database: Connection
) -> None:
    statements(database)  # the missed call
    busy = statements(database)
    for n in range(40):
        department(session, f"idle-{n}", f"空{n}", f"Idle {n}", 10 + n)
    session.commit()
    assert statements(database) == busy > 1
