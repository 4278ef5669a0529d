"""The pages of the questions before a number: asked, answered, stopped; and who can't be chosen, and why."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.admission import Age, Level
from booking.models import Appointment, Schedule
from booking.screen_models import ScreenResult
from booking.screens import result_of
from config import policy
from config.errors import NotFound
from consultation.triage.admission import FileAdmission
from menus.visits import INDEX
from people.access import Viewer
from people.index import IndexRecord
from people.models import AuditEvent, Consent, Patient
from people.refusals import IndexUnavailable
from tests.menus.conftest import Browser, schedule_of, send, words
from tests.product import Hospital, screened


@pytest.fixture
def confirm(schedule: Schedule) -> str:
    """The confirming page of the doctor's morning."""
    return f"/schedules/{schedule.id}/book"


@pytest.fixture
def unasked(session: Session, hospital: Hospital) -> Hospital:
    """The small hospital, and nobody has said how any child is."""
    session.execute(delete(ScreenResult))
    session.commit()
    return hospital


def tap(client: FlaskClient, confirm: str, child: Patient) -> TestResponse:
    """Book as the page does."""
    return send(client, confirm, "/visits", schedule=confirm.split("/")[2], patient=child.id)


def answer(client: FlaskClient, page: str, **answers: str) -> TestResponse:
    """Send the questions' form as the page does, with the way on that it names."""
    shown = client.get(page)
    found = re.search(r'name="next" value="([^"]*)"', shown.text)
    assert found, words(shown)
    named = {f"q-{question}": said for question, said in answers.items() if question != "none"}
    extra = {"none": "1"} if "none" in answers else {}
    return send(client, page, page.split("?", maxsplit=1)[0], next=found[1].replace("&amp;", "&"), **named, **extra)


def results(session: Session) -> list[ScreenResult]:
    session.expire_all()
    return list(session.scalars(select(ScreenResult).order_by(ScreenResult.id)))


def test_the_questions_come_before_the_number_and_lead_back_with_the_child(
    session: Session, mother: FlaskClient, unasked: Hospital, confirm: str, now: datetime
) -> None:
    assert "First come a few questions" in words(mother.get(confirm))
    asked = tap(mother, confirm, unasked.sibling)
    back = f"{confirm}?child={unasked.sibling.id}"
    assert asked.location == f"/children/{unasked.sibling.id}/screen?next={quote(back, safe='')}"
    page = mother.get(asked.location)
    assert "How is 王小红 right now?" in words(page)
    assert "checked" not in page.text, "no answer is chosen beforehand"
    done = answer(mother, asked.location, none="1")
    assert done.location == back
    page = mother.get(back)
    assert "First come a few questions" not in words(page)
    assert "Thank you, the questions are answered" in words(page)
    assert re.search(rf'value="{unasked.sibling.id}" required checked', page.text)
    assert tap(mother, back, unasked.sibling).location.startswith("/visits/")
    (kept,) = results(session)
    assert (kept.level, kept.account_id, kept.good_until) == ("fine", unasked.mother.id, now + timedelta(minutes=30))
    assert session.scalars(select(Appointment.screen_id)).one() == kept.id


def test_the_answers_are_encrypted_in_the_words_that_were_asked(
    session: Session, mother: FlaskClient, unasked: Hospital
) -> None:
    answer(mother, f"/children/{unasked.child.id}/screen", none="1", worry="yes")
    raw = session.scalar(text("select answers from screen_results"))
    assert "孩子".encode() not in bytes(raw)
    (kept,) = results(session)
    assert {said["id"]: said["yes"] for said in json.loads(kept.answers)}["worry"] is True
    assert [sign["en"] for sign in kept.signs] == ["I think that my child is very ill, or I can't tell"]
    assert (kept.level, kept.rules, kept.version) == ("doctor-decides", ["worry"], screen_version())


def screen_version() -> str:
    return FileAdmission().questions(Age(900, 29)).version


