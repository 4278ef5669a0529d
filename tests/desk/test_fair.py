"""The doctor marks who came; the administrator reads refusals and decides appeals."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions, suspension
from booking.events import AppealDecided, BookingSuspended
from booking.models import Appointment, AppointmentStatus
from config.jobs import Fact
from notifications import handlers
from notifications.models import Notification
from people.access import Viewer, member_of
from people.audit import record
from people.models import Practitioner, Role
from tests.booking.test_fair import POLICY, booked, misses, passed_on
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, member


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Appointment:
    made = booked(session, hospital, now)
    session.commit()
    return made


def status(session: Session, visit: Appointment) -> AppointmentStatus:
    session.expire_all()
    return session.get_one(Appointment, visit.id).status


def test_the_doctor_marks_with_one_tap_and_takes_it_back(
    session: Session, browse: Browse, hospital: Hospital, visit: Appointment, clock: time_machine.Traveller
) -> None:
    mark = f"/desk/visits/{visit.id}/mark"
    clock.move_to(visit.starts_at - timedelta(minutes=1))
    page = browse(hospital.doctor)
    assert mark not in page.get("/desk").text
    assert post(page, mark, mark="came").status_code == 409
    clock.move_to(visit.starts_at)
    page = browse(hospital.doctor)
    assert "Came" in words(page.get("/desk"))
    assert post(page, mark, mark="missed").location == f"/desk#visit-{visit.id}"
    assert status(session, visit) is AppointmentStatus.NOSHOW
    assert "did not come Undo" in words(page.get("/desk"))
    post(page, mark, mark="undo")
    assert status(session, visit) is AppointmentStatus.BOOKED
    post(page, mark, mark="came")
    assert status(session, visit) is AppointmentStatus.FULFILLED
    assert post(page, mark, mark="elsewhere").status_code == 404


def test_what_was_not_marked_waits_on_the_list_for_some_days(
    browse: Browse, hospital: Hospital, visit: Appointment, clock: time_machine.Traveller
) -> None:
    clock.move_to(visit.starts_at + timedelta(days=POLICY.mark_days))
    page = browse(hospital.doctor)
    assert f"/desk/visits/{visit.id}/mark" in page.get("/desk").text
    post(page, f"/desk/visits/{visit.id}/mark", mark="came")
    assert "Undo" in words(page.get("/desk")), "it can still be taken back today"
    clock.move_to(visit.starts_at + timedelta(days=POLICY.mark_days + 1))
    assert "Fri 27 Nov" not in words(browse(hospital.doctor).get("/desk"))


def test_nobody_elses_visit_is_marked(
    session: Session, browse: Browse, hospital: Hospital, visit: Appointment, clock: time_machine.Traveller
) -> None:
    colleague = session.get_one(Practitioner, hospital.colleague.id)
    colleague.account_id = hospital.stranger.id
    session.commit()
    clock.move_to(visit.starts_at)
    page = browse(colleague)
    assert post(page, f"/desk/visits/{visit.id}/mark", mark="missed").status_code == 404
    assert post(browse(hospital.mother), f"/desk/visits/{visit.id}/mark", mark="missed").status_code == 403
    assert status(session, visit) is AppointmentStatus.BOOKED


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_an_appeal_is_decided_with_a_reason(
    session: Session, browse: Browse, admin: Practitioner, hospital: Hospital, now: datetime, locale: str
) -> None:
    misses(session, hospital, now, 3)
    mother = Viewer(hospital.mother.id, "en")
    found = suspension.mine(session, mother, now)[0].suspension
    actions.appeal(session, mother, found.id, "We were in hospital <b>then</b>.", now)
    session.commit()
    page, path = browse(admin, locale=locale), f"/desk/suspensions/{found.id}"
    assert path in page.get("/desk/tasks").text
    shown = page.get(path)
    assert "We were in hospital &lt;b&gt;then" in shown.text
    assert "小明" not in shown.text
    assert post(page, path, decision="lift").status_code == 422
    kept = post(page, path, answer="Sorry to hear that.")
    assert kept.status_code == 422
    assert "Sorry to hear that.</textarea>" in kept.text
    assert post(page, path, decision="lift", answer="Sorry to hear that.").status_code == 303
    assert '<form method="post" class="stack">' not in page.get(path).text
    assert post(page, path, decision="uphold", answer="no").status_code == 409
    assert post(browse(hospital.doctor), path, decision="lift", answer="x").status_code == 403


def test_refusals_by_rule_day_and_account_page_by_page(
    session: Session, browse: Browse, admin: Practitioner, hospital: Hospital, now: datetime
) -> None:
    for n in range(60):
        moment = now - timedelta(minutes=n // 2)  # two at every moment: the place is moment and id
        record(session, "book", at=moment, entity="schedule", outcome="sold-out", account_id=hospital.mother.id)
    record(session, "cancel", at=now - timedelta(days=1), entity="appointment", outcome="too-late-to-cancel")
    record(session, "book", at=now, entity="appointment")
    session.commit()
    page = browse(admin)
    first = page.get("/desk/refusals")
    assert words(first).count("Sold out 2") == 0
    assert first.text.count("<li><div>") == 50
    following = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = page.get(following)
    assert second.text.count("<li><div>") == 11
    assert 'rel="next"' not in second.text
    assert page.get("/desk/refusals?rule=too-late-to-cancel").text.count("<li><div>") == 1
    assert page.get("/desk/refusals?day=2026-11-24").text.count("<li><div>") == 1
    assert page.get(f"/desk/refusals?account={hospital.stranger.id}").text.count("<li><div>") == 0
    assert page.get("/desk/refusals?day=yesterday").status_code == 422
    assert page.get("/desk/refusals?after=nonsense").status_code == 200
    event = first.text.split('href="/desk/refusals/')[1].split('"')[0]
    record_page = page.get(f"/desk/refusals/{event}")
    assert event in record_page.text
    assert str(hospital.mother.id) not in words(record_page), "ids are shortened"
    assert page.get("/desk/refusals/00000000-0000-7000-8000-000000000000").status_code == 404
    auditor = member(session, "U001", hospital.stranger, Role.AUDITOR)
    session.commit()
    assert browse(auditor).get("/desk/refusals").status_code == 200
    assert browse(hospital.doctor).get("/desk/refusals").status_code == 403


def test_numbers_passed_on_are_shown(
    session: Session, browse: Browse, admin: Practitioner, hospital: Hospital, now: datetime
) -> None:
    passed_on(session, hospital, hospital.stranger, hospital.other_child, now, 3)
    session.commit()
    page = browse(admin)
    assert "given back, taken by" in words(page.get(f"/desk/passed-on/{hospital.mother.id}"))
    assert "3 s later" in words(page.get(f"/desk/passed-on/{hospital.stranger.id}"))
    assert "None are known" in words(page.get(f"/desk/passed-on/{hospital.child.id}"))


def test_who_is_concerned_is_told_once(
    session: Session, admin: Practitioner, hospital: Hospital, now: datetime
) -> None:
    misses(session, hospital, now, 3)
    mine = suspension.mine(session, Viewer(hospital.mother.id, "en"), now)
    told: list[Fact] = [BookingSuspended(one.suspension.id) for one in mine]
    for fact in told * 2:
        handlers.handle(session, fact, now)
    said = session.scalars(select(Notification).where(Notification.message == "booking-suspended")).all()
    assert [row.account_id for row in said] == [hospital.mother.id], "child's and account's: one message"
    assert said[0].data["count"] == "3"
    actions.appeal(session, Viewer(hospital.mother.id, "en"), mine[0].suspension.id, "please", now)
    assert admin.account_id
    who = member_of(session, Viewer(admin.account_id, "en"))
    actions.decide(session, who, mine[0].suspension.id, lift=True, answer="yes", now=now)
    for one in mine:
        handlers.handle(session, AppealDecided(one.suspension.id), now)
    said = session.scalars(select(Notification).where(Notification.message == "appeal-decided")).all()
    assert [row.data["result"] for row in said] == ["已解除限制"]
