"""May this child be booked here: each rule at its boundary, the order of refusals, and that booking asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import pytest
from psycopg import RawCursor
from sqlalchemy import Connection, delete, event, select, update
from sqlalchemy.orm import Session

import config.hot
from booking import actions, eligibility
from booking.admission import Level
from booking.cases import Facts
from booking.eligibility import evidence, refusal, windows
from booking.models import Appointment, AppointmentStatus, Schedule
from booking.refusals import (
    DepartmentVisitNeeded,
    MonthFull,
    QuarterFull,
    ScreenNeeded,
    Suspended,
    TooOld,
    TooYoung,
    VisitNeeded,
    VisitsUnknown,
    VisitTooOld,
    WeekFull,
)
from booking.screen_models import ScreenResult
from config.errors import Refused
from config.policy import Policy
from people.models import AuditEvent, Consent
from people.refusals import ConsentMissing
from tests.booking.test_booking import schedule_of
from tests.product import Hospital, screened

DAY = date(2026, 11, 27)
HERE, ELSEWHERE = ("internal-medicine", date(2026, 10, 1)), ("other", date(2026, 11, 2))
FACTS = Facts(
    born=date(2023, 5, 17),
    day=DAY,
    department="internal-medicine",
    consented=True,
    visits=(ELSEWHERE, HERE),
    screen_id=uuid4(),
)
LATER = datetime.fromisoformat("2026-12-24T00:00+08:00")


def why(policy: Policy, facts: dict[str, object]) -> type[Refused] | None:
    """The refusal for the usual child with these facts."""
    found = refusal(replace(FACTS, **facts), policy)  # type: ignore[arg-type]
    return type(found) if found else None


def rules(**values: object) -> Policy:
    return Policy.model_validate(values)


@pytest.mark.parametrize(
    ("policy", "facts", "expected"),
    [
        (rules(), {}, None),
        (rules(), {"consented": False}, ConsentMissing),
        (rules(), {"born": DAY - timedelta(days=28)}, None),
        (rules(), {"born": DAY - timedelta(days=27)}, TooYoung),
        (rules(), {"born": date(2008, 11, 28)}, None),
        (rules(), {"born": date(2008, 11, 27)}, TooOld),
        (rules(age_from_days=366), {"born": date(2025, 11, 27)}, TooYoung),
        (rules(age_until_years=3), {"born": date(2023, 11, 28)}, None),
        (rules(age_until_years=3), {"born": date(2023, 11, 27)}, TooOld),
        (rules(), {"visits": None}, VisitsUnknown),
        (rules(), {"visits": ()}, VisitNeeded),
        (rules(), {"visits": (("", date(2015, 1, 1)),)}, None),
        (rules(needs_visit="none"), {"visits": ()}, None),
        (rules(needs_visit="none"), {"visits": None}, None),
        (rules(needs_visit="department"), {}, None),
        (rules(needs_visit="department"), {"visits": (ELSEWHERE,)}, DepartmentVisitNeeded),
        (rules(needs_visit="department"), {"visits": (("", DAY),)}, DepartmentVisitNeeded),
        (rules(needs_visit="department"), {"visits": ()}, VisitNeeded),
        (rules(visit_within_days=25), {}, None),
        (rules(visit_within_days=24), {}, VisitTooOld),
        (rules(needs_visit="department", visit_within_days=57), {}, None),
        (rules(needs_visit="department", visit_within_days=56), {}, VisitTooOld),
        (rules(first_visits_from="2026-11-27"), {"visits": ()}, None),
        (rules(first_visits_from="2026-11-28"), {"visits": ()}, VisitNeeded),
        (rules(first_visits_from="2026-11-01", first_visits_until="2026-11-27"), {"visits": ()}, None),
        (rules(first_visits_from="2026-11-01", first_visits_until="2026-11-26"), {"visits": ()}, VisitNeeded),
        (rules(first_visits_until="2026-12-31"), {"visits": ()}, VisitNeeded),
        (rules(first_visits_from=""), {"visits": ()}, VisitNeeded),
        (rules(), {"suspended_until": LATER}, Suspended),
        (rules(), {"in_week": 13, "in_month": 19, "in_quarter": 29}, None),
        (rules(), {"in_week": 14, "in_month": 20, "in_quarter": 30}, WeekFull),
        (rules(), {"in_month": 20, "in_quarter": 30}, MonthFull),
        (rules(), {"in_quarter": 30}, QuarterFull),
        (rules(per_child_week=1), {"in_week": 1}, WeekFull),
    ],
)
def test_each_rule_at_its_boundary(policy: Policy, facts: dict[str, object], expected: type[Refused] | None) -> None:
    assert why(policy, facts) is expected


def test_what_can_not_change_is_said_before_what_can() -> None:
    everything: dict[str, object] = {
        "consented": False,
        "born": DAY,
        "visits": (),
        "suspended_until": LATER,
        "in_week": 99,
    }
    said = []
    for name, mended in {
        "consented": True,
        "born": FACTS.born,
        "visits": FACTS.visits,
        "suspended_until": None,
        "in_week": 0,
    }.items():
        said.append(why(Policy(), everything))
        everything[name] = mended
    assert said == [ConsentMissing, TooYoung, VisitNeeded, Suspended, WeekFull]
    assert why(Policy(), everything) is None


def test_a_refusal_names_the_rule_and_what_to_do() -> None:
    full = refusal(replace(FACTS, in_week=14), Policy())
    assert full is not None
    assert full.params == {"count": 14, "first": date(2026, 11, 30)}
    old = refusal(FACTS, rules(visit_within_days=7))
    assert old is not None
    assert (old.params["last"], old.params["days"]) == (ELSEWHERE[1], 7)
    for refused in (TooYoung, VisitNeeded, DepartmentVisitNeeded, VisitTooOld):
        assert "%(address)s, phone %(phone)s" in refused.message


def test_windows_are_calendar_ones() -> None:
    assert windows(date(2026, 11, 29)) == (
        (date(2026, 11, 23), date(2026, 11, 29)),
        (date(2026, 11, 1), date(2026, 11, 30)),
        (date(2026, 10, 1), date(2026, 12, 31)),
    )
    assert windows(date(2027, 1, 1)) == (
        (date(2026, 12, 28), date(2027, 1, 3)),
        (date(2027, 1, 1), date(2027, 1, 31)),
        (date(2027, 1, 1), date(2027, 3, 31)),
    )


def test_the_evidence_is_the_newest_visit_that_counts() -> None:
    assert evidence(FACTS, Policy()) == {"department": "other", "on": "2026-11-02"}
    assert evidence(FACTS, rules(needs_visit="department")) == {"department": "internal-medicine", "on": "2026-10-01"}
    assert evidence(replace(FACTS, visits=()), rules(needs_visit="none")) == {}
    late = rules(needs_visit="none", visit_within_days=1)
    assert evidence(FACTS, late)["on"] == "2026-11-02", "a visit that nobody asked for is still told to the doctor"


def test_numbers_of_the_week_month_and_quarter_are_counted(session: Session, hospital: Hospital, now: datetime) -> None:
    policy = rules(per_child_week=2)
    days = {ahead: schedule_of(session, hospital, now, ahead) for ahead in (2, 3, 4, 5)}  # Fri, Sat, Sun, Mon
    first = book(session, hospital, days[2], now, policy)
    book(session, hospital, days[3], now, policy)
    with pytest.raises(WeekFull) as full:
        book(session, hospital, days[4], now, policy)
    assert full.value.params["first"] == date(2026, 11, 30)
    book(session, hospital, days[5], now, policy)
    facts = eligibility.gather(session, hospital.child, hospital.mother.id, days[4], now)
    assert (facts.in_week, facts.in_month, facts.in_quarter) == (2, 3, 3)
    moved = actions.reschedule(session, first.id, days[4].id, hospital.mother.id, now, policy)
    assert moved.day == days[4].day, "the number that is given up does not count"
    december = schedule_of(session, hospital, now, ahead=6)
    facts = eligibility.gather(session, hospital.child, hospital.mother.id, december, now)
    assert (facts.in_week, facts.in_month, facts.in_quarter) == (1, 0, 3), "a week and a quarter reach over months"
    facts = eligibility.gather(session, hospital.sibling, hospital.mother.id, days[4], now)
    assert facts.in_quarter == 0


def book(session: Session, hospital: Hospital, schedule: Schedule, now: datetime, policy: Policy) -> Appointment:
    return actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, policy)


def test_booking_keeps_what_it_rests_on(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    hospital.child.seen = [["internal-medicine", "2026-10-01"], ["other", "2026-09-01"]]
    appointment = book(session, hospital, schedule, now, Policy())
    session.flush()
    session.expire(appointment)
    assert appointment.evidence == {"department": "internal-medicine", "on": "2026-10-01"}
    answers = session.scalars(select(ScreenResult.id).where(ScreenResult.patient_id == hospital.child.id)).one()
    assert appointment.screen_id == answers
    other = schedule_of(session, hospital, now, ahead=4)
    moved = actions.reschedule(session, appointment.id, other.id, hospital.mother.id, now, Policy())
    assert (moved.evidence, moved.screen_id) == (appointment.evidence, answers)


@pytest.mark.parametrize("verb", ["book", "reschedule"])
@pytest.mark.parametrize("rule", ["consent-missing", "visit-needed", "screen-needed"])
def test_booking_and_changing_refuse_and_the_refusal_is_audited(
    session: Session, hospital: Hospital, now: datetime, verb: str, rule: str
) -> None:
    schedule = schedule_of(session, hospital, now)
    before = book(session, hospital, schedule_of(session, hospital, now, ahead=4), now, Policy())
    if rule == "consent-missing":
        session.execute(delete(Consent).where(Consent.account_id == hospital.mother.id))
    elif rule == "visit-needed":
        hospital.child.seen = []
    else:
        session.execute(update(ScreenResult).values(good_until=now))
    with pytest.raises(Refused) as refused:
        if verb == "book":
            book(session, hospital, schedule, now, Policy())
        else:
            actions.reschedule(session, before.id, schedule.id, hospital.mother.id, now, Policy())
    assert refused.value.code == rule
    assert before.status is AppointmentStatus.BOOKED
    assert refused.value.afterwards is not None
    refused.value.afterwards(session)
    session.flush()
    event = session.scalars(select(AuditEvent).where(AuditEvent.outcome == rule)).one()
    assert (event.entity_id, event.account_id) == (schedule.id, hospital.mother.id)
    assert event.detail == {"patient": str(hospital.child.id)}


def test_the_latest_answers_count(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    screened(session, hospital.child, hospital.mother, now + timedelta(minutes=1), Level.EMERGENCY)
    with pytest.raises(ScreenNeeded):
        book(session, hospital, schedule, now + timedelta(minutes=2), Policy())
    with pytest.raises(ScreenNeeded):
        actions.book(session, schedule.id, hospital.child, hospital.stranger.id, now, Policy())
    actions.book(session, schedule.id, hospital.sibling, hospital.mother.id, now, Policy())
    screened(session, hospital.child, hospital.mother, now + timedelta(minutes=3), Level.DOCTOR_DECIDES)
    assert book(session, hospital, schedule, now + timedelta(minutes=3), Policy()).number == 2


def test_the_check_costs_one_query(
    database: Connection, session: Session, hospital: Hospital, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = schedule_of(session, hospital, now)
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.append(str(call[2]))

    class Noted(RawCursor[Any]):
        def execute(self, query: Any, *values: Any, **how: Any) -> Self:
            asked.append(query)
            return super().execute(query, *values, **how)

    monkeypatch.setattr(config.hot, "RawCursor", Noted)
    event.listen(database, "before_cursor_execute", note)
    try:
        eligibility.check(session, hospital.child, hospital.mother.id, schedule, now, Policy())
    finally:
        event.remove(database, "before_cursor_execute", note)
    assert len(asked) == 1, asked


def test_a_suspension_is_asked_for(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    facts = eligibility.gather(session, hospital.child, hospital.mother.id, schedule, now, suspended=lambda *_: LATER)
    assert facts.suspended_until == LATER
