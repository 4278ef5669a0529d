"""The family tells before the visit: steps, drafts, the look at all of it, and help at once on a warning sign."""

from __future__ import annotations

import io
import re
from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.models import Appointment, Schedule
from config.policy import change
from consultation.intake import queries as intakes
from consultation.intake.models import QuestionnaireResponse
from consultation.intake.questionnaire import BrokenQuestionnaire
from consultation.models import Media
from consultation.triage import actions as triage
from consultation.triage.models import TriageResult
from consultation.triage.rules import BrokenRules
from tests.consultation.answering import COMPLETE
from tests.menus.conftest import Browser, schedule_of, send, token, words
from tests.pictures import picture
from tests.product import Hospital


@pytest.fixture
def visit(mother: FlaskClient, hospital: Hospital, schedule: Schedule) -> str:
    """The path of a booked visit of the first child."""
    page = f"/schedules/{schedule.id}/book"
    return send(mother, page, "/visits", schedule=schedule.id, patient=hospital.child.id).location


def tell(client: FlaskClient, visit: str, step: str, **typed: object) -> TestResponse:
    """Send a step's form."""
    return send(client, f"{visit}/intake/{step}", f"{visit}/intake/{step}", **typed)


def tell_all(client: FlaskClient, visit: str) -> TestResponse:
    for step, typed in COMPLETE.items():
        answer = tell(client, visit, step, **typed)
        assert answer.status_code == 303, words(answer)
    return answer


def versions(session: Session) -> list[QuestionnaireResponse]:
    session.expire_all()
    return list(session.scalars(select(QuestionnaireResponse).order_by(QuestionnaireResponse.version)))


def test_step_by_step_to_the_end(session: Session, mother: FlaskClient, visit: str) -> None:
    assert "Tell the doctor before the visit Not done yet" in words(mother.get(visit))
    begun = mother.get(f"{visit}/intake")
    assert begun.location == f"{visit}/intake/about"
    steps = ["about", "signs", "fever", "body", "medicines", "contacts", "pictures"]
    for number, step in enumerate(steps):
        page = mother.get(f"{visit}/intake/{step}")
        assert f"Step {number + 1} of 7" in words(page)
        assert "sign--open" not in page.text, "nothing is marked before it was tried"
        then = f"{visit}/intake/{[*steps, 'review'][number + 1]}"
        assert tell(mother, visit, step, **COMPLETE.get(step, {})).location == then
    review = words(mother.get(f"{visit}/intake/review"))
    assert "Chief complaint 咳嗽" in review
    assert "Weight 14.2 kg" in review
    assert "Not answered yet" not in review
    assert send(mother, f"{visit}/intake/review", f"{visit}/intake/review").location == visit
    assert "Done. You can change it until the doctor calls." in words(mother.get(visit))
    assert mother.get(f"{visit}/intake").location == f"{visit}/intake/review"
    assert versions(session)[-1].status == "completed"


def test_a_draft_is_kept_as_typed_with_what_can_not_be_read(session: Session, mother: FlaskClient, visit: str) -> None:
    bad = tell(mother, visit, "about", complaint="咳嗽，夜里重", **{"ill-days": "三天"})
    assert bad.status_code == 422
    assert "Please write a whole number." in words(bad)
    for page in (bad, mother.get(f"{visit}/intake/about")):
        assert 'value="三天"' in page.text
        assert "咳嗽，夜里重</textarea>" in page.text
    assert "Go on" in words(mother.get(visit))
    review = words(mother.get(f"{visit}/intake/review"))
    assert "Can't be read yet" in review
    refused = send(mother, f"{visit}/intake/review", f"{visit}/intake/review")
    assert (refused.status_code, "“Not sure” is an answer too" in words(refused)) == (422, True)
    left = tell(mother, visit, "about", complaint="half a wo", leave="1")
    assert (left.status_code, left.text) == (204, "")
    assert [found.typed.get("complaint") for found in versions(session)] == [["咳嗽，夜里重"], ["half a wo"]]


