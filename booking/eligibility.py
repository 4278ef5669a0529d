"""May this child be booked here? Pure rules over facts gathered before; the first refusal says what to do instead.

``check`` is for everything that takes a number for a child or lets it wait for one. It asks nobody outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from booking import cases
from booking.admission import Age
from booking.cases import Facts
from booking.models import Schedule
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
from config.database import Json
from config.errors import Refused
from config.hospital import hospital
from config.policy import Policy
from people.audit import record as audit
from people.index import Visit
from people.models import Patient
from people.refusals import ConsentMissing

Days = tuple[date, date]
Suspension = Callable[[Session, UUID, UUID, datetime], datetime | None]


@dataclass(frozen=True)
class Admitted:
    """The child may: ``evidence`` is the earlier visit that allows it (``department``, ``on``; empty: none is needed),
    ``screen_id`` names the answers on how the child is."""

    evidence: Json
    screen_id: UUID


def judged(session: Session, patient_id: UUID, account_id: UUID, now: datetime) -> datetime | None:  # noqa: ARG001
    """For those whose suspension was looked at before: what the hospital made necessary is allowed in spite of it."""
    return None


def check(
    session: Session,
    patient: Patient,
    account_id: UUID,
    schedule: Schedule,
    now: datetime,
    policy: Policy,
    *,
    instead_of: UUID | None = None,
    suspended: Suspension | None = None,
) -> Admitted:
    """Whether a child (from people.access) may get a number of the schedule now. One query.

    ``instead_of`` is the appointment that the new one replaces. Raises, audited, what ``judge`` raises.
    """
    facts = gather(session, patient, account_id, schedule, now, instead_of=instead_of, suspended=suspended)
    try:
        return judge(facts, policy)
    except Refused as refused:
        raise _audited(refused, patient.id, account_id, schedule.id, now) from None


def judge(facts: Facts, policy: Policy) -> Admitted:
    """Let the child pass. Raises the first refusal of ``refusal``, and ScreenNeeded."""
    why = refusal(facts, policy)
    if why is None and facts.screen_id is not None:
        return Admitted(evidence(facts, policy), facts.screen_id)
    raise why or ScreenNeeded()


def _audited(refused: Refused, patient_id: UUID, account_id: UUID, schedule_id: UUID, now: datetime) -> Refused:
    """The refusal, and its record afterwards."""
    of: Json = {"entity": "schedule", "entity_id": schedule_id, "account_id": account_id, "patient": str(patient_id)}
    refused.afterwards = lambda later: audit(later, "book", at=now, outcome=refused.code, **of)
    return refused


def gather(
    session: Session,
    patient: Patient,
    account_id: UUID,
    schedule: Schedule,
    now: datetime,
    *,
    instead_of: UUID | None = None,
    suspended: Suspension | None = None,
) -> Facts:
    """What the rules look at, for a child and a schedule. ``suspended`` is asked in the place of the suspensions."""
    facts = cases.read(session, schedule.id, patient.id, account_id, now, instead_of).facts
    return replace(facts, suspended_until=suspended(session, patient.id, account_id, now)) if suspended else facts


def windows(day: date) -> tuple[Days, Days, Days]:
    """The calendar week (Monday to Sunday), month and quarter of a day, each with its first and last day."""
    monday = day - timedelta(days=day.weekday())
    quarter = date(day.year, day.month - (day.month - 1) % 3, 1)
    return (monday, monday + timedelta(days=6)), _months(day.replace(day=1), 1), _months(quarter, 3)


def _months(first: date, count: int) -> Days:
    years, month = divmod(first.month - 1 + count, 12)
    return first, date(first.year + years, month + 1, 1) - timedelta(days=1)


def refusal(facts: Facts, policy: Policy) -> Refused | None:
    """The first reason why not: what can't change before what can."""
    if not facts.consented:
        return ConsentMissing()
    return _age(facts, policy) or _visit(facts, policy) or _suspended(facts) or _limits(facts, policy)


def evidence(facts: Facts, policy: Policy) -> Json:
    """The newest visit that the policy accepts, else the newest there is; empty when there is none."""
    visits = _accepted(facts, policy) or facts.visits or ()
    return {"department": visits[0][0], "on": visits[0][1].isoformat()} if visits else {}


def _age(facts: Facts, policy: Policy) -> Refused | None:
    age = Age.of(facts.born, facts.day)
    if age.days < policy.age_from_days:
        return TooYoung(days=policy.age_from_days, **_hospital())
    return TooOld(years=policy.age_until_years) if age.months >= policy.age_until_years * 12 else None


def _visit(facts: Facts, policy: Policy) -> Refused | None:
    if not _needed(facts.day, policy) or _accepted(facts, policy):
        return None
    if facts.visits is None:
        return VisitsUnknown(**_hospital())
    if not facts.visits:
        return VisitNeeded(**_hospital())
    of_department = [visit for visit in facts.visits if policy.needs_visit == "any" or visit[0] == facts.department]
    if not of_department:
        return DepartmentVisitNeeded(**_hospital())
    return VisitTooOld(last=of_department[0][1], days=policy.visit_within_days, **_hospital())


def _needed(day: date, policy: Policy) -> bool:
    since, until = policy.first_visits_from, policy.first_visits_until
    return policy.needs_visit != "none" and not (since and since <= day and (until is None or day <= until))


def _accepted(facts: Facts, policy: Policy) -> list[Visit]:
    oldest = facts.day - timedelta(days=policy.visit_within_days) if policy.visit_within_days else date.min
    return [
        (department, day)
        for department, day in facts.visits or ()
        if day >= oldest and (policy.needs_visit != "department" or department == facts.department)
    ]


def _suspended(facts: Facts) -> Refused | None:
    until = facts.suspended_until
    return Suspended(until=until) if until else None


def _limits(facts: Facts, policy: Policy) -> Refused | None:
    counts = (
        (facts.in_week, policy.per_child_week, WeekFull),
        (facts.in_month, policy.per_child_month, MonthFull),
        (facts.in_quarter, policy.per_child_quarter, QuarterFull),
    )
    for which, (held, most, full) in enumerate(counts):
        if held >= most:
            _, last = windows(facts.day)[which]
            return full(count=held, first=last + timedelta(days=1))
    return None


def _hospital() -> dict[str, Any]:
    return {"address": hospital().address, "phone": hospital().number("hospital")}
