"""The pages for stopping a clinic, being late and standing in: who may, what they show, bad input, the way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Schedule, ScheduleStatus
from booking.stop_models import ClinicStop
from config.clock import today
from config.policy import Policy
from people.models import Practitioner, Role
from tests.booking.test_booking import schedule_of
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, practitioner
from worker import jobs


@pytest.fixture
def head(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    """The head of internal medicine."""
    made = member(session, "H001", account(session, "o-head", now), Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    return made


@pytest.fixture
def other_head(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    """The head of dermatology."""
    made = member(session, "H002", account(session, "o-head2", now), Role.DEPARTMENT_HEAD, of=hospital.skin)
    session.commit()
    return made


@pytest.fixture
def morning(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """The doctor's morning with two children booked."""
    found = schedule_of(session, hospital, now)
    for child in (hospital.child, hospital.sibling):
        actions.book(session, found.id, child, hospital.mother.id, now, Policy())
    session.commit()
    return found


def form(hospital: Hospital, now: datetime, **changes: object) -> dict[str, Any]:
    day = today(now) + timedelta(days=2)
    values = {"department": hospital.medicine.id, "practitioner": hospital.doctor.id, "reason": "duty"}
    span = {"first_day": day, "first_period": "morning", "last_day": day, "last_period": "morning"}
    return {**values, **span, "note": "called at 6:10", **changes}


def work(session: Session) -> None:
    """What the worker would do."""
    found = text("select args from procrastinate_jobs where task_name = 'booking.suspend'")
    for job in session.scalars(found).all():
        jobs.suspend_schedule(**job)
    session.expire_all()


def test_choose_look_confirm_watch_take_back(
    browse: Browse, session: Session, hospital: Hospital, head: Practitioner, morning: Schedule, now: datetime
) -> None:
    page = browse(head)
    planned = post(page, "/desk/stops", **form(hospital, now))
    assert planned.status_code == 303
    seen = words(page.get(planned.location))
    assert "Stop this clinic?" in seen
    assert "Internal Medicine · Dr Zhao · 27 Nov Morning" in seen
    assert "Children booked 2" in seen
    assert "called at 6:10" in seen
    assert session.get_one(Schedule, morning.id).status is ScheduleStatus.ACTIVE
    for _ in range(2):
        assert post(page, f"{planned.location}/confirm").location == planned.location
    running = page.get(planned.location)
    assert "Periods stopped 0 of 1" in words(running)
    assert 'http-equiv="refresh"' in running.text
    work(session)
    done = words(page.get(planned.location))
    assert "Periods stopped 1 of 1" in done
    assert "Families told 0 of 2" in done
    assert "Clinic stopped" in words(page.get("/desk/stops"))
    assert post(page, f"{planned.location}/lift").status_code == 303
    assert "Taken back" in words(page.get(planned.location))
    session.expire_all()
    assert session.get_one(Schedule, morning.id).status is ScheduleStatus.ACTIVE


def test_a_plan_can_be_dropped(
    browse: Browse, session: Session, hospital: Hospital, head: Practitioner, morning: Schedule, now: datetime
) -> None:
    page = browse(head)
    where = post(page, "/desk/stops", **form(hospital, now)).location
    assert post(page, f"{where}/discard").location == "/desk/stops"
    assert page.get(where).status_code == 404
    assert "No clinic has been stopped" in words(page.get("/desk/stops"))


def test_nobody_touches_another_departments_clinics(
    browse: Browse,
    session: Session,
    hospital: Hospital,
    head: Practitioner,
    other_head: Practitioner,
    morning: Schedule,
    now: datetime,
) -> None:
    where = post(browse(head), "/desk/stops", **form(hospital, now)).location
    other = browse(other_head)
    for path in (where, f"/desk/clinics/{morning.id}", f"/desk/clinics?department={hospital.medicine.id}"):
        assert other.get(path).status_code == 404, path
    for path in (f"{where}/confirm", f"{where}/discard", f"{where}/lift"):
        assert post(other, path).status_code == 404, path
    assert post(other, "/desk/stops", **form(hospital, now)).status_code == 404
    assert post(other, f"/desk/clinics/{morning.id}/delay", minutes="20").status_code == 404
    doctor = browse(hospital.doctor)
    colleagues = select(Schedule.id).where(Schedule.practitioner_id == hospital.colleague.id)
    assert doctor.get(f"/desk/clinics/{session.scalars(colleagues).first()}").status_code == 404
    assert doctor.get("/desk/stops").status_code == 403
    assert post(doctor, f"/desk/clinics/{morning.id}/stand-in", practitioner=hospital.colleague.id).status_code == 403
    assert session.scalars(select(Schedule.delay_minutes).distinct()).all() == [0]