def test_good_for_the_minutes_of_the_policy(
    session: Session, browser: Browser, unasked: Hospital, confirm: str, now: datetime
) -> None:
    policy.change(session, "screen_minutes", 10, author="test", valid_from=now)
    session.commit()
    answer(browser(unasked.mother), f"/children/{unasked.child.id}/screen", none="1")
    with time_machine.travel(now + timedelta(minutes=10), tick=False):
        assert "/screen?" in tap(browser(unasked.mother), confirm, unasked.child).location
    with time_machine.travel(now + timedelta(minutes=9, seconds=59), tick=False):
        assert tap(browser(unasked.mother), confirm, unasked.child).location.startswith("/visits/")


@pytest.mark.parametrize(
    ("sign", "title"), [("breathing", "Call 120 or go"), ("fluids", "Bring 王小明 to the hospital today")]
)
def test_a_red_answer_stops_the_booking_and_says_what_to_do_now(
    session: Session, mother: FlaskClient, unasked: Hospital, confirm: str, sign: str, title: str
) -> None:
    asked = tap(mother, confirm, unasked.child).location
    stop = answer(mother, asked, none="1", **{sign: "yes"})
    page = mother.get(stop.location)
    shown = words(page)
    for said in (
        title,
        "56 Nanlishi Road",
        "010-59616161",
        "nothing was booked",
        "Until your child is seen",
        "Answer again",
    ):
        assert said in shown, said
    for link in ('href="tel:120"', 'href="tel:01059616161"'):
        assert link in page.text
    assert (sign == "breathing") == ("Struggles to breathe" in shown)
    assert "/screen?" in tap(mother, confirm, unasked.child).location, "nothing can be booked"
    assert session.scalars(select(Appointment)).all() == []
    (kept,) = results(session)
    assert (kept.good_until, kept.rules) == (None, [sign])
    audited = session.scalars(select(AuditEvent).where(AuditEvent.action == "screen")).one()
    assert (audited.outcome, audited.entity_id) == (kept.level, kept.id)


def test_a_slip_of_the_finger_can_be_put_right_and_the_doctor_sees_it(
    session: Session, browser: Browser, mother: FlaskClient, unasked: Hospital, confirm: str
) -> None:
    page = f"/children/{unasked.child.id}/screen"
    answer(mother, page, none="1", awake="yes")
    answer(mother, page, none="1")
    assert [(kept.level, kept.rules) for kept in results(session)] == [
        (Level.EMERGENCY, ["awake"]),
        (Level.DOCTOR_DECIDES, ["earlier:awake"]),
    ]
    assert tap(mother, confirm, unasked.child).location.startswith("/visits/")
    doctor = browser(session.get(type(unasked.mother), unasked.doctor.account_id), "en")
    listed = words(doctor.get("/desk"))
    assert "You decide: Answered yes before, then no: Having a fit" in listed


def test_the_doctor_sees_the_evidence_and_what_worries_the_parent(
    session: Session, browser: Browser, mother: FlaskClient, unasked: Hospital, confirm: str
) -> None:
    unasked.child.seen = [["dermatology", "2026-10-01"]]
    session.add(unasked.child)
    session.commit()
    answer(mother, f"/children/{unasked.child.id}/screen", none="1", worry="yes")
    tap(mother, confirm, unasked.child)
    listed = words(browser(session.get(type(unasked.mother), unasked.doctor.account_id), "en").get("/desk"))
    assert "Seen Thu 1 Oct 2026, Dermatology" in listed
    assert "You decide: I think that my child is very ill" in listed
    assert "Answered yes before" not in listed


def test_an_unanswered_line_is_asked_for_and_the_answers_stay(
    session: Session, mother: FlaskClient, unasked: Hospital
) -> None:
    page = answer(mother, f"/children/{unasked.child.id}/screen?next=/visits", awake="no", worry="yes", rash="perhaps")
    assert page.status_code == 422
    assert "Please answer every line" in words(page)
    assert page.text.count("sign--missing") == 6
    assert re.search(r'name="q-worry" value="yes" checked', page.text)
    assert re.search(r'name="q-awake" value="no" checked', page.text)
    assert 'name="next" value="/visits"' in page.text
    assert results(session) == []


def test_none_of_these_does_not_undo_a_yes(session: Session, mother: FlaskClient, unasked: Hospital) -> None:
    stop = answer(mother, f"/children/{unasked.child.id}/screen", none="1", drinking="yes")
    assert stop.location.startswith("/screens/")
    assert results(session)[0].level is Level.EMERGENCY