def test_going_back_and_one_more_row_keep_what_was_typed(mother: FlaskClient, visit: str) -> None:
    tell(mother, visit, "fever", **{"has-fever": "yes"})
    more = tell(mother, visit, "fever", add="temperatures", **{"has-fever": "yes", "celsius.0": "38.5"})
    assert more.location == f"{visit}/intake/fever?add=temperatures#temperatures"
    page = mother.get(more.location)
    assert 'name="celsius.0" inputmode="decimal" autocomplete="off" value="38.5"' in page.text
    assert 'name="celsius.1"' in page.text
    assert (
        tell(mother, visit, "fever", back="1", **{"has-fever": "yes", "celsius.0": "39"}).location
        == f"{visit}/intake/signs"
    )
    assert 'value="39"' in mother.get(f"{visit}/intake/fever").text


def test_newly_asked_questions_are_shown_before_the_next_step(mother: FlaskClient, visit: str) -> None:
    hidden = mother.get(f"{visit}/intake/fever").text
    assert re.search(r'data-when="[^"]*has-fever[^"]*" hidden', hidden)
    more = tell(mother, visit, "fever", **{"has-fever": "yes"})
    assert more.location == f"{visit}/intake/fever?more=1"
    assert "a little more is asked below" in words(mother.get(more.location))
    assert tell(mother, visit, "fever", shown="1", **{"has-fever": "yes"}).location == f"{visit}/intake/body"


def test_none_of_these_says_no_and_leaves_a_yes(session: Session, mother: FlaskClient, visit: str) -> None:
    tell(mother, visit, "signs", none="1", worried="yes")
    answers = versions(session)[-1].answers
    assert (answers["worried"], answers["convulsion"], answers["injury"]) == (True, False, False)


def test_an_unusual_weight_is_asked_for_again(session: Session, mother: FlaskClient, visit: str) -> None:
    body = COMPLETE["body"] | {"weight": "28.4"}
    odd = tell(mother, visit, "body", **body)
    assert "28.4 kg is unusual at this age" in words(odd)
    assert 'name="weight.again"' in odd.text
    assert 'value="28.4"' in odd.text
    jin = tell(mother, visit, "body", **body, **{"weight.unit": "jin"})
    assert jin.location == f"{visit}/intake/medicines"
    assert "Weight 14.2 kg" in words(mother.get(f"{visit}/intake/review"))


@pytest.mark.parametrize(
    ("sign", "title"),
    [("effort", "Call 120 or go to the emergency"), ("fast-breathing", "Bring 王小明 to the hospital today")],
)
def test_a_warning_sign_shows_at_once_what_to_do(
    session: Session, mother: FlaskClient, visit: str, sign: str, title: str
) -> None:
    now = tell(mother, visit, "signs", none="1", **{sign: "yes"})
    assert now.location == f"{visit}/intake/now?then=signs"
    page = mother.get(now.location)
    for said in (title, "56 Nanlishi Road", "The doctor has been told", "Until your child is seen", "go on answering"):
        assert said in words(page), said
    for link in ('href="tel:120"', 'href="tel:01059616161"'):
        assert link in page.text
    assert "Your answers hold warning signs" in words(mother.get(visit))
    assert tell(mother, visit, "signs", none="1", **{sign: "yes"}).location == f"{visit}/intake/fever", "said once"
    cancelled = send(mother, now.location, f"{visit}/cancel", why="worsened")
    assert cancelled.location == visit
    assert session.scalars(select(Appointment.cancel_reason)).one() == "worsened"
    assert mother.get(f"{visit}/intake").status_code == 409


def test_a_sign_taken_back_goes_from_the_page_and_stays_for_the_doctor(
    session: Session, mother: FlaskClient, visit: str
) -> None:
    tell(mother, visit, "signs", none="1", colour="yes")
    tell(mother, visit, "signs", none="1")
    assert "warning signs" not in words(mother.get(visit))
    assert mother.get(f"{visit}/intake/now").location == visit
    assert [found.rules for found in session.scalars(select(TriageResult).order_by(TriageResult.id))][-1] == [
        "earlier:colour"
    ]


