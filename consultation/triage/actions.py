"""The rules look at what the family told of a visit, whenever that changes and at check-in; the desk is alerted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.admission import PASSING, Age, Level
from booking.models import COMING, Appointment
from booking.queries import Visit
from booking.screen_models import EARLIER
from config.formats import masked
from config.jobs import emit
from config.nudges import nudge
from config.policy import current
from config.text import N_
from consultation.encounters.rooms import known as encounter_known
from consultation.encounters.rooms import line_topic
from consultation.intake import queries as intakes
from consultation.intake.answers import facts
from consultation.intake.questionnaire import intake
from consultation.triage import queries
from consultation.triage.events import TriageAlerted
from consultation.triage.models import OverruleReason, TriageOverrule, TriageResult
from consultation.triage.refusals import NoReason, NothingToOverrule
from consultation.triage.rules import BrokenRules, Rules, Verdict, judge, read
from people import tasks
from people.audit import record as audit
from people.models import Practitioner, Role

log = structlog.get_logger()

DOCTOR_TASK = tasks.kind(
    "triage-alert",
    title=N_("Warning signs in the answers about %(about)s: look now, before the visit."),
    path="/desk/visits/{id}",
)
TEAM_TASK = tasks.kind(
    "triage-team",
    title=N_("Warning signs in the answers about %(about)s: see that the doctor has looked, or call the family."),
    path="/desk/triage/{id}",
)
BROKEN = "broken"  # the version of a result that was made without rules
TEXT = 500  # characters of a doctor's reason


@cache
def rules() -> Rules:
    """The hospital's rules. Raises BrokenRules."""
    return read(known=intake().names())


def run(session: Session, visit: Visit, now: datetime, by: str) -> TriageResult:
    """Judge what the family told of a visit (from booking.queries, which asked access), and alert the desk if need be.

    ``by``: ``account:...``, ``practitioner:...`` or a job. The same answers under the same rules make no new result.
    Without rules that can be read the doctor decides. Raises consultation.intake.questionnaire.BrokenQuestionnaire.
    """
    session.execute(select(Appointment.id).where(Appointment.id == visit.appointment.id).with_for_update())
    told = intakes.told(session, visit, now)
    answers = facts(told.questions, told.reading)
    verdict = _verdict(answers, told.about.age)
    before = queries.results(session, visit.appointment.id)
    sealed = _sealed(answers, told.about.age)
    digest = hashlib.sha256(sealed.encode()).digest()
    if before and (before[-1].digest, before[-1].version) == (digest, verdict.version):
        return before[-1]
    changed = _taken_back(before, verdict)
    result = TriageResult(
        appointment_id=visit.appointment.id,
        patient_id=visit.patient.id,
        response_id=told.response.id if told.response else None,
        at=now,
        by=by,
        version=verdict.version,
        facts=sealed,
        digest=digest,
        level=Level.DOCTOR_DECIDES if changed and verdict.level is Level.FINE else verdict.level,
        rules=[*verdict.held, *(f"{EARLIER}{rule}" for rule in changed)],
        unknown=list(verdict.unknown),
    )
    session.add(result)
    session.flush()
    if _is_news(before, result):
        _alert(session, visit, result, now)
    return result


def _verdict(answers: dict[str, Any], age: Age) -> Verdict:
    try:
        found = rules()
    except BrokenRules as error:
        log.error("triage-rules-broken", why=str(error))
        return Verdict(BROKEN, Level.DOCTOR_DECIDES, ())
    return judge(found.version, found.visiting, answers, age)


def _sealed(answers: dict[str, Any], age: Age) -> str:
    kept = {"answers": answers, "days": age.days, "months": age.months}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _taken_back(before: Sequence[TriageResult], verdict: Verdict) -> list[str]:
    """The rules that held at a level that stops a visit, in earlier answers, and hold no more: the doctor sees it."""
    strict = {rule for result in before if result.level not in PASSING for rule in result.held}
    return sorted(strict - set(verdict.held))


def _is_news(before: Sequence[TriageResult], result: TriageResult) -> bool:
    """Whether the desk has to look: a sign that stops a visit, and a rule that did not hold, or not so strictly."""
    if result.level in PASSING:
        return False
    last = before[-1] if before else None
    return last is None or result.level.rank > last.level.rank or not set(result.held) <= set(last.held)


def _alert(session: Session, visit: Visit, result: TriageResult, now: datetime) -> None:
    doctor = _doctor(session, visit)
    policy = current(session, now, visit.department.code)
    name = masked(visit.patient.name)
    shared: dict[str, Any] = {
        "subject_id": visit.appointment.id,
        "about": {"zh_CN": name, "en": name},
        "deadline": now + timedelta(minutes=policy.triage_minutes),
        "now": now,
    }
    tasks.open(session, kind=DOCTOR_TASK, practitioner_id=doctor.id, **shared)
    tasks.open(session, kind=TEAM_TASK, role=Role.TEAM_LEAD, department_id=visit.department.id, **shared)
    emit(session, TriageAlerted(visit.appointment.id, result.id))
    nudge(session, line_topic(doctor.id))


def _doctor(session: Session, visit: Visit) -> Practitioner:
    """Who treats the child now."""
    encounter = encounter_known(session, visit.appointment.id)
    return session.get_one(Practitioner, encounter.practitioner_id) if encounter else visit.practitioner


def overrule(
    session: Session, visit: Visit, practitioner_id: UUID, result_id: str, level: str, reason: str, text: str,
    now: datetime,
) -> TriageOverrule:  # fmt: skip
    """The doctor of the visit (who has a seat in it) decides otherwise than the rules; the alerts are settled.

    Raises NoReason, NothingToOverrule.
    """
    found = queries.latest(session, visit.appointment.id)
    if found is None or str(found.id) != result_id:
        raise NothingToOverrule
    words = text.strip()[:TEXT]
    if level not in {*Level} or reason not in {*OverruleReason} or len(words) < 2:
        raise NoReason
    made = TriageOverrule(
        result_id=found.id,
        practitioner_id=practitioner_id,
        level=Level(level),
        reason=OverruleReason(reason),
        text=words,
        at=now,
    )
    session.add(made)
    settle(session, visit.appointment.id, now, why="the doctor has decided")
    audit(
        session, "triage-overrule", at=now, entity="appointment", entity_id=visit.appointment.id,
        outcome=level, reason=reason, practitioner=str(practitioner_id),
    )  # fmt: skip
    nudge(session, line_topic(_doctor(session, visit).id))
    return made


def settle(session: Session, appointment_id: UUID, now: datetime, *, why: str) -> None:
    """Nobody has to look at the visit's warning signs any more."""
    for kind in (DOCTOR_TASK, TEAM_TASK):
        tasks.settle(session, kind, appointment_id, why=why, now=now)


def settle_if_over(session: Session, appointment: Appointment, now: datetime) -> None:
    """A visit that was cancelled needs nobody to look at its warning signs."""
    if appointment.status not in COMING:
        settle(session, appointment.id, now, why="the visit is cancelled")