def test_infants_are_asked_for_any_fever(
    mother: FlaskClient, session: Session, unasked: Hospital, now: datetime
) -> None:
    unasked.sibling.birth_date = date(2026, 10, 1)
    session.add(unasked.sibling)
    session.commit()
    page = f"/children/{unasked.sibling.id}/screen"
    assert "Fever: temperature 38 °C or more" in words(mother.get(page))
    assert "Call 120" in words(mother.get(answer(mother, page, **{"none": "1", "fever-young": "yes"}).location))


def test_nobody_sees_a_strangers_answers(session: Session, browser: Browser, unasked: Hospital) -> None:
    mother, stranger = browser(unasked.mother), browser(unasked.stranger)
    page = f"/children/{unasked.child.id}/screen"
    stop = answer(mother, page, none="1", awake="yes").location
    assert mother.get(stop).status_code == 200
    assert stranger.get(stop).status_code == 404
    with pytest.raises(NotFound):
        result_of(session, Viewer(unasked.stranger.id, "en"), results(session)[0].id)
    assert stranger.get(page).status_code == 404
    assert send(stranger, "/help", page, none="1").status_code == 404
    assert len(results(session)) == 1


def test_only_our_own_pages_are_led_to(mother: FlaskClient, unasked: Hospital) -> None:
    page = f"/children/{unasked.child.id}/screen?next=https://evil.example"
    assert "evil" not in answer(mother, page, none="1").location


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_broken_rules_close_booking_with_a_phone_number(
    app: Flask, session: Session, browser: Browser, unasked: Hospital, confirm: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, locale: str,
) -> None:  # fmt: skip
    empty = FileAdmission(tmp_path / "nowhere.toml")
    for method in ("questions", "judge", "advice"):
        monkeypatch.setattr(FileAdmission, method, getattr(empty, method))
    client = browser(unasked.mother, locale)
    asked = tap(client, confirm, unasked.child)
    closed = client.get(asked.location)
    assert closed.status_code == 503
    assert 'href="tel:01059616161"' in closed.text
    assert 'href="tel:120"' in closed.text
    assert ("nothing is booked" if locale == "en" else "不能预约") in words(closed)
    assert send(client, "/help", asked.location, none="1").status_code == 503
    assert results(session) == []
    stopped = screened(session, unasked.child, unasked.mother, unasked.child.created_at, Level.EMERGENCY)
    session.commit()
    assert 'href="tel:120"' in client.get(f"/screens/{stopped.id}").text, "help is shown even then"


def test_who_can_not_be_booked_is_told_before_tapping(
    session: Session, browser: Browser, mother: FlaskClient, hospital: Hospital, confirm: str, now: datetime
) -> None:
    hospital.child.seen = []
    hospital.sibling.birth_date = date(2026, 11, 20)
    session.add_all([hospital.child, hospital.sibling])
    session.commit()
    page = mother.get(confirm)
    shown = words(page)
    assert "we find no earlier visit. Please come in person the first time: 56 Nanlishi Road" in shown
    assert "from 28 days of age on. Please bring a newborn to the hospital" in shown
    assert page.text.count("disabled") == 2
    assert "None of your children can be booked here now." in shown
    assert "第一次请到医院就诊：北京市西城区南礼士路56号" in words(browser(hospital.mother).get(confirm))
    refused = tap(mother, confirm, hospital.child)
    assert refused.status_code == 409
    assert "Please come in person first" in words(refused)


def test_limits_and_days_are_said_in_both_languages(
    session: Session, browser: Browser, mother: FlaskClient, hospital: Hospital, confirm: str, now: datetime
) -> None:
    policy.change(session, "per_child_week", 1, author="test", valid_from=now)
    session.commit()
    visit = tap(mother, confirm, hospital.child).location
    assert tap(mother, confirm, hospital.child).location == f"{visit}?note=already", "a second tap is no third number"
    sunday = f"/schedules/{schedule_of(session, hospital.doctor.id, now, ahead=4).id}/book"
    assert "choose a day from Mon 30 Nov 2026 on" in words(mother.get(sunday))
    assert "请选2026年11月30日 周一及以后的日子" in words(browser(hospital.mother).get(sunday))