def test_every_guardian_may_tell_and_nobody_else(
    session: Session, browser: Browser, hospital: Hospital, mother: FlaskClient, visit: str
) -> None:
    stranger, nobody = browser(hospital.stranger, "en"), browser(None, "en")
    csrf = {"csrf_token": token(stranger.get("/help"))}
    for path in ("/intake", "/intake/about", "/intake/review", "/intake/now"):
        assert stranger.get(visit + path).status_code == 404, path
        assert nobody.get(visit + path).status_code in {302, 401, 403}, path
    for path in ("/intake/about", "/intake/review"):
        assert stranger.post(visit + path, data=csrf | {"complaint": "mine now"}).status_code == 404
    assert mother.get(f"{visit}/intake/elsewhere").status_code == 404
    assert send(mother, "/help", f"{visit}/intake/elsewhere").status_code == 404
    assert versions(session) == []


def test_a_picture_says_what_it_shows_and_leads_back(session: Session, mother: FlaskClient, visit: str) -> None:
    page = f"{visit}/intake/pictures"
    sent = send(mother, page, f"{visit}/pictures", back="intake", kind="rash", picture=(io.BytesIO(picture()), "a.jpg"))
    assert sent.location == f"{page}#pictures"
    assert session.scalars(select(Media.kind)).one() == "rash"
    assert "Picture 1, sent" in mother.get(page).text
    other = send(mother, page, f"{visit}/pictures", kind="dog", picture=(io.BytesIO(picture("PNG")), "b.png"))
    assert other.location == f"{visit}#pictures"


def test_a_weight_that_is_new_enough_need_not_be_told_again(
    session: Session, mother: FlaskClient, hospital: Hospital, visit: str, now: datetime
) -> None:
    tell(mother, visit, "body", **COMPLETE["body"])
    assert "is new enough" not in words(mother.get(f"{visit}/intake/body")), "its own weight stands in the field"
    later = schedule_of(session, hospital.doctor.id, now, ahead=4)
    other = send(
        mother, f"/schedules/{later.id}/book", "/visits", schedule=later.id, patient=hospital.child.id
    ).location
    assert "14.2 kg, measured Wed 25 Nov 2026, is new enough" in words(mother.get(f"{other}/intake/body"))
    assert "Weight 14.2 kg (25 Nov)" in words(mother.get(f"{other}/intake/review"))
    change(session, "weight_days", 1, author="test", valid_from=now)
    session.commit()
    assert "14.2 kg of Wed 25 Nov 2026, is too old" in words(mother.get(f"{other}/intake/body"))


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_questions_that_can_not_be_read_leave_the_visit_as_it_is(
    browser: Browser, hospital: Hospital, visit: str, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    def broken() -> None:
        raise BrokenQuestionnaire("item.0")

    client = browser(hospital.mother, locale)
    monkeypatch.setattr(intakes, "intake", broken)
    assert client.get(visit).status_code == 200
    assert "/intake" not in client.get(visit).text
    closed = client.get(f"{visit}/intake/about")
    assert closed.status_code == 503
    assert ("The doctor will ask you" in words(closed)) == (locale == "en")


def test_help_is_shown_even_when_the_rules_have_broken_since(
    mother: FlaskClient, visit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tell(mother, visit, "signs", none="1", effort="yes")

    def broken() -> None:
        raise BrokenRules("rule fit")

    monkeypatch.setattr(triage, "rules", broken)
    page = mother.get(f"{visit}/intake/now")
    assert 'href="tel:120"' in page.text


def test_the_room_shows_it_until_the_doctor_calls(session: Session, mother: FlaskClient, visit: str) -> None:
    tell(mother, visit, "signs", none="1", effort="yes")
    shown = words(mother.get(f"{visit}/room"))
    assert "Your answers hold warning signs" in shown
    assert "Tell the doctor before the visit Not done yet" in shown