def test_an_administrator_stops_any_department(
    browse: Browse, session: Session, hospital: Hospital, admin: Practitioner, morning: Schedule, now: datetime
) -> None:
    page = browse(admin)
    assert "Dermatology" in words(page.get("/desk/stops/new"))
    sent = form(hospital, now, practitioner="", last_period="afternoon")
    where = post(page, "/desk/stops", **sent).location
    assert "The whole department" in words(page.get(where))
    assert "Stop it and tell 2 families" in words(page.get(where))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"reason": ""}, "Please choose both days"),
        ({"first_day": "soon"}, "Please choose both days"),
        ({"last_day": "2026-11-26"}, "ends after it begins"),
        ({"first_day": "2026-11-20", "last_day": "2026-11-20"}, "from today on"),
    ],
)
def test_bad_input_is_said_and_what_was_typed_is_kept(
    browse: Browse, hospital: Hospital, head: Practitioner, now: datetime, changes: dict[str, str], problem: str
) -> None:
    answer = post(browse(head), "/desk/stops", **form(hospital, now, **changes))
    assert answer.status_code == 422
    assert problem in words(answer)
    assert 'value="called at 6:10"' in answer.text
    assert f'value="{hospital.doctor.id}" selected' in answer.text


def test_the_doctor_says_how_late(
    browse: Browse, session: Session, hospital: Hospital, morning: Schedule, now: datetime
) -> None:
    page = browse(hospital.doctor)
    assert f"/desk/clinics/{morning.id}" in page.get("/desk").text
    shown = words(page.get(f"/desk/clinics/{morning.id}"))
    assert "Running late" in shown
    assert "stands in" not in shown
    for bad in ("", "ten", "-5", "721", "１x"):
        answer = post(page, f"/desk/clinics/{morning.id}/delay", minutes=bad)
        assert answer.status_code == 422, bad
        assert f'value="{bad}"' in answer.text
        assert "whole number from 0 to 720" in words(answer)
    assert post(page, f"/desk/clinics/{morning.id}/delay", minutes="25").status_code == 303
    assert "25 min late" in words(page.get("/desk"))


def test_the_head_lets_a_colleague_stand_in(
    browse: Browse, session: Session, hospital: Hospital, head: Practitioner, morning: Schedule, now: datetime
) -> None:
    page = browse(head)
    where = f"/desk/clinics/{morning.id}"
    assert "No other doctor" in words(page.get(where))
    free = practitioner(session, "D003", hospital.medicine, account(session, "o-free", now))
    session.execute(update(Practitioner).where(Practitioner.id == free.id).values(name={"zh_CN": "孙", "en": "Dr Sun"}))
    session.commit()
    for bad in ("", hospital.colleague.id):
        answer = post(page, f"{where}/stand-in", practitioner=bad)
        assert answer.status_code == 422
        assert "not free" in words(answer)
    assert post(page, f"{where}/stand-in", practitioner=free.id).status_code == 303
    shown = words(page.get(where))
    assert "Dr Sun" in shown
    assert "Stands in for Dr Zhao" in shown
    assert "2 children booked" in words(browse(free).get("/desk"))
    assert "for Dr Zhao" in words(page.get(f"/desk/clinics?day={morning.day}"))


def test_a_stop_asked_for_while_it_runs_is_not_taken_back(
    browse: Browse, session: Session, hospital: Hospital, head: Practitioner, morning: Schedule, now: datetime
) -> None:
    page = browse(head)
    where = post(page, "/desk/stops", **form(hospital, now)).location
    post(page, f"{where}/confirm")
    answer = post(page, f"{where}/lift")
    assert (answer.status_code, "still being carried out" in words(answer)) == (409, True)
    assert session.scalars(select(ClinicStop.status)).one() == "running"
