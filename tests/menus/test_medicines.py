"""Prescriptions & delivery on the family's pages: where each stands, reminders, how the child is, reactions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import at, today
from config.states import advance
from consultation.encounters.models import Encounter
from prescriptions.after import actions
from prescriptions.after.models import AdverseEvent, CourseEnd, MedicineReminder, Recovery
from prescriptions.delivery.models import DeliveryStatus
from prescriptions.dispensing.models import DispenseStatus
from prescriptions.orders.models import OrderStatus, Way
from prescriptions.standing import Known, Stands, stands
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.submitting import cancel
from tests.consultation.afterwards import over
from tests.menus.conftest import Browser, send, words
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital

DAY = timedelta(days=1)
S = PrescriptionStatus


@pytest.fixture
def made(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    """Of a visit that is over: two medicines, approved."""
    visit = over(session, hospital, now)
    where = session.scalars(select(Encounter).where(Encounter.appointment_id == visit.appointment.id)).one()
    found = signed(session, hospital, now, FEVER, IBUPROFEN, encounter=where)
    session.commit()
    return found


@pytest.fixture
def here(made: Prescription) -> str:
    return f"/prescriptions/{made.id}"


@pytest.mark.parametrize(("locale", "said"), [("en", "Nothing has been prescribed"), ("zh_CN", "还没有给孩子开过处方")])
def test_an_empty_list_says_what_comes_here(browser: Browser, hospital: Hospital, locale: str, said: str) -> None:
    assert said in words(browser(hospital.mother, locale).get("/prescriptions"))


def test_the_list_is_the_familys_own(
    session: Session, browser: Browser, hospital: Hospital, made: Prescription
) -> None:
    shown = words(browser(hospital.mother, "en").get("/prescriptions"))
    assert "王小明" in shown
    assert "Approved: order until the end of" in shown
    assert "Paracetamol" in shown
    stranger = words(browser(hospital.stranger, "en").get("/prescriptions"))
    assert "Nothing has been prescribed" in stranger
    where = session.get_one(Encounter, made.encounter_id)
    visit = browser(hospital.mother, "en").get(f"/visits/{where.appointment_id}").text
    assert f"/prescriptions/{made.id}" in visit


@pytest.mark.parametrize("status", [S.IN_REVIEW, S.REJECTED])
def test_until_it_is_approved_it_is_calmly_being_reviewed(
    session: Session, mother: FlaskClient, hospital: Hospital, now: datetime, status: PrescriptionStatus
) -> None:
    signed(session, hospital, now, status=status)
    session.commit()
    shown = words(mother.get("/prescriptions"))
    assert "Being reviewed by a pharmacist" in shown
    assert "Paracetamol" not in shown


@dataclass
class Row:
    """A row as far as where it stands is asked of it."""

    status: Any
    way: Way = Way.DELIVERY
    valid_until: datetime | None = None
    until: date | None = None


def test_where_it_stands(now: datetime) -> None:
    def at_(status: S, order: Row | None = None, *, ended: bool = False, **more: Any) -> Stands:
        good = now if ended else now + DAY
        return stands(Known(Row(status, valid_until=good), order, **more), now)  # type: ignore[arg-type]

    paid, picked = Row(OrderStatus.PAID), Row(OrderStatus.PAID, Way.PICKUP)
    done, packed = Row(OrderStatus.COMPLETED), Row(DispenseStatus.COMPLETED)
    course = Row(None, until=today(now))
    assert at_(S.IN_REVIEW) is at_(S.REJECTED) is Stands.REVIEW
    assert at_(S.IN_REVIEW, ended=True) is at_(S.CANCELLED) is at_(S.APPROVED, ended=True) is Stands.ENDED
    assert at_(S.APPROVED) is Stands.ORDER
    assert at_(S.APPROVED, Row(OrderStatus.PENDING)) is Stands.PAY
    assert (
        at_(S.APPROVED, paid) is at_(S.APPROVED, picked) is at_(S.APPROVED, paid, dispense=packed) is Stands.PREPARING
    )
    assert at_(S.APPROVED, picked, dispense=packed) is Stands.READY
    assert at_(S.APPROVED, paid, delivery=Row(DeliveryStatus.SHIPPED)) is Stands.SHIPPED
    assert at_(S.APPROVED, paid, delivery=Row(DeliveryStatus.FAILED)) is Stands.FAILED
    assert at_(S.APPROVED, done) is at_(S.APPROVED, done, ended=True, course=course) is Stands.ARRIVED
    assert at_(S.APPROVED, done, course=Row(None, until=today(now) - DAY)) is Stands.ENDED


def test_reminders_are_proposed_changed_and_switched_off(session: Session, mother: FlaskClient, here: str) -> None:
    page = mother.get(f"{here}/reminders")
    assert "we propose no times" in words(page)
    assert 'value="0' not in page.text, "nobody is woken for a fever that may have gone"
    assert "The message names no medicine" in words(page)
    kept = send(mother, f"{here}/reminders", f"{here}/reminders", **{"times-1": "07:30", "times-2": ""})
    assert (kept.status_code, kept.location) == (303, f"{here}/reminders?saved=1")
    assert session.scalars(select(MedicineReminder)).one().times == {"1": ["07:30"]}
    shown = mother.get(kept.location)
    assert 'value="07:30"' in shown.text
    assert "Kept: WeChat reminds you" in words(shown)
    send(mother, f"{here}/reminders", f"{here}/reminders", off="1")
    session.expire_all()
    assert not session.scalars(select(MedicineReminder)).one().active


def test_times_are_proposed_for_what_is_given_by_the_clock(
    session: Session, mother: FlaskClient, made: Prescription, hospital: Hospital, now: datetime
) -> None:
    where = session.get_one(Encounter, made.encounter_id)
    other = signed(session, hospital, now, "ambroxol-sol-3", encounter=where)
    session.commit()
    page = mother.get(f"/prescriptions/{other.id}/reminders")
    assert "we propose no times" not in words(page)
    assert len(re.findall(r'type="time" name="times-1" value="\d\d:\d\d"', page.text)) > 1


def test_what_a_pharmacist_sent_back_is_not_shown_when_it_is_withdrawn_either(
    session: Session, mother: FlaskClient, hospital: Hospital, now: datetime
) -> None:
    visit = over(session, hospital, now)
    where = session.scalars(select(Encounter).where(Encounter.appointment_id == visit.appointment.id)).one()
    found = signed(session, hospital, now, FEVER, status=S.REJECTED, encounter=where)
    cancel(session, found, by="test", why="withdrawn", now=now)
    session.commit()
    shown = words(mother.get("/prescriptions"))
    assert "No longer valid" in shown
    assert "Paracetamol" not in shown
    for path in ("reminders", "reaction"):
        assert mother.get(f"/prescriptions/{found.id}/{path}").status_code == 404


def test_when_the_course_is_over_the_list_says_so(
    session: Session, mother: FlaskClient, made: Prescription, now: datetime
) -> None:
    actions.begun(session, made.id, now - timedelta(days=30))
    session.commit()
    assert "The course is over" in words(mother.get("/prescriptions"))


@pytest.mark.parametrize("typed", ["8 Uhr", "25:99", "😀"])
def test_times_that_are_none_are_named_and_stay(session: Session, mother: FlaskClient, here: str, typed: str) -> None:
    bad = send(mother, f"{here}/reminders", f"{here}/reminders", **{"times-1": typed, "times-2": "09:00"})
    assert bad.status_code == 422
    assert 'id="problem-times-1"' in bad.text
    assert typed in bad.text
    assert session.scalar(select(MedicineReminder)) is None


def test_the_course_is_asked_about_with_one_tap(
    session: Session, mother: FlaskClient, browser: Browser, hospital: Hospital, here: str, made: Prescription,
    now: datetime,
) -> None:  # fmt: skip
    assert mother.get(f"{here}/course").status_code == 409
    actions.begun(session, made.id, now)
    until = session.scalars(select(CourseEnd)).one().until
    moment = at(until + DAY, time(9))
    actions.ask_due(session, moment)
    session.commit()
    with time_machine.travel(moment, tick=False):
        again = browser(hospital.mother, "en")
        page = again.get(f"{here}/course")
        assert "How is 王小明?" in words(page)
        for wrong in ("great", ""):
            assert send(again, f"{here}/course", f"{here}/course", how=wrong).status_code == 404
        sent = send(again, f"{here}/course", f"{here}/course", how="worse")
        shown = again.get(sent.location)
        assert "You said: Worse" in words(shown)
        assert ("tel:120" in shown.text, "My child got worse" in words(shown)) == (True, True)
        send(again, f"{here}/course?again=1", f"{here}/course", how="well")
        assert "We are glad" in words(again.get(f"{here}/course"))
    session.expire_all()
    assert session.scalars(select(CourseEnd)).one().answer is Recovery.WELL


def test_a_week_later_worse_means_to_book_again(
    session: Session, browser: Browser, hospital: Hospital, here: str, made: Prescription, now: datetime
) -> None:
    actions.begun(session, made.id, now)
    actions.ask_due(session, now + 9 * DAY)
    session.commit()
    with time_machine.travel(now + 9 * DAY, tick=False):
        client = browser(hospital.mother, "en")
        send(client, f"{here}/course", f"{here}/course", how="same")
        shown = words(client.get(f"{here}/course"))
        assert "Book again" in shown
        assert "My child got worse" not in shown


def test_a_severe_reaction_says_120_first(session: Session, mother: FlaskClient, here: str, made: Prescription) -> None:
    form = mother.get(f"{here}/reaction")
    assert words(form).index("Call 120") < words(form).index("What do you see?")
    fields = {
        "signs": ["swelling", "rash"],
        "line": "2",
        "began": "2026-11-25T09:30",
        "text": "嘴唇肿",
        "stopped": "yes",
    }
    sent = send(mother, f"{here}/reaction", f"{here}/reaction", **fields)
    assert sent.status_code == 303
    shown = mother.get(sent.location)
    assert "Call 120 or go to the emergency department now" in words(shown)
    assert words(shown).index("Call 120") < words(shown).index("You told us")
    kept = session.scalars(select(AdverseEvent)).one()
    assert (kept.severe, kept.signs, kept.text, kept.stopped) == (True, ["rash", "swelling"], "嘴唇肿", True)
    assert send(mother, f"{here}/reaction", f"{here}/reaction", **fields).location == sent.location


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"signs": []}, "signs"),
        ({"signs": ["<script>"]}, "signs"),
        ({"line": "9"}, "line"),
        ({"line": "9" * 400}, "line"),
        ({"line": "eins"}, "line"),
        ({"began": ""}, "began"),
        ({"began": "gestern"}, "began"),
        ({"began": "9999-12-31T23:59"}, "began"),
        ({"began": "0001-01-01T00:00"}, "began"),
        ({"signs": ["other"], "text": " "}, "text"),
    ],
)
def test_a_bad_report_is_named_and_what_was_typed_stays(
    session: Session, mother: FlaskClient, here: str, changed: dict[str, Any], field: str
) -> None:
    fields = {"signs": ["rash"], "line": "", "began": "2026-11-25T09:30", "text": "背上红点"} | changed
    bad = send(mother, f"{here}/reaction", f"{here}/reaction", **fields)
    assert bad.status_code == 422
    assert f'id="problem-{field}"' in bad.text
    assert str(fields["text"]).strip() in bad.text
    assert session.scalar(select(AdverseEvent)) is None


def test_nobody_else_gets_in(
    session: Session, browser: Browser, hospital: Hospital, here: str, made: Prescription, now: datetime
) -> None:
    stranger = browser(hospital.stranger, "en")
    for path in ("reminders", "course", "reaction", f"reaction/{uuid4()}"):
        assert stranger.get(f"{here}/{path}").status_code == 404
    for path in ("reminders", "course", "reaction"):
        assert send(stranger, "/help", f"{here}/{path}", how="well", signs="rash").status_code == 404
    where = session.get_one(Encounter, made.encounter_id)
    waiting = signed(session, hospital, now, status=S.IN_REVIEW, encounter=where)
    session.commit()
    for path in ("reminders", "reaction"):
        assert browser(hospital.mother).get(f"/prescriptions/{waiting.id}/{path}").status_code == 404


def test_over_there_is_nothing_to_be_reminded_of(
    session: Session, browser: Browser, hospital: Hospital, here: str, made: Prescription, now: datetime
) -> None:
    advance(made, S.CANCELLED, by="test", why="test", now=now)
    session.commit()
    client = browser(hospital.mother, "en")
    assert "There is nothing left to remind you of." in words(client.get(f"{here}/reminders"))
    assert send(client, "/help", f"{here}/reminders", **{"times-1": "08:00"}).status_code == 409
