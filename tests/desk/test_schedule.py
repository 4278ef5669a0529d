"""The doctor's own list: what it shows, to whom, and that it shows no full name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Period, Schedule, ScheduleStatus
from config.policy import Policy
from people.models import Account, Patient
from tests.menus.conftest import words
from tests.product import PHONE, Hospital, practitioner, sign_in


@pytest.fixture(autouse=True)
def fixed_time(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def browse(app: Flask, account: Account | None, locale: str = "en") -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["locale"] = locale
    if account:
        sign_in(client, account)
    return client


@pytest.fixture
def doctor(app: Flask, session: Session, hospital: Hospital) -> FlaskClient:
    assert hospital.doctor.account_id
    return browse(app, session.get_one(Account, hospital.doctor.account_id))


@pytest.fixture
def booked(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """Two children in the doctor's morning of the day after tomorrow, one with the colleague."""
    mornings = {
        schedule.practitioner_id: schedule
        for schedule in session.query(Schedule).filter_by(period=Period.MORNING)
        if schedule.day.isoformat() == "2026-11-27"
    }
    own = mornings[hospital.doctor.id]
    for schedule, child in (
        (own, hospital.child),
        (own, hospital.sibling),
        (mornings[hospital.colleague.id], hospital.other_child),
    ):
        actions.book(session, schedule.id, session.get_one(Patient, child.id), hospital.mother.id, now, Policy())
    session.commit()
    return own


def test_the_list_shows_number_time_masked_name_age_and_sex(doctor: FlaskClient, booked: Schedule) -> None:
    page = doctor.get("/desk")
    assert page.status_code == 200
    shown = words(page)
    day = shown.split("Fri 27 Nov 2026")[1].split("Sat 28 Nov")[0]
    assert "Morning 08:00–12:00 2 / 12" in day
    assert "1 08:00 王** 3 y 6 mo Girl Seen Wed 25 Nov 2026" in day
    assert "2 08:20 王** 8 mo Girl Seen Wed 25 Nov 2026" in day
    assert "小明" not in page.text
    assert "李" not in page.text
    assert "2 children booked" in shown
    assert page.headers["Cache-Control"] == "no-store"


def test_it_begins_today_and_ends_with_the_last_day_that_can_be_booked(doctor: FlaskClient) -> None:
    shown = words(doctor.get("/desk"))
    assert "Wed 25 Nov 2026 today" in shown
    assert "Thu 3 Dec 2026" in shown
    assert "4 Dec" not in shown


def test_it_changes_nothing(doctor: FlaskClient, booked: Schedule) -> None:
    page = doctor.get("/desk").text
    assert re.findall(r'<form method="post" action="([^"]+)"', page) == ["/language"]


def test_a_stopped_period_still_shows_its_children(session: Session, doctor: FlaskClient, booked: Schedule) -> None:
    session.execute(update(Schedule).where(Schedule.id == booked.id).values(status=ScheduleStatus.SUSPENDED))
    session.commit()
    assert "stopped · 2" in words(doctor.get("/desk"))


def test_a_doctor_without_a_roster_is_told_so(session: Session, doctor: FlaskClient, hospital: Hospital) -> None:
    other = practitioner(session, "D009", hospital.medicine)
    own = Schedule.practitioner_id == hospital.doctor.id
    session.execute(update(Schedule).where(own).values(practitioner_id=other.id))
    session.commit()
    assert "You are not rostered" in words(doctor.get("/desk"))


@pytest.mark.parametrize(("locale", "said"), [("en", "for the clinic's staff"), ("zh_CN", "仅供本院工作人员使用")])
def test_parents_are_told_that_it_is_not_theirs(app: Flask, hospital: Hospital, locale: str, said: str) -> None:
    answer = browse(app, hospital.mother, locale).get("/desk")
    assert answer.status_code == 403
    assert said in words(answer)


def test_a_doctor_who_left_is_staff_no_more(session: Session, doctor: FlaskClient, hospital: Hospital) -> None:
    hospital.doctor.active = False
    session.add(hospital.doctor)
    session.commit()
    assert doctor.get("/desk").status_code == 403


def test_it_asks_for_sign_in(app: Flask) -> None:
    browser = browse(app, None)
    assert browser.get("/desk", headers={"User-Agent": PHONE}).location == "/oauth/start?next=/desk"
    assert browser.get("/desk").location == "/desk/sign-in"


def test_chinese_and_the_style_sheet(app: Flask, session: Session, hospital: Hospital, booked: Schedule) -> None:
    assert hospital.doctor.account_id
    client = browse(app, session.get_one(Account, hospital.doctor.account_id), "zh_CN")
    page = client.get("/desk")
    assert '<html lang="zh-CN">' in page.text
    shown = words(page)
    assert "出诊列表" in shown
    assert "3岁6个月 女" in shown
    sheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = client.get(sheet)
    assert answer.content_type.startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]


def test_other_addresses_below_are_the_staffs_own_not_found(
    app: Flask, doctor: FlaskClient, hospital: Hospital
) -> None:
    answer = doctor.get("/desk/nowhere/at/all")
    assert answer.status_code == 404
    assert 'href="/desk/roster"' in answer.text
    assert browse(app, None).get("/desk/nowhere").location == "/desk/sign-in"


def test_the_way_to_where_one_is(doctor: FlaskClient) -> None:
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', doctor.get("/desk/devices").text) == ["/desk/devices"]
    below = doctor.get("/desk/tasks/nothing").text
    assert re.findall(r'<a href="([^"]+)" aria-current="true"', below) == ["/desk/tasks"]
