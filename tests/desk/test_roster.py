"""My roster: the coming days with how many numbers are taken, stopped periods, and the week as it repeats."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Appointment, Period, Schedule, ScheduleStatus, Slot
from booking.roster_models import Roster
from booking.rules import in_force
from config.policy import Policy
from people.models import Practitioner, Role
from tests.desk.conftest import Browse
from tests.menus.conftest import words
from tests.product import Hospital, account, member, practitioner

DAY = date(2026, 11, 27)  # the day after tomorrow


@pytest.fixture
def booked(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """Two children in the doctor's morning of that day."""
    found = session.query(Schedule).filter_by(practitioner_id=hospital.doctor.id, day=DAY, period=Period.MORNING).one()
    for child in (hospital.child, hospital.sibling):
        actions.book(session, found.id, child, hospital.mother.id, now, Policy())
    session.commit()
    return found


def days_of(shown: str) -> str:
    return shown.split("The coming days")[1].split("Every week", maxsplit=1)[0]


def test_every_day_with_hours_and_how_many_are_taken(browse: Browse, booked: Schedule, hospital: Hospital) -> None:
    page = browse(hospital.doctor).get("/desk/roster")
    assert page.status_code == 200
    shown = days_of(words(page))
    assert "25 Nov Wed today 08:00–12:00 0/12 booked 13:30–17:00 0/12 booked 26 Nov Thu" in shown
    assert "27 Nov Fri 08:00–12:00 2/12 booked 13:30–17:00 0/12 booked" in shown
    assert "3 Dec Thu" in shown
    assert "4 Dec" not in shown
    assert f'href="/desk#day-{DAY}"' in page.text
    assert f'id="day-{DAY}"' in browse(hospital.doctor).get("/desk").text
    assert "Internal Medicine" not in shown, "one department needs no name"


def test_a_colleagues_roster_is_not_mine(browse: Browse, booked: Schedule, session: Session) -> None:
    colleague = session.query(Practitioner).filter_by(code="D002").one()
    colleague.account_id = account(session, "o-colleague", booked.starts_at).id
    session.commit()
    assert "2/12 booked" not in words(browse(colleague).get("/desk/roster"))


def test_a_stopped_period_is_said(browse: Browse, booked: Schedule, session: Session, hospital: Hospital) -> None:
    session.execute(update(Schedule).where(Schedule.id == booked.id).values(status=ScheduleStatus.SUSPENDED))
    session.commit()
    assert "27 Nov Fri 08:00–12:00 stopped · 2 13:30–17:00" in days_of(
        words(browse(hospital.doctor).get("/desk/roster"))
    )


def test_a_free_period_and_the_week(browse: Browse, session: Session, hospital: Hospital) -> None:
    own = Roster.practitioner_id == hospital.doctor.id
    session.execute(delete(Roster).where(own, Roster.weekday == 1, Roster.period == Period.AFTERNOON))
    session.execute(update(Roster).where(own, Roster.weekday == 2).values(valid_to=date(2026, 12, 31)))
    later = {
        "weekday": 0,
        "period": Period.MORNING,
        "starts": time(9),
        "ends": time(11),
        "valid_from": date(2026, 12, 7),
    }
    session.add(Roster(practitioner_id=hospital.doctor.id, department_id=hospital.skin.id, quota=6, fee_fen=0, **later))
    gone = session.query(Schedule).filter_by(practitioner_id=hospital.doctor.id, day=DAY, period=Period.AFTERNOON).one()
    session.execute(delete(Slot).where(Slot.schedule_id == gone.id))
    session.execute(delete(Schedule).where(Schedule.id == gone.id))
    session.commit()
    shown = words(browse(hospital.doctor).get("/desk/roster"))
    assert "27 Nov Fri 08:00–12:00 Internal Medicine 0/12 booked – 28 Nov Sat" in shown
    week = shown.split("Every week")[1]
    assert "Mon 08:00–12:00 Internal Medicine · 12 numbers 09:00–11:00 Dermatology · 6 numbers from 7 Dec" in week
    assert "Tue 08:00–12:00 Internal Medicine · 12 numbers – Wed" in week
    assert "12 numbers until 31 Dec" in week


def test_which_roster_rules() -> None:
    def roster(since: date, period: Period = Period.MORNING) -> Roster:
        return Roster(weekday=2, period=period, valid_from=since)

    old, ruling, later = roster(date(2026, 1, 1)), roster(date(2026, 11, 25)), roster(date(2026, 11, 26))
    other = roster(date(2026, 1, 1), Period.AFTERNOON)
    assert in_force([ruling, old, later, other], date(2026, 11, 25)) == [ruling, later, other]


def test_without_a_roster_it_says_so(browse: Browse, session: Session, hospital: Hospital) -> None:
    other = practitioner(session, "D009", hospital.medicine, hospital.stranger)
    session.commit()
    shown = words(browse(other).get("/desk/roster"))
    assert "You are not rostered in the coming days" in shown
    assert "No weekly roster" in shown
    assert "暂无每周固定排班" in words(browse(other, locale="zh_CN").get("/desk/roster"))


def test_it_is_for_doctors(browse: Browse, session: Session, hospital: Hospital, now: datetime) -> None:
    pharmacist = member(session, "P001", account(session, "o-pharmacist", now), Role.PHARMACIST)
    session.commit()
    page = browse(pharmacist)
    assert page.get("/desk/roster").status_code == 403
    assert "My roster" not in words(page.get("/desk/tasks"))
    assert "My roster" in words(browse(hospital.doctor).get("/desk/tasks"))


def test_who_cancelled_is_not_counted(
    browse: Browse, booked: Schedule, session: Session, hospital: Hospital, now: datetime
) -> None:
    one = session.query(Appointment).filter_by(schedule_id=booked.id, number=1).one()
    actions.cancel(session, one.id, hospital.mother.id, now, Policy())
    session.commit()
    assert "1/12 booked" in words(browse(hospital.doctor).get("/desk/roster"))
