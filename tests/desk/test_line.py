"""The line at the doctor's desk."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.models import AppointmentStatus, Schedule
from booking.queries import Visit
from consultation.encounters.models import Encounter, EncounterStatus, Ending
from consultation.line import actions, queries
from consultation.record.models import Composition, CompositionStatus
from people.models import Account, Practitioner, Role
from tests.consultation.lines import POLICY, arrive, booked, checked, child, morning
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member

PIN = {"pin": "280519", "again": "280519"}


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    return morning(session, hospital.doctor, now)


@pytest.fixture
def visits(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> list[Visit]:
    made = booked(session, hospital, schedule, [child(session, hospital, n, now) for n in range(3)], now)
    session.commit()
    return made


@pytest.fixture
def at(visits: list[Visit], schedule: Schedule, clock: time_machine.Traveller) -> datetime:
    moment = schedule.starts_at + timedelta(minutes=30)
    clock.move_to(moment, tick=False)
    return moment


@pytest.fixture
def line(session: Session, hospital: Hospital, visits: list[Visit], at: datetime) -> list[Encounter]:
    made = [arrive(session, hospital, visit, at) for visit in visits]
    session.commit()
    return made


@pytest.fixture
def doctor(at: datetime, browse: Browse, hospital: Hospital) -> FlaskClient:
    return browse(hospital.doctor)


@pytest.fixture
def ready(session: Session, schedule: Schedule, hospital: Hospital, at: datetime) -> None:
    checked(session, schedule, hospital.doctor, at)
    session.commit()


def page(one: Encounter) -> str:
    return f"/desk/visits/{one.appointment_id}"


def do(client: FlaskClient, one: Encounter, verb: str) -> int:
    return post(client, f"{page(one)}/line", do=verb).status_code


def again(session: Session, one: Encounter) -> Encounter:
    session.refresh(one)
    return one


def test_the_doctor_is_checked_once_before_the_first_call(
    session: Session, doctor: FlaskClient, schedule: Schedule, line: list[Encounter]
) -> None:
    assert "Confirm who you are" in words(doctor.get("/desk"))
    asked = post(doctor, "/desk/line/next")
    assert asked.location.startswith(f"/desk/sessions/{schedule.id}/check")
    assert "Choose a PIN" in words(doctor.get(asked.location))
    weak = post(doctor, f"/desk/sessions/{schedule.id}/check", pin="111111", again="111111")
    assert weak.status_code == 422
    assert "not all alike" in words(weak)
    done = post(doctor, f"/desk/sessions/{schedule.id}/check", visit=line[0].appointment_id, **PIN)
    assert done.location == page(line[0])
    called = post(doctor, "/desk/line/next")
    assert called.location == page(line[0])
    assert again(session, line[0]).called_at
    wrong = post(doctor, f"/desk/sessions/{schedule.id}/check", pin="000001")
    assert "4 tries are left" in words(wrong), "a wrong try is counted though it is refused"
    assert "3 tries are left" in words(post(doctor, f"/desk/sessions/{schedule.id}/check", pin="000001"))
    for _ in range(3):
        locked = post(doctor, f"/desk/sessions/{schedule.id}/check", pin="000001")
    assert locked.status_code == 429
    assert "from 08:45 on" in words(locked)


def test_nobody_is_checked_for_a_colleagues_session(
    session: Session, doctor: FlaskClient, hospital: Hospital, now: datetime
) -> None:
    other = morning(session, hospital.colleague, now)
    assert doctor.get(f"/desk/sessions/{other.id}/check").status_code == 404
    assert post(doctor, f"/desk/sessions/{other.id}/check", **PIN).status_code == 404


@pytest.mark.usefixtures("ready")
def test_call_again_undo_begin_and_keep_open(session: Session, doctor: FlaskClient, line: list[Encounter]) -> None:
    first, second = line[0], line[1]
    assert "Call next" in words(doctor.get("/desk"))
    assert do(doctor, second, "call") == 303
    shown = words(doctor.get(page(second)))
    assert "Being called" in shown
    assert "counts as missed from 08:31 on" in shown
    assert do(doctor, first, "start") == 409, "another is being called"
    assert do(doctor, second, "undo") == 303
    assert again(session, second).called_at is None
    assert do(doctor, second, "undo") == 409
    assert do(doctor, first, "start") == 303
    assert again(session, first).status is EncounterStatus.IN_PROGRESS
    refused = post(doctor, "/desk/line/next")
    assert refused.status_code == 409
    assert "Another child is in the room" in words(refused)
    assert do(doctor, first, "keep-open") == 303
    assert post(doctor, "/desk/line/next").location == page(second)
    assert "kept open" in words(doctor.get("/desk/line"))
    assert do(doctor, first, "nonsense") == 404


@pytest.mark.usefixtures("ready")
def test_the_list_says_how_far_each_visit_has_come(
    session: Session, doctor: FlaskClient, line: list[Encounter], at: datetime
) -> None:
    assert words(doctor.get("/desk")).count("Checked in") == 3
    assert 'value="came"' not in doctor.get("/desk").text, "the line sees to them"
    one = line[0]
    do(doctor, one, "call")
    do(doctor, one, "start")
    assert "In the room" in words(doctor.get("/desk"))
    actions.finish(session, again(session, one), Ending.ANSWERED, at, POLICY, "test")
    session.commit()
    page = words(doctor.get("/desk"))
    assert "Record not signed" in page
    assert "1 record to sign" in page
    final = {"status": CompositionStatus.FINAL, "version": 1, "signed": 1, "draft": None}
    session.add(Composition(encounter_id=one.id, patient_id=one.patient_id, saved_at=at, **final))
    session.commit()
    page = words(doctor.get("/desk"))
    assert "Signed" in page
    assert "to sign" not in page


@pytest.mark.usefixtures("ready")
def test_a_missed_call_moves_on_and_the_visit_marks_itself(
    session: Session, doctor: FlaskClient, visits: list[Visit], line: list[Encounter]
) -> None:
    for _ in range(2):
        do(doctor, line[0], "call")
        assert do(doctor, line[0], "skip") == 303
    session.refresh(visits[0].appointment)
    assert visits[0].appointment.status is AppointmentStatus.NOSHOW
    listed = doctor.get("/desk").text
    row = listed.split(f'id="visit-{visits[0].appointment.id}"')[1].split('id="visit-')[0]
    assert 'name="mark"' not in row
    refused = post(doctor, f"{page(line[0])}/mark", mark="undo")
    assert refused.status_code == 409
    assert "marks itself" in words(refused)


@pytest.mark.usefixtures("ready")
def test_who_is_in_the_room_is_ticked_and_kept(session: Session, doctor: FlaskClient, line: list[Encounter]) -> None:
    shown = doctor.get(page(line[0]))
    for text in ("周小0", "2023-01-01", "王芳", "13800001234", "朝阳区望京街1号"):
        assert text in shown.text
    post(doctor, f"{page(line[0])}/confirm", child="yes", guardian="yes", present="no")
    assert not queries.attested(session, again(session, line[0]), POLICY)
    post(doctor, f"{page(line[0])}/confirm", specialty="yes")
    assert queries.attested(session, line[0], POLICY)
    assert "all confirmed" in words(doctor.get(page(line[0])))


@pytest.mark.usefixtures("ready")
def test_a_visit_is_ended_for_a_reason(
    session: Session, doctor: FlaskClient, visits: list[Visit], line: list[Encounter]
) -> None:
    do(doctor, line[0], "start")
    assert post(doctor, f"{page(line[0])}/end").status_code == 303, "nothing chosen: nothing done"
    assert post(doctor, f"{page(line[0])}/end", ending="answered").status_code == 303
    assert again(session, line[0]).status is EncounterStatus.IN_PROGRESS
    post(doctor, f"{page(line[0])}/end", ending="not-followup")
    assert again(session, line[0]).ending is Ending.NOT_FOLLOWUP
    assert "Not a follow-up" in words(doctor.get(page(line[0])))


@pytest.fixture
def colleague(session: Session, hospital: Hospital, at: datetime, now: datetime) -> Practitioner:
    found = session.merge(hospital.colleague)
    found.account_id = account(session, "o-colleague", now).id
    checked(session, morning(session, found, now), found, at)
    session.commit()
    return found


@pytest.mark.usefixtures("ready")
def test_a_child_is_offered_to_a_colleague_who_is_there(
    session: Session, doctor: FlaskClient, browse: Browse, colleague: Practitioner, line: list[Encounter]
) -> None:
    other = browse(colleague)
    assert other.get(page(line[0])).status_code == 404
    assert other.get(f"{page(line[0])}/line").status_code == 404
    assert post(other, f"{page(line[0])}/line", do="call").status_code == 404
    assert f'value="{colleague.id}"' in doctor.get(page(line[0])).text
    assert post(doctor, f"{page(line[0])}/hand-over", practitioner="x").status_code == 409
    assert post(doctor, f"{page(line[0])}/hand-over", practitioner=colleague.id).status_code == 303
    assert "The parent is being asked" in words(doctor.get(page(line[0])))
    asked = queries.asked(session, line[0])
    assert asked
    actions.answer(session, again(session, line[0]), asked.id, "agree", line[0].account_id, asked.asked_at, POLICY)
    session.commit()
    assert other.get(page(line[0])).status_code == 200
    assert other.get(f"{page(line[0])}/line").status_code == 200
    assert doctor.get(page(line[1])).status_code == 200
    checks = post(other, f"{page(line[0])}/line", do="call")
    assert checks.location.startswith("/desk/sessions/"), "their own check, for this session"


def test_who_leads_the_team_sees_to_a_child_that_waits_too_long(
    session: Session, browse: Browse, hospital: Hospital, colleague: Practitioner, line: list[Encounter], now: datetime
) -> None:
    lead = member(session, "L001", account(session, "o-lead", now), Role.TEAM_LEAD, of=hospital.medicine)
    elsewhere = member(session, "L002", account(session, "o-else", now), Role.TEAM_LEAD, of=hospital.skin)
    assert line[0].arrived_at
    late = line[0].arrived_at + timedelta(minutes=POLICY.late_minutes)
    actions.watch(session, hospital.medicine, late)
    session.commit()
    path = f"/desk/late/{line[0].appointment_id}"
    assert path in browse(lead).get("/desk/tasks").text
    for nobody in (elsewhere, colleague, session.get_one(Account, hospital.mother.id)):
        assert browse(nobody).get(path).status_code in {403, 404}
    assert "13800001234" in browse(lead).get(path).text
    actions.watch(session, hospital.medicine, late + timedelta(minutes=POLICY.late_offer_minutes))
    session.commit()
    theirs = browse(colleague)
    assert "I can see the child" in words(theirs.get(path))
    assert post(theirs, path, practitioner=hospital.doctor.id).status_code == 409
    assert post(theirs, path, practitioner=colleague.id).status_code == 303
    assert "is being asked" in words(theirs.get(path))
