"""The roster's pages: who keeps which department, what a change does where somebody is booked, files in and out."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, time

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import actions
from booking.models import Period, Schedule
from booking.roster_models import CalendarDay, CalendarYear, Roster, RosterException
from booking.rosters import cut_schedules
from config.policy import Policy
from people.models import AuditEvent, Practitioner, Role
from people.tasks import Task
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, practitioner

WEEK = "/desk/rosters/departments/internal-medicine"
CELL = f"{WEEK}/D001/4/morning"
FRIDAY = date(2026, 11, 27)
FORM = {
    "valid_from": "2026-11-27",
    "starts": "08:00",
    "ends": "11:00",
    "quota": "９",
    "fee_fen": "12.5",
    "clinic_type": "expert",
    "later_quota": "1",
    "followup_quota": "0",
    "area_quota": "0",
    "on_holidays": "closed",
}
HEADING = "工号,星期,时段,开始,结束,号数,挂号费（元）,生效日期\n"


@pytest.fixture
def head(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    """The head of Internal Medicine."""
    made = member(session, "H001", account(session, "o-head", now), Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    return made


@pytest.fixture
def browser(browse: Browse, head: Practitioner) -> FlaskClient:
    """The head's browser."""
    return browse(head)


@pytest.fixture
def booked(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """The doctor's Friday morning, with one child."""
    query = select(Schedule).where(Schedule.practitioner_id == hospital.doctor.id, Schedule.day == FRIDAY)
    schedule = session.scalars(query.where(Schedule.period == Period.MORNING)).one()
    actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    session.commit()
    return schedule


def fridays(session: Session, hospital: Hospital) -> list[Roster]:
    query = select(Roster).where(Roster.practitioner_id == hospital.doctor.id, Roster.weekday == 4)
    query = query.where(Roster.period == Period.MORNING).order_by(Roster.valid_from)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def cut_jobs(session: Session) -> list[str]:
    jobs = text("select args->>'day' from procrastinate_jobs where task_name = 'rosters.cut' order by id")
    return list(session.scalars(jobs))


def upload(browser: FlaskClient, content: bytes, what: str = "templates") -> TestResponse:
    return post(browser, "/desk/rosters/files", what=what, file=(io.BytesIO(content), "rosters.csv"))


def test_a_head_opens_the_own_department_and_no_other(browser: FlaskClient) -> None:
    assert browser.get("/desk/rosters").location == WEEK
    shown = words(browser.get(WEEK))
    assert "Dr Zhao D001" in shown
    assert "Morning 12 free" in shown
    other = browser.get("/desk/rosters/departments/dermatology")
    assert (other.status_code, "your own department" in words(other)) == (403, True)
    assert browser.get("/desk/rosters/departments/nowhere").status_code == 404


def test_an_administrator_keeps_all_departments(browse: Browse, admin: Practitioner) -> None:
    shown = words(browse(admin).get("/desk/rosters"))
    assert "Internal Medicine 2 doctors" in shown
    assert "Dermatology nobody rostered" in shown
    empty = browse(admin).get("/desk/rosters/departments/dermatology")
    assert "No doctor works in this department" in words(empty)


def test_a_period_is_changed_from_a_day_on(
    browser: FlaskClient, session: Session, hospital: Hospital, head: Practitioner
) -> None:
    answer = post(browser, CELL, **FORM)
    assert (answer.status_code, answer.location) == (303, WEEK)
    old, new = fridays(session, hospital)
    assert old.valid_to == date(2026, 11, 26)
    assert (new.quota, new.fee_fen, new.later_quota, new.starts) == (9, 1250, 1, time(8))
    assert "2026-11-27" in cut_jobs(session)
    event = session.scalars(select(AuditEvent).where(AuditEvent.entity_id == new.id)).one()
    assert (event.action, event.account_id) == ("save-roster", head.account_id)
    assert event.detail["changed"]["quota"] == ["", "9"]
    assert "Qian Ping · saved" in words(browser.get(CELL))
    assert "from 27 Nov: 9" in words(browser.get(WEEK))


def test_what_was_typed_stays_with_its_faults(browser: FlaskClient, session: Session, hospital: Hospital) -> None:
    answer = post(browser, CELL, **{**FORM, "quota": "many", "starts": "8", "valid_from": "2026-11-01"})
    assert answer.status_code == 422
    shown = words(answer)
    assert "must be a whole number from 1 to 200" in shown
    assert "8 is no time such as 08:00" in shown
    assert "That day is over." in shown
    assert 'value="many"' in answer.text
    late = post(browser, CELL, **{**FORM, "ends": "07:00"})
    assert "ends before it starts" in words(late)
    assert len(fridays(session, hospital)) == 1


@pytest.mark.parametrize("path", [f"{WEEK}/D001/7/morning", f"{WEEK}/D001/4/night", f"{WEEK}/D999/4/morning"])
def test_a_cell_that_does_not_exist(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 404
    assert post(browser, path, **FORM).status_code == 404


def test_where_somebody_is_booked_it_is_said_first(
    browser: FlaskClient, session: Session, hospital: Hospital, booked: Schedule
) -> None:
    answer = post(browser, CELL, **FORM)
    assert answer.status_code == 409
    assert "Fri 27 Nov 2026 Morning · 1 booked" in words(answer)
    assert len(fridays(session, hospital)) == 1
    assert cut_jobs(session) == []
    assert post(browser, CELL, **FORM, sure="1").status_code == 303
    assert len(fridays(session, hospital)) == 2


def test_the_task_leads_to_a_page_that_says_what_there_is_to_decide(
    browser: FlaskClient, session: Session, hospital: Hospital, booked: Schedule, now: datetime
) -> None:
    end = post(browser, f"{CELL}/end", **{"from": "2026-11-26"})
    assert (end.status_code, "1 booked" in words(end)) == (409, True)
    assert post(browser, f"{CELL}/end", **{"from": "2026-11-26"}, sure="1").status_code == 303
    cut_schedules(session, [FRIDAY], now)
    session.commit()
    task = session.scalars(select(Task)).one()
    assert "Dr Zhao, Internal Medicine, 27 Nov Morning, 1 booked" in words(browser.get("/desk/tasks"))
    shown = words(browser.get(task.path))
    assert "Now 1 booked" in shown
    assert "No clinic." in shown
    assert "stop this clinic" in shown
    assert browser.get("/desk/rosters/clinics/00000000-0000-0000-0000-000000000000").status_code == 404


def test_an_end_needs_a_day_that_is_not_over(browser: FlaskClient, session: Session, hospital: Hospital) -> None:
    for sent in ("", "2026-11-24"):
        assert post(browser, f"{CELL}/end", **{"from": sent}).status_code == 422
    assert post(browser, f"{CELL}/end", **{"from": "2026-12-04"}).status_code == 303
    assert [row.valid_to for row in fridays(session, hospital)] == [date(2026, 12, 3)]


def test_leave_is_entered_shown_and_revoked(browser: FlaskClient, session: Session, head: Practitioner) -> None:
    page = f"{WEEK}/exceptions"
    assert browser.get(page).status_code == 200
    leave = {"kind": "leave", "practitioner": "D001", "day": "2026-11-27", "period": "morning", "reason": "Congress"}
    assert post(browser, page, **leave).status_code == 303
    assert cut_jobs(session) == ["2026-11-27"]
    shown = browser.get(WEEK)
    assert "27 Nov Morning: Leave" in words(shown)
    assert "Congress" in words(shown)
    again = post(browser, page, **leave)
    assert (again.status_code, "Revoke it first" in words(again)) == (422, True)
    made = session.scalars(select(RosterException)).one()
    assert made.author_id == head.account_id
    revoke = f"/desk/rosters/exceptions/{made.id}/revoke"
    assert post(browser, revoke).status_code == 303
    assert post(browser, revoke).status_code == 404
    assert "27 Nov Morning: Leave" not in words(browser.get(WEEK))


def test_a_swap_and_an_extra_clinic(browser: FlaskClient, session: Session, hospital: Hospital) -> None:
    practitioner(session, "D003", hospital.medicine)
    session.commit()
    page = f"{WEEK}/exceptions"
    where = {"practitioner": "D001", "day": "2026-11-27", "period": "morning"}
    swap = post(browser, page, kind="swap", **where, swap_with="D003")
    assert swap.status_code == 303
    assert "Dr Zhao stands in" in words(browser.get(WEEK))
    nobody = post(browser, page, kind="swap", **where, swap_with="", swap_day="")
    assert (nobody.status_code, "is no date" in words(nobody)) == (422, True)
    extra = {"starts": "18:00", "ends": "20:00", "quota": "5", "fee_fen": "50", "clinic_type": "ordinary"}
    evening = {**where, "period": "afternoon"}
    assert post(browser, page, kind="extra", **evening, **{**extra, "ends": "17:00"}).status_code == 422
    assert post(browser, page, kind="extra", **evening, **extra).status_code == 303
    assert "18:00–20:00 · 5 numbers · ¥50" in words(browser.get(WEEK))


def test_leave_where_somebody_is_booked(browser: FlaskClient, session: Session, booked: Schedule) -> None:
    leave = {"kind": "leave", "practitioner": "D001", "day": "2026-11-27", "period": "morning"}
    asked = post(browser, f"{WEEK}/exceptions", **leave)
    assert (asked.status_code, "1 booked" in words(asked)) == (409, True)
    assert session.scalar(select(func.count()).select_from(RosterException)) == 0
    assert post(browser, f"{WEEK}/exceptions", **leave, sure="1").status_code == 303


def test_a_clinic_of_another_department_is_not_touched(
    browser: FlaskClient, session: Session, hospital: Hospital
) -> None:
    """The doctor works for Dermatology on Fridays; the head of Internal Medicine can't change that."""
    for roster in fridays(session, hospital):
        roster.department_id = hospital.skin.id
    session.commit()
    assert "No clinic." in words(browser.get(CELL))
    answer = post(browser, CELL, **FORM)
    assert (answer.status_code, "clinic of another department" in words(answer)) == (422, True)
    leave = {"kind": "leave", "practitioner": "D001", "day": "2026-11-27", "period": "morning"}
    assert post(browser, f"{WEEK}/exceptions", **leave).status_code == 422
    assert post(browser, f"{CELL}/end", **{"from": "2026-12-04"}).status_code == 303
    assert upload(browser, (HEADING + "D001,周五,上午,08:00,11:00,9,50,2026-12-04\n").encode()).status_code == 422
    assert [(row.department_id, row.valid_to) for row in fridays(session, hospital)] == [(hospital.skin.id, None)]


def test_forms_with_what_they_do_not_offer(browser: FlaskClient) -> None:
    assert post(browser, f"{WEEK}/exceptions", kind="party").status_code == 404
    leave = {"kind": "leave", "practitioner": "D999", "day": "2026-11-27", "period": "morning"}
    assert post(browser, f"{WEEK}/exceptions", **leave).status_code == 404
    assert post(browser, CELL, **{**FORM, "clinic_type": "cheap"}).status_code == 404
    assert browser.get("/desk/rosters/export/everything.csv").status_code == 404
    assert browser.get("/desk/rosters/export/templates.exe").status_code == 404


def test_another_departments_exception_is_not_revoked(
    browse: Browse, session: Session, hospital: Hospital, now: datetime
) -> None:
    skin = member(session, "H002", account(session, "o-skin", now), Role.DEPARTMENT_HEAD, of=hospital.skin)
    made = RosterException(
        practitioner_id=hospital.doctor.id,
        department_id=hospital.medicine.id,
        day=FRIDAY,
        period=Period.MORNING,
        kind="leave",
        created_at=now,
    )
    session.add(made)
    session.commit()
    assert post(browse(skin), f"/desk/rosters/exceptions/{made.id}/revoke").status_code == 403


def test_export_and_import_again(browser: FlaskClient, session: Session, hospital: Hospital) -> None:
    answer = browser.get("/desk/rosters/export/templates.xlsx")
    assert 'filename="templates-2026-11-25.xlsx"' in answer.headers["Content-Disposition"]
    sheet = load_workbook(io.BytesIO(answer.data)).active
    assert sheet
    assert sheet.max_row == 1 + 2 * 14
    preview = upload(browser, browser.get("/desk/rosters/export/templates.csv").data)
    assert preview.status_code == 303
    assert "Nothing: the roster is as the file says." in words(browser.get(preview.location))


def test_an_import_shows_what_would_change_and_then_does_it(
    browser: FlaskClient, session: Session, hospital: Hospital
) -> None:
    content = HEADING + "D001,周五,上午,08:00,11:00,9,50,2026-12-04\n"
    preview = upload(browser, content.encode("gbk"))
    page = browser.get(preview.location)
    shown = words(page)
    assert "2 changes; 0 rows are so already." in shown
    assert "new Dr Zhao (D001) Fri Morning · from Fri 4 Dec 2026" in shown
    assert "ended Dr Zhao (D001)" in shown
    assert "Valid to: – → 2026-12-03" in shown
    assert len(fridays(session, hospital)) == 1
    seen = re.search(r'name="seen" value="(\w+)"', page.text)
    assert seen
    assert post(browser, preview.location, seen="another").status_code == 409
    assert len(fridays(session, hospital)) == 1
    assert post(browser, preview.location, seen=seen[1]).status_code == 303
    assert [row.quota for row in fridays(session, hospital)] == [12, 9]
    assert "2026-11-27" in cut_jobs(session)
    assert browser.get(preview.location).status_code == 404


def test_an_import_says_where_children_are_booked(browser: FlaskClient, booked: Schedule) -> None:
    content = HEADING + "D001,周五,上午,09:00,11:00,9,50,2026-11-26\n"
    shown = words(browser.get(upload(browser, content.encode()).location))
    assert "Fri 27 Nov 2026 Morning · 1 booked" in shown


def test_a_file_with_faults(browse: Browse, head: Practitioner, session: Session, hospital: Hospital) -> None:
    practitioner(session, "D009", hospital.skin)
    session.commit()
    content = HEADING + "D009,周五,上午,09:00,11:00,9,50,2026-11-26\nD001,周五,上午,09:00,11:00,x,50,2026-11-26\n"
    answer = upload(browse(head, locale="zh_CN"), content.encode())
    assert answer.status_code == 422
    shown = words(answer)
    assert "第2行，科室：不是您管理排班的科室" in shown
    assert "第3行，号数：应为1至200的整数" in shown
    assert upload(browse(head), b"\x00\x01").status_code == 422
    assert upload(browse(head), b"").status_code == 422


def test_a_file_waits_for_its_sender_only(browse: Browse, browser: FlaskClient, admin: Practitioner) -> None:
    content = HEADING + "D001,周五,上午,08:00,11:00,9,50,2026-12-04\n"
    where = upload(browser, content.encode()).location
    assert browse(admin).get(where).status_code == 404


def test_holidays_of_the_year_and_the_hospitals_own(
    browse: Browse, admin: Practitioner, session: Session, head: Practitioner
) -> None:
    page = "/desk/rosters/holidays"
    browser = browse(admin)
    shown = words(browser.get(page))
    assert "Sat 10 Oct 2026 workday National Day · held as Wed" in shown
    assert post(browser, page, day="2026-12-24", kind="workday", as_weekday="0").status_code == 303
    assert cut_jobs(session) == []
    assert post(browser, page, day="2026-12-01", kind="holiday", as_weekday="").status_code == 303
    assert cut_jobs(session) == ["2026-12-01"]
    assert "Thu 24 Dec 2026 workday · held as Mon · entered by the hospital" in words(browser.get(page))
    assert post(browser, f"{page}/2026-12-24/forget").status_code == 303
    assert session.scalars(select(CalendarDay.day)).all() == [date(2026, 12, 1)]
    bad = post(browser, page, day="someday", kind="holiday", as_weekday="")
    assert (bad.status_code, 'value="someday"' in bad.text) == (422, True)
    assert post(browser, page, day="2026-12-24", kind="party").status_code == 404
    assert "Enter a day" not in words(browse(head).get(page))
    assert post(browse(head), page, day="2026-12-24", kind="holiday").status_code == 403


def test_a_year_is_declared_complete(browse: Browse, admin: Practitioner, session: Session) -> None:
    page = "/desk/rosters/holidays"
    browser = browse(admin)
    assert "The public holidays of 2027 are not known yet" in words(browser.get(f"{page}?year=2027"))
    assert post(browser, f"{page}/2027/complete").status_code == 303
    assert "not known yet" not in words(browser.get(f"{page}?year=2027"))
    assert session.scalars(select(CalendarYear.year)).all() == [2027]
    assert post(browser, f"{page}/2026/complete").status_code == 409
    assert post(browser, f"{page}/2099/complete").status_code == 404


@pytest.mark.parametrize(
    "path", ["/desk/rosters", WEEK, CELL, f"{WEEK}/exceptions", "/desk/rosters/files", "/desk/rosters/holidays"]
)
def test_every_page_in_chinese(browse: Browse, admin: Practitioner, path: str) -> None:
    answer = browse(admin, locale="zh_CN").get(path)
    assert answer.status_code == 200
    shown = words(answer).replace("Switch to English", "").replace("XLSX", "")
    assert not re.search(r"[A-Za-z]{4,}", shown)
