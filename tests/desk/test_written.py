"""Visits in writing at the desk: the list by deadline, the answer after the doctor's own check, the record."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.models import Schedule
from booking.queries import Visit
from consultation.encounters.models import Encounter, EncounterStatus, Kind
from consultation.written import actions
from tests.consultation.lines import POLICY, arrive, booked, checked, child, morning
from tests.consultation.written.conftest import PHONE, told_all
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    return morning(session, hospital.doctor, now)


@pytest.fixture
def written(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> list[Encounter]:
    """Two families write, the second an hour later."""
    made = []
    children = [child(session, hospital, n, now) for n in range(2)]
    for n, visit in enumerate(booked(session, hospital, schedule, children, now)):
        at = now + timedelta(hours=n)
        actions.choose(session, visit, hospital.mother.id, at)
        told_all(session, visit, at)
        made.append(actions.begin(session, visit, hospital.mother.id, PHONE, at, POLICY))
    session.commit()
    return made


@pytest.fixture
def doctor(browse: Browse, hospital: Hospital, written: list[Encounter]) -> FlaskClient:
    return browse(hospital.doctor)


def page(one: Encounter) -> str:
    return f"/desk/visits/{one.appointment_id}"


def answer(client: FlaskClient, one: Encounter, text: str = "Drink a lot") -> int:
    return post(client, f"{page(one)}/messages", on=page(one), text=text).status_code


def test_the_list_has_them_by_deadline_and_overdue_in_red(
    browse: Browse, hospital: Hospital, written: list[Encounter], now: datetime, clock: time_machine.Traveller
) -> None:
    doctor = browse(hospital.doctor)
    shown = doctor.get("/desk").text
    first, second = (shown.index(f'class="tap" href="{page(one)}"') for one in written)
    assert first < second
    assert "answer by Fri 27 Nov 2026, 10:00" in words(doctor.get("/desk"))
    assert 'class="late">overdue' not in shown
    clock.move_to(now + timedelta(hours=48), tick=False)
    later = browse(hospital.doctor).get("/desk/line").text
    assert later.count('class="late">overdue since') == 1


def test_the_doctor_is_checked_answers_and_ends_it(
    session: Session,
    doctor: FlaskClient,
    written: list[Encounter],
    hospital: Hospital,
    schedule: Schedule,
    now: datetime,
) -> None:
    one = written[0]
    shown = words(doctor.get(page(one)))
    assert "To be answered by Fri 27 Nov 2026, 10:00" in shown
    assert "Confirm who you are" in shown
    assert "Call next" not in shown
    assert answer(doctor, one) == 409, "not before the check"
    checked(session, schedule, hospital.doctor, now)
    session.commit()
    assert answer(doctor, one) == 303
    session.refresh(one)
    assert one.reply_by is None
    assert "Answered Wed 25 Nov 2026, 10:00. Sign the record" in words(doctor.get(page(one)))
    assert post(doctor, f"{page(one)}/end", on=page(one), ending="state-changed").status_code == 303
    session.refresh(one)
    assert one.status is EncounterStatus.FINISHED


def test_a_call_goes_on_in_writing_by_the_doctors_hand(
    session: Session,
    browse: Browse,
    hospital: Hospital,
    schedule: Schedule,
    now: datetime,
    clock: time_machine.Traveller,
) -> None:
    visit: Visit = booked(session, hospital, schedule, [hospital.child], now)[0]
    one = arrive(session, hospital, visit, schedule.starts_at)
    session.commit()
    clock.move_to(schedule.starts_at, tick=False)
    assert post(browse(hospital.doctor), f"{page(one)}/line", on=page(one), do="write").status_code == 303
    session.refresh(one)
    assert (one.kind, one.status) == (Kind.TEXT, EncounterStatus.IN_PROGRESS)


def test_another_doctor_neither_reads_answers_nor_switches(
    session: Session, browse: Browse, hospital: Hospital, written: list[Encounter], now: datetime
) -> None:
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    session.commit()
    other, one = browse(hospital.colleague), written[0]
    assert other.get(page(one)).status_code == 404
    assert post(other, f"{page(one)}/messages", on="/desk", text="x").status_code == 404
    assert post(other, f"{page(one)}/line", on="/desk", do="write").status_code == 404
    assert page(one) not in other.get("/desk").text
    mother = browse(hospital.mother)
    assert mother.get(page(one)).status_code in {403, 404}


def test_no_mark_by_hand_for_what_is_written(
    browse: Browse, hospital: Hospital, written: list[Encounter], schedule: Schedule, clock: time_machine.Traveller
) -> None:
    clock.move_to(schedule.starts_at + timedelta(hours=3), tick=False)
    shown = words(browse(hospital.doctor).get("/desk"))
    assert "Did not come" not in shown
    assert "In writing" in shown