def test_changing_asks_the_questions_again_and_keeps_the_old_number(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str, now: datetime
) -> None:
    visit = tap(mother, confirm, hospital.child).location
    session.execute(update(ScreenResult).values(good_until=now))
    session.commit()
    other = schedule_of(session, hospital.colleague.id, now, ahead=4)
    asked = send(mother, f"{visit}/change", f"{visit}/change", schedule=other.id)
    assert asked.location == f"/children/{hospital.child.id}/screen?next={quote(f'{visit}/change', safe='')}"
    assert "Booked" in words(mother.get(visit))
    assert answer(mother, asked.location, none="1").location == f"{visit}/change"
    changed = send(mother, f"{visit}/change", f"{visit}/change", schedule=other.id)
    assert changed.location.startswith("/visits/")


def test_consents_that_are_not_current_are_asked_for_first(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str, now: datetime
) -> None:
    visit = tap(mother, confirm, hospital.child).location
    session.execute(delete(Consent))
    session.commit()
    here = f"{confirm}?child={hospital.sibling.id}"
    booking = {"schedule": confirm.split("/")[2], "patient": hospital.sibling.id}
    for asked in (mother.get(here), send(mother, "/help", "/visits", **booking)):
        assert asked.location == f"/consents?next={quote(here, safe='')}"
    other = schedule_of(session, hospital.colleague.id, now, ahead=4)
    changed = send(mother, f"{visit}/change", f"{visit}/change", schedule=other.id)
    assert changed.location == f"/consents?next={quote(f'{visit}/change', safe='')}"


class Index:
    """An index elsewhere: counts how often it is asked, and may be down."""

    def __init__(self, record: IndexRecord | None = None) -> None:
        self.record, self.down, self.asked = record, False, 0

    def find(self, code: str) -> IndexRecord | None:
        raise AssertionError(code)

    def find_number(self, number: str) -> IndexRecord | None:
        self.asked += 1
        if self.down:
            raise IndexUnavailable
        return self.record


def test_the_index_is_asked_again_after_a_day_and_what_it_said_is_kept(
    app: Flask, session: Session, browser: Browser, hospital: Hospital, confirm: str, now: datetime
) -> None:
    visits = (("dermatology", date(2026, 10, 1)),)
    record = IndexRecord("QR-1", "P1", "王小明", date(2023, 5, 17), hospital.child.sex, (), None, visits)
    index = app.extensions[INDEX] = Index(record)
    session.execute(update(Patient).values(seen=[], seen_at=now - timedelta(days=1)))
    session.commit()
    assert "no earlier visit" in words(browser(hospital.mother, "en").get(confirm))
    assert index.asked == 0
    with time_machine.travel(now + timedelta(seconds=1), tick=False):
        index.down = True
        assert "no earlier visit" in words(browser(hospital.mother, "en").get(confirm)), "what is kept counts"
        index.down, index.asked = False, 0
        assert "no earlier visit" not in words(browser(hospital.mother, "en").get(confirm))
        browser(hospital.mother, "en").get(confirm)
        assert index.asked == 2, "each of two children once"
    session.expire_all()
    assert session.get_one(Patient, hospital.child.id).seen == [["dermatology", "2026-10-01"]]
    index.record = None
    with time_machine.travel(now + timedelta(days=2), tick=False):
        browser(hospital.mother, "en").get(confirm)
    session.expire_all()
    assert session.get_one(Patient, hospital.child.id).seen == [["dermatology", "2026-10-01"]], "visits were made"


def test_an_index_that_never_answered_is_a_clear_refusal(
    app: Flask, session: Session, mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    app.extensions[INDEX] = index = Index()
    index.down = True
    session.execute(update(Patient).values(seen=[], seen_at=None))
    session.commit()
    assert "could not look up your child's earlier visits" in words(mother.get(confirm))
    refused = tap(mother, confirm, hospital.child)
    assert refused.status_code == 503
    assert "010-59616161" in words(refused)


def test_the_questions_can_be_answered_ahead(mother: FlaskClient, unasked: Hospital) -> None:
    child = f"/children/{unasked.child.id}"
    ahead = f"{child}/screen?next=/internet-diagnosis"
    assert f'href="{ahead}"' in mother.get(child).text
    assert answer(mother, ahead, none="1").location == "/internet-diagnosis"
