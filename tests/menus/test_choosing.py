"""Choosing: departments and search, the calendar of a department, the doctors of a period."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import time_machine
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.models import Period, Schedule, ScheduleStatus, Slot, SlotStatus
from config import policy
from people import departments
from people.models import Department
from tests.menus.conftest import Browser, words
from tests.product import Hospital

MEDICINE = "/internet-diagnosis/internal-medicine"


def test_open_departments_come_first_with_what_is_left(
    mother: FlaskClient, hospital: Hospital, session: Session
) -> None:
    hospital.skin.position = 0
    session.commit()
    shown = words(mother.get("/internet-diagnosis"))
    assert shown.index("Internal Medicine") < shown.index("Dermatology")
    assert "384 left" in shown  # two doctors, two periods, eight days, twelve numbers
    assert "Dermatology 皮肤科" not in shown
    assert "No clinic" in shown


def test_the_urgent_signs_and_the_way_to_120_come_before_everything(mother: FlaskClient, hospital: Hospital) -> None:
    page = mother.get("/internet-diagnosis").text
    assert page.index('href="tel:120"') < page.index('role="search"')


def test_search_takes_chinese_english_pinyin_and_initials(session: Session, mother: FlaskClient) -> None:
    departments.load(session)
    session.commit()
    for typed in ("呼吸", "respir", "HXK", "huxi", "Respiratory medicine"):
        page = mother.get("/internet-diagnosis", query_string={"q": typed})
        links = re.findall(r'href="/internet-diagnosis/([a-z-]+)"', page.text)
        assert links == ["respiratory"], typed


def test_a_search_is_shown_back_as_text(mother: FlaskClient) -> None:
    page = mother.get("/internet-diagnosis", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>" not in page.text


def test_a_department_says_what_it_is_not_for_before_the_numbers(session: Session, mother: FlaskClient) -> None:
    departments.load(session)
    session.commit()
    page = mother.get(MEDICINE)
    shown = words(page)
    assert shown.index("can't be woken") < shown.index("Choose a day")
    for rule in ("1 to 8 days ahead", "opens at 07:00", "until 12 hours before", "12345", "QR code"):
        assert rule in shown


def test_rules_come_from_the_policy(session: Session, mother: FlaskClient, hospital: Hospital, now: datetime) -> None:
    policy.change(session, "cancel_until_hours", 5, author="test", valid_from=now, department="internal-medicine")
    session.commit()
    assert "until 5 hours before" in words(mother.get(MEDICINE))
    assert "until 12 hours before" in words(mother.get("/internet-diagnosis/dermatology"))


def test_the_fee_is_a_range_when_doctors_differ(session: Session, mother: FlaskClient, hospital: Hospital) -> None:
    session.execute(update(Schedule).where(Schedule.practitioner_id == hospital.doctor.id).values(fee_fen=5000))
    session.commit()
    assert "free – ¥50" in words(mother.get(MEDICINE))


def test_full_and_stopped_periods_can_not_be_tapped(
    session: Session, mother: FlaskClient, hospital: Hospital, now: datetime
) -> None:
    day = (now + timedelta(days=2)).date()
    of_day = session.query(Schedule).filter_by(day=day).all()
    for schedule in of_day:
        if schedule.period is Period.MORNING:
            session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
        else:
            session.execute(update(Schedule).where(Schedule.id == schedule.id).values(status=ScheduleStatus.SUSPENDED))
    session.commit()
    page = mother.get(MEDICINE)
    assert f"{MEDICINE}/{day}/afternoon" not in page.text
    assert f"{MEDICINE}/{day}/morning" in page.text, "a full one can be looked into"
    assert "days__cell--free" not in page.text.split(f"{MEDICINE}/{day}/morning")[0].rsplit("<tr>", 1)[1]
    line = words(page).split("27 Nov")[1].split("28 Nov")[0]
    assert "Full" in line
    assert "No clinic" in line


def test_the_last_day_opens_at_seven(browser: Browser, hospital: Hospital, now: datetime) -> None:
    before = now.replace(hour=22, minute=59) - timedelta(days=1)  # 06:59 of the same day in Beijing
    last = "/internet-diagnosis/internal-medicine/2026-12-03/morning"
    with time_machine.travel(before, tick=False):
        client = browser(hospital.mother, "en")
        assert "opens 25 Nov 07:00" in words(client.get(MEDICINE))
        page = client.get(last)
        assert "open on 25 Nov at 07:00" in words(page)
        assert "/book" not in page.text
    with time_machine.travel(before + timedelta(minutes=1), tick=False):
        assert last in browser(hospital.mother, "en").get(MEDICINE).text
        assert "/book" in browser(hospital.mother, "en").get(last).text


def test_a_period_shows_its_doctors_and_sold_out_ones_last(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule
) -> None:
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
    hospital.doctor.name = {"zh_CN": "满医生", "en": "Dr Full"}
    session.add(hospital.doctor)
    session.commit()
    page = mother.get(f"{MEDICINE}/{schedule.day}/morning")
    shown = words(page).split("Show all")[-1].split("Any title")[-1]
    assert shown.index("Dr Zhao") < shown.index("Dr Full")
    assert "Licence No. 1101D002" in shown
    assert "Attending physician" in shown
    assert "12 left about 08:00" in shown
    assert f"/schedules/{schedule.id}/book" not in page.text
    assert page.text.count("/book") == 1


def test_periods_that_do_not_exist_are_not_found(mother: FlaskClient, hospital: Hospital) -> None:
    wrong = ("2026-11-25/morning", "2026-12-24/morning", "2026-11-27/night", "tomorrow/morning", "2026-02-30/morning")
    for path in wrong:
        assert mother.get(f"{MEDICINE}/{path}").status_code == 404, path
    assert mother.get("/internet-diagnosis/astrology").status_code == 404


def test_choosing_needs_no_sign_in(client: FlaskClient, hospital: Hospital) -> None:
    for path in ("/internet-diagnosis", MEDICINE, f"{MEDICINE}/2026-11-27/morning", "/help"):
        assert client.get(path).status_code == 200


def test_the_departments_of_the_hospital(session: Session) -> None:
    assert departments.load(session) == 41
    assert departments.load(session) == 0
    found = session.query(Department).order_by(Department.position).all()
    assert [department.code for department in found[:4]] == [
        "internal-medicine", "respiratory", "gastroenterology", "dermatology",
    ]  # fmt: skip
    for department in found:
        for text in (department.name, department.summary, *department.treats, *department.not_for):
            assert set(text) == {"zh_CN", "en"}
            assert all(text.values())
        assert department.not_for, department.code
        assert len(department.search) <= 200
    assert all(len(department.treats) >= 4 for department in found[:4])
