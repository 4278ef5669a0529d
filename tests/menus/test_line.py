"""The waiting room on the family's page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from booking.events import AppointmentBooked
from booking.models import AppointmentStatus, Schedule
from booking.queries import Visit
from config.clock import now as clock_now
from consultation.encounters.models import EncounterStatus, Ending, Kind
from consultation.encounters.rooms import encounter_of, known
from consultation.line import actions
from consultation.triage.queries import results
from notifications import line
from people import consents
from people.models import Account, Consent, ConsentKind, Decision, Practitioner
from tests.consultation.lines import POLICY, booked, checked, morning, viewer
from tests.menus.conftest import Browser, agree, schedule_of, send, words
from tests.product import Hospital, account, guardian

WHERE = {"place": "朝阳区望京街1号院2号楼", "phone": "138 0000 1234", "present": "yes"}


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    found = morning(session, hospital.doctor, now)
    checked(session, found, hospital.doctor, now)
    return found


@pytest.fixture
def visit(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Visit:
    made = booked(session, hospital, schedule, [hospital.child], now)[0]
    session.commit()
    return made


@pytest.fixture
def clock(visit: Visit, schedule: Schedule) -> Iterator[time_machine.Traveller]:
    """A quarter of an hour before the visit."""
    with time_machine.travel(schedule.starts_at - timedelta(minutes=15), tick=False) as traveller:
        yield traveller


@pytest.fixture
def mother(clock: time_machine.Traveller, browser: Browser, hospital: Hospital) -> FlaskClient:
    return browser(hospital.mother, "en")


def room(visit: Visit) -> str:
    return f"/visits/{visit.appointment.id}/room"


def check_in(client: FlaskClient, visit: Visit, **fields: str) -> int:
    return send(client, room(visit), f"/visits/{visit.appointment.id}/check-in", **WHERE, **fields).status_code


def call(session: Session, doctor: Practitioner) -> None:
    actions.call_next(session, viewer(doctor), clock_now(), POLICY)
    session.commit()


def test_before_its_time_the_page_says_when(
    browser: Browser, hospital: Hospital, visit: Visit, schedule: Schedule
) -> None:
    with time_machine.travel(schedule.starts_at - timedelta(minutes=31), tick=False):
        early = browser(hospital.mother, "en")
        assert "Checking in opens at Fri 27 Nov 2026, 07:30" in words(early.get(room(visit)))
        assert 'name="place"' not in early.get(room(visit)).text
        refused = send(early, "/help", f"/visits/{visit.appointment.id}/check-in", **WHERE)
        assert refused.status_code == 409
        assert "07:30" in words(refused)


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_checking_in_wait_called_joined(
    session: Session, clock: time_machine.Traveller, browser: Browser, hospital: Hospital, visit: Visit, locale: str
) -> None:
    mother = browser(hospital.mother, locale)
    assert f'href="{room(visit)}"' in mother.get(f"/visits/{visit.appointment.id}").text
    assert "data-try" in mother.get(room(visit)).text
    assert check_in(mother, visit) == 303
    waiting = mother.get(room(visit))
    assert ("You are next" if locale == "en" else "下一位就是您") in words(waiting)
    assert "08:00" in words(waiting), "not before the doctor begins"
    assert ("within 90 seconds" if locale == "en" else "90 秒内") in words(waiting), "the rule is told before"
    encounter = known(session, visit.appointment.id)
    assert encounter
    assert (encounter.phone, encounter.place) == ("13800001234", WHERE["place"])
    alone = f"/visits/{visit.appointment.id}/line"
    assert 'data-state="waiting"' in mother.get(alone).text
    call(session, hospital.doctor)
    assert 'data-state="called"' in mother.get(alone).text
    assert send(mother, room(visit), f"/visits/{visit.appointment.id}/join").status_code == 303
    session.refresh(encounter)
    assert encounter.status is EncounterStatus.IN_PROGRESS
    assert 'data-state="inside"' in mother.get(alone).text
    actions.finish(session, encounter, Ending.ANSWERED, clock_now(), POLICY, "test")
    session.commit()
    assert 'data-state="finished"' in mother.get(alone).text


def test_what_was_typed_is_kept_and_each_field_named(mother: FlaskClient, visit: Visit) -> None:
    path = f"/visits/{visit.appointment.id}/check-in"
    bad = send(mother, room(visit), path, place="  a ", phone="12345")
    assert bad.status_code == 422
    for text in ("so that an ambulance finds it", "a phone that rings", "Please confirm that you are"):
        assert text in words(bad)
    assert 'value="12345"' in bad.text
    assert ">  a </textarea>" in bad.text
    assert "data-line" in bad.text


def test_leaving_and_coming_back(session: Session, mother: FlaskClient, visit: Visit) -> None:
    check_in(mother, visit)
    assert send(mother, room(visit), f"/visits/{visit.appointment.id}/leave-line").status_code == 303
    back = mother.get(room(visit))
    assert "you keep your turn" in words(back)
    assert WHERE["place"] in back.text, "typed once"
    assert check_in(mother, visit) == 303
    found = known(session, visit.appointment.id)
    assert found
    assert found.status is EncounterStatus.ARRIVED


def test_a_missed_call_and_a_closed_visit_are_explained(
    session: Session, mother: FlaskClient, hospital: Hospital, visit: Visit
) -> None:
    check_in(mother, visit)
    for shown in ("missed calls: 1 of 2", "The visit was closed"):
        call(session, hospital.doctor)
        actions.skip(session, viewer(hospital.doctor), visit.appointment.id, clock_now(), POLICY)
        session.commit()
        assert shown in words(mother.get(room(visit)))
    late = send(mother, room(visit), f"/visits/{visit.appointment.id}/join")
    assert late.status_code == 409
    session.refresh(visit.appointment)
    assert visit.appointment.status is AppointmentStatus.NOSHOW


def test_the_other_guardian_may_take_the_seat(
    session: Session, mother: FlaskClient, browser: Browser, hospital: Hospital, visit: Visit
) -> None:
    at = clock_now()
    father = account(session, "o-father", at)
    guardian(session, father, session.merge(hospital.child), at)
    agree(session, father, at)
    check_in(mother, visit)
    his = browser(father, "en")
    page = his.get(room(visit))
    assert "Another guardian is checked in" in words(page)
    assert WHERE["place"] not in page.text, "what the mother wrote is the doctor's to see"
    assert send(his, room(visit), f"/visits/{visit.appointment.id}/leave-line").status_code == 409
    call(session, hospital.doctor)
    assert send(his, room(visit), f"/visits/{visit.appointment.id}/join").status_code == 409
    assert check_in(his, visit) == 303
    assert "Another guardian" in words(mother.get(room(visit)))
    assert send(his, room(visit), f"/visits/{visit.appointment.id}/join").status_code == 303


def refuse(session: Session, who: Account, now: datetime) -> None:
    consents.decide(session, who.id, ConsentKind.RECORDING, Decision.DENY, locale="en", now=now)
    session.commit()


def test_who_checks_in_to_a_visit_by_video_agrees_to_be_recorded(
    session: Session, hospital: Hospital, mother: FlaskClient, visit: Visit, now: datetime
) -> None:
    path = f"/visits/{visit.appointment.id}/check-in"
    asked = delete(Consent).where(Consent.kind == ConsentKind.RECORDING)
    encounter_of(session, visit, now)  # made before the answer was refused
    session.execute(asked)
    session.commit()
    assert send(mother, room(visit), path, **WHERE).location == f"/consents?next={quote(room(visit), safe='')}"
    refuse(session, hospital.mother, now)
    told = send(mother, room(visit), path, **WHERE)
    assert told.status_code == 409
    assert "Video visits are recorded" in words(told)
    assert f'href="/consents?next={quote(room(visit), safe="")}"' in told.text
    session.expire_all()
    assert visit.appointment.status is AppointmentStatus.BOOKED
    agree(session, hospital.mother, now)
    assert check_in(mother, visit) == 303


def test_who_refuses_to_be_recorded_is_seen_in_writing(
    session: Session, hospital: Hospital, mother: FlaskClient, visit: Visit, now: datetime
) -> None:
    later = schedule_of(session, hospital.doctor.id, now, ahead=6)
    page = f"/schedules/{later.id}/book?child={hospital.sibling.id}"
    assert "In writing, not by video" not in words(mother.get(page))
    refuse(session, hospital.mother, now)
    shown = mother.get(page)
    assert "In writing, not by video" in words(shown)
    assert f'href="/consents?next={quote(page, safe="/?")}"' in shown.text
    line.hear_booked(session, AppointmentBooked(visit.appointment.id), now)
    line.hear_booked(session, AppointmentBooked(visit.appointment.id), now)
    session.commit()
    made = known(session, visit.appointment.id)
    assert made
    assert made.kind is Kind.TEXT


def test_nobody_else_checks_in_joins_or_sees_the_line(
    session: Session, mother: FlaskClient, browser: Browser, hospital: Hospital, visit: Visit
) -> None:
    check_in(mother, visit)
    stranger = browser(hospital.stranger, "en")
    path = f"/visits/{visit.appointment.id}"
    assert stranger.get(f"{path}/line").status_code == 404
    for verb in ("check-in", "leave-line", "join", "hand-over"):
        assert send(stranger, "/help", f"{path}/{verb}", **WHERE, answer="agree").status_code == 404, verb


def test_the_parent_answers_whether_another_doctor_may(
    session: Session, app: Flask, mother: FlaskClient, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    check_in(mother, visit)
    other = session.merge(hospital.colleague)
    other.account_id = account(session, "o-colleague", now).id
    checked(session, morning(session, other, now), other, now)
    encounter = known(session, visit.appointment.id)
    assert encounter
    asked = actions.offer(session, encounter, other.id, hospital.doctor, clock_now())
    session.commit()
    page = mother.get(room(visit))
    assert "Another doctor could see your child" in words(page)
    assert str(asked.id) in page.text
    actions.call(session, viewer(hospital.doctor), visit.appointment.id, clock_now(), POLICY)
    session.commit()
    called = words(mother.get(room(visit)))
    assert called.index("Join now") < called.index("Another doctor could see your child")
    actions.uncall(session, viewer(hospital.doctor), visit.appointment.id, clock_now())
    session.commit()
    path = f"/visits/{visit.appointment.id}/hand-over"
    assert send(mother, room(visit), path, handover=asked.id, answer="perhaps").status_code == 404
    assert send(mother, room(visit), path, handover=asked.id, answer="agree").status_code == 303
    session.refresh(encounter)
    assert encounter.practitioner_id == other.id
    assert send(mother, room(visit), path, handover=asked.id, answer="wait").status_code == 409


def test_a_visit_that_has_begun_is_not_cancelled(
    session: Session, mother: FlaskClient, hospital: Hospital, visit: Visit
) -> None:
    check_in(mother, visit)
    actions.start(session, viewer(hospital.doctor), visit.appointment.id, clock_now())
    session.commit()
    refused = send(mother, room(visit), f"/visits/{visit.appointment.id}/cancel", why="worsened")
    assert refused.status_code == 409
    assert "has begun already" in words(refused)
    session.refresh(visit.appointment)
    assert visit.appointment.status is AppointmentStatus.ARRIVED


def test_triage_is_asked_again_at_check_in(session: Session, mother: FlaskClient, visit: Visit) -> None:
    before = results(session, visit.appointment.id)
    check_in(mother, visit)
    assert len(results(session, visit.appointment.id)) == len(before) + 1


def test_a_visit_ended_by_rule_says_why_and_leads_to_the_fee(
    session: Session, mother: FlaskClient, hospital: Hospital, visit: Visit
) -> None:
    check_in(mother, visit)
    actions.end_by_rule(
        session, viewer(hospital.doctor), visit.appointment.id, Ending.NOT_FOLLOWUP, clock_now(), POLICY
    )
    session.commit()
    page = mother.get(room(visit))
    assert "does not take place" in words(page)
    encounter = known(session, visit.appointment.id)
    assert encounter
    assert encounter.status is EncounterStatus.CANCELLED
    shown = mother.get(f"/visits/{visit.appointment.id}")
    assert "it was not a follow-up" in words(shown)


def test_one_ended_in_the_room_does_too(
    session: Session, mother: FlaskClient, hospital: Hospital, visit: Visit
) -> None:
    check_in(mother, visit)
    doctor = viewer(hospital.doctor)
    actions.start(session, doctor, visit.appointment.id, clock_now())
    actions.end_by_rule(session, doctor, visit.appointment.id, Ending.STATE_CHANGED, clock_now(), POLICY)
    session.commit()
    page = mother.get(room(visit))
    assert "should be seen in the hospital" in words(page)
    assert f"Bring {visit.patient.name} to the hospital today" in words(page)
    assert 'href="tel:120"' in page.text
    assert f'href="/visits/{visit.appointment.id}"' in page.text
