"""After a visit on the family's pages: what is offered when, each tap, what typed wrongly stays, and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.screen_models import ScreenResult
from consultation.after import actions
from consultation.after.models import AdviceQuestion, Rating, Worsening
from consultation.triage import admission
from consultation.triage.rules import BrokenRules
from people.access import Viewer, member_of
from people.models import Role
from tests.consultation.afterwards import POLICY, over
from tests.menus.conftest import Browser, send, words
from tests.product import Hospital, account, guardian, member, visit_ahead


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    return over(session, hospital, now)


@pytest.fixture
def here(visit: Visit) -> str:
    return f"/visits/{visit.appointment.id}"


@pytest.fixture
def who(hospital: Hospital) -> Viewer:
    return Viewer(hospital.mother.id, "en")


def test_before_the_visit_there_is_nothing_to_say(
    session: Session, hospital: Hospital, mother: FlaskClient, now: datetime
) -> None:
    path = f"/visits/{visit_ahead(session, hospital, hospital.child, now).appointment.id}"
    for shown in (path, f"{path}/room"):
        assert "My child got worse" not in words(mother.get(shown))
    for page in ("rating", "question"):
        assert mother.get(f"{path}/{page}").status_code == 409
    assert mother.get(f"{path}/worse").location == path
    assert send(mother, "/help", f"{path}/worse").status_code == 409


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("en", ("My child got worse", "You can ask Dr Zhao one question", "How was the visit?", "Write a complaint")),
        ("zh_CN", ("加重了，马上通知医生", "向赵医生提一个问题", "这次就诊怎么样？", "写投诉")),
    ],
)
def test_all_of_it_stands_on_the_page_and_in_the_room(
    browser: Browser, hospital: Hospital, here: str, locale: str, texts: tuple[str, ...]
) -> None:
    client = browser(hospital.mother, locale)
    for path in (here, f"{here}/room"):
        shown = client.get(path)
        assert all(said in words(shown) for said in texts)
        assert "tel:12345" in shown.text
        assert "tel:120" in shown.text


def test_one_tap_keeps_a_score_and_another_a_reason(session: Session, mother: FlaskClient, here: str) -> None:
    kept = send(mother, here, f"{here}/rating", score=4)
    assert (kept.status_code, kept.location) == (303, f"{here}/rating")
    thanks = mother.get(kept.location)
    assert "Explained well" in words(thanks)
    assert "Too hurried" not in words(thanks)
    send(mother, kept.location, f"{here}/rating", reason="clear")
    assert 'value="clear" aria-pressed="true"' in mother.get(kept.location).text
    assert 'value="4" aria-pressed="true"' in mother.get(here).text
    rating = session.scalars(select(Rating)).one()
    assert (rating.score, rating.reasons) == (4, ["clear"])


@pytest.mark.parametrize("fields", [{"score": "9"}, {"score": "good"}, {}, {"reason": "clear"}])
def test_no_other_score_is_taken(mother: FlaskClient, here: str, fields: dict[str, str], session: Session) -> None:
    assert send(mother, here, f"{here}/rating", **fields).status_code == 404
    assert session.scalars(select(Rating)).all() == []


def test_after_a_week_the_score_stands(
    session: Session, browser: Browser, hospital: Hospital, who: Viewer, here: str, visit: Visit, now: datetime
) -> None:
    actions.rate(session, who, visit.appointment.id, 3, now, POLICY)
    session.commit()
    with time_machine.travel(now + timedelta(days=7), tick=False):
        mother = browser(hospital.mother, "en")
        refused = send(mother, "/help", f"{here}/rating", score=5)
        assert refused.status_code == 409
        assert "It could be changed until" in words(refused)
        for path in (here, f"{here}/rating"):
            shown = mother.get(path)
            assert "You said: 3 of 5" in words(shown)
            assert 'name="score"' not in shown.text


def test_the_question_is_asked_and_its_answer_read(
    session: Session, hospital: Hospital, mother: FlaskClient, here: str, visit: Visit, now: datetime
) -> None:
    page = mother.get(f"{here}/question")
    assert "Your question to Dr Zhao" in words(page)
    empty = send(mother, f"{here}/question", f"{here}/question", text=" ")
    assert (empty.status_code, "at most 500" in words(empty)) == (422, True)
    long = send(mother, f"{here}/question", f"{here}/question", text="长" * 501)
    assert (long.status_code, "长" * 501 in long.text) == (422, True), "what was typed stays"
    sent = send(mother, f"{here}/question", f"{here}/question", text="可以洗澡吗？")
    assert (sent.status_code, sent.location) == (303, f"{here}#question")
    shown = words(mother.get(here))
    assert "You asked · Wed 25 Nov 2026, 10:00 可以洗澡吗？ The doctor answers by Thu 26 Nov 2026, 10:00" in shown
    again = mother.get(f"{here}/question")
    assert (again.status_code, "You have asked already" in words(again)) == (409, True)
    assert hospital.doctor.account_id
    doctor = Viewer(hospital.doctor.account_id, "en")
    actions.answer(session, doctor, visit.appointment.id, "可以，水温38度。", now)
    session.commit()
    assert "Dr Zhao · Wed 25 Nov 2026, 10:00 可以，水温38度。" in words(mother.get(here))


def test_too_late_for_a_question_is_said_kindly_with_ways_on(
    session: Session, browser: Browser, hospital: Hospital, here: str, now: datetime
) -> None:
    with time_machine.travel(now + timedelta(hours=24), tick=False):
        mother = browser(hospital.mother, "en")
        shown = mother.get(here)
        assert "Questions could be asked until Thu 26 Nov 2026, 10:00" in words(shown)
        assert f'href="{here}/question"' not in shown.text
        for refused in (mother.get(f"{here}/question"), send(mother, here, f"{here}/question", text="可以洗澡吗？")):
            assert refused.status_code == 409
            assert "within 24 hours after the visit" in words(refused)
            assert 'href="/internet-diagnosis/internal-medicine"' in refused.text
            assert f'href="{here}"' in refused.text
    assert session.scalars(select(AdviceQuestion)).all() == []


def test_got_worse_is_one_tap_then_help_first_then_questions(
    session: Session, mother: FlaskClient, here: str, now: datetime
) -> None:
    told = send(mother, here, f"{here}/worse")
    assert (told.status_code, told.location) == (303, f"{here}/worse")
    page = mother.get(told.location)
    shown = words(page)
    assert shown.index("have been told") < shown.index("Call 120") < shown.index("How is 王小明 right now?")
    missing = send(mother, told.location, f"{here}/worse/answers", **{"q-awake": "yes"})
    assert (missing.status_code, "Please answer every line" in words(missing)) == (422, True)
    assert 'name="q-awake" value="yes" checked' in missing.text
    assert session.scalars(select(Worsening.screen_id)).all() == [None]
    strict = send(mother, told.location, f"{here}/worse/answers", none=1, **{"q-awake": "yes"})
    assert strict.status_code == 303
    shown = words(mother.get(strict.location))
    assert "Call 120 or go to the emergency department now" in shown
    assert "You answered yes to" in shown
    kept = session.scalars(select(ScreenResult).order_by(ScreenResult.id.desc())).first()
    assert kept
    assert (kept.level, kept.good_until) == ("emergency", None)
    jobs = text("select args from procrastinate_jobs where args->>'kind' = 'ChildWorse' order by id")
    assert [job["data"]["level"] for job in session.scalars(jobs)] == ["", "emergency"]
    assert "You told us on Wed 25 Nov 2026, 10:00. The doctor and the team have been told." in words(mother.get(here))


def test_mild_answers_lead_on_and_a_sign_taken_back_stays_seen(
    session: Session, mother: FlaskClient, here: str
) -> None:
    send(mother, here, f"{here}/worse")
    send(mother, f"{here}/worse", f"{here}/worse/answers", none=1, **{"q-awake": "yes"})
    assert "How is 王小明 right now?" in words(mother.get(f"{here}/worse?again=1"))
    send(mother, f"{here}/worse?again=1", f"{here}/worse/answers", none=1)
    shown = mother.get(f"{here}/worse")
    assert "No warning sign in your answers" in words(shown)
    assert 'href="/internet-diagnosis/internal-medicine"' in shown.text
    found = session.scalars(select(Worsening)).one()
    kept = session.get_one(ScreenResult, found.screen_id)
    assert (kept.level, len(kept.taken_back)) == ("doctor-decides", 1)


def test_without_rules_help_is_shown_all_the_same(
    mother: FlaskClient, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise BrokenRules("nothing there")

    monkeypatch.setattr(admission, "read", broken)
    send(mother, here, f"{here}/worse")
    shown = words(mother.get(f"{here}/worse"))
    assert "Call 120" in shown
    assert "The questions can't be shown at the moment" in shown
    assert send(mother, f"{here}", f"{here}/worse/answers", none=1).status_code == 303


def test_after_a_week_it_is_another_visit(
    session: Session, browser: Browser, hospital: Hospital, here: str, now: datetime
) -> None:
    with time_machine.travel(now + timedelta(days=7), tick=False):
        mother = browser(hospital.mother, "en")
        assert f'action="{here}/worse"' not in mother.get(here).text
        refused = send(mother, "/help", f"{here}/worse")
        assert (refused.status_code, "more than 7 days ago" in words(refused)) == (409, True)
    assert session.scalars(select(Worsening)).all() == []


def test_a_complaint_is_acknowledged_at_once(
    session: Session, mother: FlaskClient, here: str, visit: Visit, now: datetime
) -> None:
    form = words(mother.get(f"{here}/complaint"))
    assert "within 15 working days" in form
    assert "12345" in form
    bad = send(mother, f"{here}/complaint", f"{here}/complaint", category="nonsense", text="等了两小时")
    assert (bad.status_code, "Please choose what it is about." in words(bad)) == (422, True)
    assert ">等了两小时</textarea>" in bad.text
    sent = send(mother, f"{here}/complaint", f"{here}/complaint", category="waiting", text="等了两小时")
    assert sent.status_code == 303
    page = mother.get(sent.location)
    assert "We have received it C20261125-0001 You get an answer by Wed 16 Dec 2026" in words(page)
    assert "等了两小时" in words(page)
    assert "tel:12345" in page.text
    assert mother.get(f"{here}/complaint").location == sent.location, "one at a time"
    assert "Complaint C20261125-0001 Received" in words(mother.get(here))
    assert send(mother, here, f"{sent.location}/close").status_code == 404, "nothing is answered yet"


def test_the_answer_is_read_and_closed(
    session: Session, hospital: Hospital, mother: FlaskClient, who: Viewer, here: str, visit: Visit, now: datetime
) -> None:
    made = actions.file(session, who, visit.appointment.id, "waiting", "等了两小时", now, POLICY)
    person = account(session, "o-head", now)
    member(session, "H001", person, Role.DEPARTMENT_HEAD, of=hospital.medicine)
    actions.reply(session, member_of(session, Viewer(person.id, "en")), made.id, "已向医生了解", now)
    session.commit()
    path = f"/complaints/{made.id}"
    shown = words(mother.get(path))
    assert "We have answered" in shown
    assert "已向医生了解" in shown
    session.refresh(made)
    assert made.read_at == now
    assert send(mother, path, f"{path}/close").location == path
    assert "Complaint closed" in words(mother.get(path))
    assert mother.get(f"{here}/complaint").status_code == 200, "another can be written"


PATHS = (
    ("GET", "/visits/{visit}/rating"),
    ("POST", "/visits/{visit}/rating"),
    ("GET", "/visits/{visit}/question"),
    ("POST", "/visits/{visit}/question"),
    ("GET", "/visits/{visit}/worse"),
    ("POST", "/visits/{visit}/worse"),
    ("POST", "/visits/{visit}/worse/answers"),
    ("GET", "/visits/{visit}/complaint"),
    ("POST", "/visits/{visit}/complaint"),
    ("GET", "/complaints/{complaint}"),
    ("POST", "/complaints/{complaint}/close"),
)
FIELDS = {"score": "5", "text": "可以洗澡吗", "category": "care", "none": "1"}


@pytest.mark.parametrize("who_else", ["other parent", "stranger", "doctor", "frozen guardian", "father"])
def test_nobody_else_opens_or_sends_anything(
    app: Any, session: Session, hospital: Hospital, browser: Browser, who: Viewer, visit: Visit, now: datetime,
    who_else: str,
) -> None:  # fmt: skip
    """A second active guardian may; everybody else gets the page of what does not exist, or has to sign in."""
    app.config["WTF_CSRF_ENABLED"] = False
    actions.worse(session, who, visit.appointment.id, now, POLICY)
    filed = actions.file(session, who, visit.appointment.id, "care", "没讲清楚", now, POLICY).id
    father, frozen = account(session, "o-father", now), account(session, "o-frozen", now)
    guardian(session, father, hospital.child, now)
    guardian(session, frozen, hospital.child, now)
    session.flush()
    session.execute(text("update related_persons set status = 'frozen' where account_id = :id"), {"id": frozen.id})
    session.commit()
    people = {"other parent": hospital.stranger, "frozen guardian": frozen, "father": father}
    person = people.get(who_else)
    if who_else == "doctor":
        person = session.get_one(type(father), hospital.doctor.account_id)
    client = browser(person, "en")
    for method, path in PATHS:
        answer = client.open(path.format(visit=visit.appointment.id, complaint=filed), method=method, data=FIELDS)
        if who_else == "stranger":
            assert answer.status_code in {302, 401}, path
        elif who_else == "father":
            assert answer.status_code in {200, 302, 303} or path.endswith("close"), path
        else:
            assert answer.status_code == 404, path
    kept = len(session.scalars(select(Rating)).all()) + len(session.scalars(select(AdviceQuestion)).all())
    assert kept == (2 if who_else == "father" else 0)


def test_a_complaint_that_is_none(mother: FlaskClient) -> None:
    assert mother.get(f"/complaints/{uuid4()}").status_code == 404
