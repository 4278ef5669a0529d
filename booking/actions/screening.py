"""A guardian has said how the child is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.admission import PASSING, Level, Screen, Verdict
from booking.screen_models import EARLIER, ScreenResult, sealed
from config.policy import Policy
from people.audit import record as audit
from people.models import Patient

REMEMBERED = timedelta(hours=24)


def keep_answers(
    session: Session,
    patient: Patient,
    account_id: UUID,
    asked: Screen,
    answers: Mapping[str, bool],
    verdict: Verdict,
    now: datetime,
    policy: Policy,
) -> ScreenResult:
    """Keep the answers about a child (from people.access) and what booking.admission made of them.

    A warning sign that was named within the day before and then taken back passes with a mark for the doctor: a slip
    of the finger can be put right, but is seen.
    """
    earlier = _stopped(session, patient.id, now) if verdict.level in PASSING else None
    level = Level.DOCTOR_DECIDES if earlier else verdict.level
    result = ScreenResult(
        patient_id=patient.id,
        account_id=account_id,
        at=now,
        version=verdict.version,
        answers=sealed(asked.questions, answers, earlier),
        level=level,
        rules=[*verdict.rules, *(f"{EARLIER}{rule}" for rule in (earlier.rules if earlier else ()))],
        good_until=now + timedelta(minutes=policy.screen_minutes) if level in PASSING else None,
    )
    session.add(result)
    session.flush()
    audit(session, "screen", at=now, entity="screen", entity_id=result.id, account_id=account_id, outcome=str(level))
    return result


def _stopped(session: Session, patient_id: UUID, now: datetime) -> ScreenResult | None:
    """The latest answers of the last hours that stopped booking."""
    found = select(ScreenResult).where(ScreenResult.patient_id == patient_id, ScreenResult.at > now - REMEMBERED)
    return session.scalar(found.where(ScreenResult.level.not_in(PASSING)).order_by(ScreenResult.at.desc()).limit(1))
