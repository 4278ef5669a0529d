"""A visit in writing on the family's page: chosen with the number, begun, refused; and nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.models import Schedule
from booking.queries import Visit
from config.policy import change
from consultation.encounters.models import EncounterStatus, Kind
from consultation.encounters.rooms import known
from consultation.line import actions as line
from consultation.written import actions
from tests.consultation.lines import POLICY, arrive, booked, checked, morning, viewer
from tests.consultation.written.conftest import told_all
from tests.menus.conftest import Browser, send, words
from tests.product import Hospital, account, guardian

BEGIN = {"phone": "138 0000 1234", "present": "yes"}


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    found = morning(session, hospital.doctor, now)
    checked(session, found, hospital.doctor, now)
    return found


@pytest.fixture
def visit(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Visit:
    """Booked, and to be held in writing."""
    made = booked(session, hospital, schedule, [hospital.child], now)[0]
    actions.choose(session, made, hospital.mother.id, now)
    session.commit()
    return made


def of(visit: Visit, what: str = "room") -> str:
    return f"/visits/{visit.appointment.id}/{what}"


def test_it_is_chosen_with_the_number(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    session.commit()
    confirm = f"/schedules/{schedule.id}/book"
    assert "In writing, with pictures" in words(mother.get(confirm))
    chosen = {"schedule": schedule.id, "patient": hospital.child.id, "kind": "text"}
    made = send(mother, confirm, "/visits", **chosen)
    assert made.status_code == 303
    found = known(session, UUID(made.location.rsplit("/", 1)[1]))
    assert found
    assert (found.kind, found.status) == (Kind.TEXT, EncounterStatus.PLANNED)
    shown = words(mother.get(made.location))
    assert "This visit is held in writing" in shown
    assert "WeChat reminds you" not in shown
    change(session, "text_clinics", "", author="test", valid_from=now)
    session.commit()
    assert "In writing, with pictures" not in words(mother.get(confirm))
    made = send(mother, confirm, "/visits", **chosen | {"patient": hospital.sibling.id})
    assert "This visit is held in writing" not in words(mother.get(made.location)), "booked, by video"


def test_first_the_child_is_told_of_then_it_is_begun(
    session: Session, mother: FlaskClient, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    shown = words(mother.get(of(visit)))
    assert "First tell the doctor about your child" in shown
    assert "Begin to write" not in shown
    refused = send(mother, of(visit), of(visit, "write"), **BEGIN)
    assert refused.status_code == 409
    told_all(session, visit, now)
    session.commit()
    bad = send(mother, of(visit), of(visit, "write"), phone="12")
    assert bad.status_code == 422
    assert "a phone that rings where you are" in words(bad)
    assert "needs a guardian with the child" in words(bad)
    assert send(mother, of(visit), of(visit, "write"), **BEGIN).status_code == 303
    shown = words(mother.get(of(visit)))
    assert "The doctor will answer by Fri 27 Nov 2026, 10:00 at the latest" in shown
    assert "You can send 20 more messages." in shown
    assert "Video call" not in shown
    sent = mother.post(of(visit, "messages"), data={"text": "Hi"}, headers={"Accept": "application/json"})
    assert sent.status_code == 400, "a form's token is asked for"


def test_a_call_that_cannot_be_goes_on_in_writing(
    session: Session, browser: Browser, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    made = booked(session, hospital, schedule, [hospital.child], now)[0]
    at = schedule.starts_at
    arrive(session, hospital, made, at)
    line.start(session, viewer(hospital.doctor), made.appointment.id, at)
    session.commit()
    with time_machine.travel(at, tick=False):
        mother = browser(hospital.mother, "en")
        assert "Picture or sound don't work?" in words(mother.get(of(made)))
        assert send(mother, of(made), of(made, "in-writing")).status_code == 303
        shown = words(mother.get(of(made)))
    assert "The doctor will answer" in shown
    assert "Video call" not in shown


def test_the_intake_is_not_offered_while_the_doctor_calls(
    session: Session, browser: Browser, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    made = booked(session, hospital, schedule, [hospital.child], now)[0]
    at = schedule.starts_at
    arrive(session, hospital, made, at)
    session.commit()
    with time_machine.travel(at, tick=False):
        mother = browser(hospital.mother, "en")
        assert "<div data-until-call>" in mother.get(of(made)).text
        line.call_next(session, viewer(hospital.doctor), at, POLICY)
        session.commit()
        assert "<div data-until-call hidden>" in mother.get(of(made)).text


def test_nobody_else_chooses_begins_or_switches(
    session: Session, browser: Browser, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    told_all(session, visit, now)
    father = account(session, "o-father", now)
    guardian(session, father, visit.patient, now)
    session.commit()
    other = browser(hospital.stranger, "en")
    for what in ("write", "in-writing"):
        assert send(other, "/help", of(visit, what), **BEGIN).status_code == 404
        assert send(browser(), "/help", of(visit, what), **BEGIN).status_code == 401
    assert send(browser(hospital.mother), of(visit), of(visit, "write"), **BEGIN).status_code == 303
    late = browser(father, "en")
    assert "Another guardian writes with the doctor" in words(late.get(of(visit)))
    assert send(late, "/help", of(visit, "write"), **BEGIN).status_code == 409
    assert send(late, "/help", of(visit, "in-writing")).status_code == 404
    found = known(session, visit.appointment.id)
    assert found
    assert found.account_id == hospital.mother.id


def test_who_left_the_line_for_good_reads_so(
    session: Session, browser: Browser, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    made = booked(session, hospital, schedule, [hospital.child], now)[0]
    line.leave(session, arrive(session, hospital, made, schedule.starts_at), hospital.mother.id, schedule.starts_at)
    line.watch(session, hospital.medicine, schedule.over_at)
    session.commit()
    with time_machine.travel(schedule.over_at + timedelta(minutes=1), tick=False):
        assert "You left the line and did not come back" in words(browser(hospital.mother, "en").get(of(made)))
