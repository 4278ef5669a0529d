"""The rules run on what the family told: results, alerts, changes of mind, the doctor's word, trying new rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.actions import cancel, reschedule
from booking.admission import Age, Level
from booking.models import Period, Schedule, Why
from booking.queries import Visit
from config import nudges
from config.clock import today
from config.jobs import Fact
from config.policy import Policy
from consultation.encounters.rooms import line_topic
from consultation.triage import actions, queries
from consultation.triage.actions import DOCTOR_TASK, TEAM_TASK, run
from consultation.triage.models import TriageOverrule, TriageResult
from consultation.triage.refusals import NoReason, NothingToOverrule
from consultation.triage.replay import replay
from consultation.triage.rules import SOURCE, BrokenRules, read
from notifications import handlers
from notifications.models import Notification
from people import tasks
from people.models import AuditEvent
from tests.consultation.answering import COMPLETE, tell
from tests.product import Hospital

Book = Callable[..., Visit]
BY = "account:test"


def told(session: Session, visit: Visit, now: datetime, **changes: str) -> TriageResult:
    """A whole intake with some answers changed, and what the rules make of it."""
    for step, typed in COMPLETE.items():
        tell(
            session,
            visit,
            now,
            step,
            **{name: changes.get(name.replace("-", "_"), said) for name, said in typed.items()},
        )
    return run(session, visit, now, BY)


def jobs(session: Session, kind: str) -> list[dict[str, str]]:
    """The facts of a kind that wait in the queue."""
    rows = session.scalars(text("select args from procrastinate_jobs where task_name = 'facts.handle' order by id"))
    return [row["data"] for row in rows if row["kind"] == kind]


def handled(session: Session, kind: str, now: datetime) -> None:
    for data in jobs(session, kind):
        handlers.handle(session, Fact.from_json(kind, dict(data)), now)


def test_without_an_answer_the_doctor_decides(session: Session, book: Book, now: datetime) -> None:
    visit = book()
    result = run(session, visit, now, BY)
    assert (result.level, result.rules, result.response_id) == (Level.DOCTOR_DECIDES, [], None)
    assert "fit" in result.unknown
    assert run(session, visit, now, "job:check-in") is result, "the same answers make no new result"
    assert jobs(session, "TriageAlerted") == []


def test_a_well_child_is_fine(session: Session, book: Book, now: datetime) -> None:
    result = told(session, book(), now)
    assert (result.level, result.rules, result.unknown) == (Level.FINE, [], [])
    assert result.version == actions.rules().version
    answers, age = result.judged
    assert (answers["convulsion"], answers["spirit"], age) == (
        False,
        "well",
        Age.of(date(2023, 5, 17), date(2026, 11, 27)),
    )
    raw = session.scalar(text("select facts from triage_results"))
    assert b"spirit" not in bytes(raw)


def test_a_sign_after_booking_alerts_the_desk_at_once(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    published: list[str] = []
    visit = book()
    nudges.use(published.extend)
    try:
        result = told(session, visit, now, effort="yes")
        session.info.get("afterwards", [lambda: None])[0]()
    finally:
        nudges.use(None)
    assert (result.level, result.rules) == (Level.EMERGENCY, ["effort"])
    assert line_topic(hospital.doctor.id) in published
    for kind in (DOCTOR_TASK, TEAM_TASK):
        assert tasks.is_open(session, kind, visit.appointment.id)
    mine, team = session.scalars(select(tasks.Task).order_by(tasks.Task.kind)).all()
    assert (mine.practitioner_id, mine.deadline, mine.about["en"]) == (
        hospital.doctor.id,
        now + timedelta(minutes=15),
        "王**",
    )
    assert (team.role, team.department_id) == ("team-lead", hospital.medicine.id)
    assert jobs(session, "TriageAlerted") == [
        {"appointment_id": str(visit.appointment.id), "result_id": str(result.id)}
    ]
    handled(session, "TriageAlerted", now)
    handled(session, "TriageAlerted", now)
    (said,) = session.scalars(select(Notification).where(Notification.message == "triage-alert")).all()
    assert (said.account_id, said.path, said.due_at) == (
        hospital.doctor.account_id,
        f"/desk/visits/{visit.appointment.id}",
        now,
    )
    assert said.data["level"] == "紧急"
    assert "呼吸" not in str(said.data), "no symptom on a locked screen"


def test_each_further_sign_is_news_and_the_same_is_not(session: Session, book: Book, now: datetime) -> None:
    visit = book()
    told(session, visit, now, fast_breathing="yes")
    told(session, visit, now, fast_breathing="yes", urine="from-4")
    assert len(jobs(session, "TriageAlerted")) == 1
    told(session, visit, now, fast_breathing="yes", not_better="yes")
    told(session, visit, now, fast_breathing="yes", colour="yes")
    assert len(jobs(session, "TriageAlerted")) == 3


def test_a_sign_that_is_taken_back_stays_visible(session: Session, book: Book, now: datetime) -> None:
    visit = book()
    told(session, visit, now, effort="yes")
    result = told(session, visit, now)
    assert (result.level, result.rules) == (Level.DOCTOR_DECIDES, ["earlier:effort"])
    assert (result.held, result.taken_back) == ([], ["effort"])
    assert told(session, visit, now, drinks="less").taken_back == ["effort"], "for good"


def test_the_doctor_decides_otherwise(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    visit = book()
    result = told(session, visit, now, fast_breathing="yes")
    doctor, id_ = hospital.doctor.id, str(result.id)
    for level, reason, words in (("fine", "", "why"), ("fine", "known", " "), ("great", "known", "why")):
        with pytest.raises(NoReason):
            actions.overrule(session, visit, doctor, id_, level, reason, words, now)
    with pytest.raises(NothingToOverrule):
        actions.overrule(session, visit, doctor, "other", "fine", "known", "why", now)
    assert queries.level(session, visit.appointment.id) is Level.HOSPITAL_TODAY
    actions.overrule(session, visit, doctor, id_, "doctor-decides", "known", " 哮喘随访 ", now)
    assert queries.level(session, visit.appointment.id) is Level.DOCTOR_DECIDES
    assert queries.levels(session, [visit.appointment.id]) == {visit.appointment.id: Level.DOCTOR_DECIDES}
    kept = session.scalars(select(TriageOverrule)).one()
    assert (kept.text, kept.reason, kept.practitioner_id) == ("哮喘随访", "known", doctor)
    assert not tasks.is_open(session, DOCTOR_TASK, visit.appointment.id)
    assert not tasks.is_open(session, TEAM_TASK, visit.appointment.id)
    audited = session.scalars(select(AuditEvent).where(AuditEvent.action == "triage-overrule")).one()
    assert "哮喘" not in str(audited.detail)
    told(session, visit, now, fast_breathing="yes", drinks="less")
    assert queries.level(session, visit.appointment.id) is Level.HOSPITAL_TODAY, "other answers are judged anew"


def test_a_cancelled_visit_needs_nobody(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    visit = book()
    told(session, visit, now, effort="yes")
    handled(session, "AppointmentCancelled", now)
    assert tasks.is_open(session, DOCTOR_TASK, visit.appointment.id)
    cancel(session, visit.appointment.id, hospital.mother.id, now, Policy(), Why.WORSENED)
    handled(session, "AppointmentCancelled", now)
    assert not tasks.is_open(session, DOCTOR_TASK, visit.appointment.id)


def test_after_a_change_the_answers_are_judged_for_the_new_day(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    old = book()
    told(session, old, now, effort="yes")
    session.commit()
    other = session.query(Schedule).filter_by(
        practitioner_id=hospital.colleague.id, period=Period.MORNING, day=today(now) + timedelta(days=4)
    )
    made = reschedule(session, old.appointment.id, other.one().id, hospital.mother.id, now, Policy())
    assert queries.latest(session, made.id) is None
    handled(session, "AppointmentBooked", now)
    found = queries.latest(session, made.id)
    assert found
    assert (found.level, found.by) == (Level.EMERGENCY, "job:change")
    assert tasks.is_open(session, DOCTOR_TASK, made.id)


def test_rules_that_can_not_be_read_leave_it_to_the_doctor(
    session: Session, book: Book, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise BrokenRules("rule fit: when: ...")

    visit = book()
    monkeypatch.setattr(actions, "rules", broken)
    with structlog.testing.capture_logs() as logs:
        result = told(session, visit, now, effort="yes")
    assert (result.level, result.version) == (Level.DOCTOR_DECIDES, "broken")
    assert [entry["event"] for entry in logs] == ["triage-rules-broken"]
    monkeypatch.undo()
    assert run(session, visit, now, BY).level is Level.EMERGENCY, "repaired rules count at the next look"


def test_the_age_is_that_of_the_visits_day(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    child = hospital.sibling
    child.birth_date = date(2026, 8, 27)  # three months on the day of the visit
    session.add(child)
    session.commit()
    tomorrow, then = book(child, ahead=1), book(child, ahead=2)
    for visit in (tomorrow, then):
        tell(session, visit, now, "fever", **{"has-fever": "yes", "celsius.0": "38.2"})
    assert "fever-under-3-months" in run(session, tomorrow, now, BY).rules
    assert "fever-under-3-months" not in run(session, then, now, BY).rules


def test_new_rules_are_tried_on_past_answers(session: Session, book: Book, now: datetime, tmp_path: Path) -> None:
    visit = book()
    for changes in ({}, {"urine": "from-8"}, {"urine": "from-12"}, {"fast_breathing": "yes"}):
        told(session, visit, now, **changes)
    source = SOURCE.read_text("utf-8")
    changed = source.replace(
        'when = { name = "urine", is = "from-12" }', 'when = { name = "urine", in = ["from-8", "from-12"] }'
    )
    changed = changed.replace('when = "fast-breathing"', 'all = ["fast-breathing", "worried"]')
    (tmp_path / "new.toml").write_text(changed, "utf-8")
    old, new = read(), read(tmp_path / "new.toml")
    found = replay(old, new, queries.past(session, 100))
    assert (found.judged, found.stricter, found.milder) == (4, 1, 1)
    assert dict(found.gained) == {"no-urine": 1}
    assert dict(found.lost) == {"fast-breathing": 1}
    assert found.moves[Level.HOSPITAL_TODAY, Level.FINE] == 1
    assert len(queries.results(session, visit.appointment.id)) == 4, "nothing is kept"
