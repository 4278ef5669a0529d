"""Reads about triage. Visits come from queries that asked access."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from booking.admission import Level
from consultation.triage.models import TriageOverrule, TriageResult


def latest(session: Session, appointment_id: UUID) -> TriageResult | None:
    """The result that counts; None while nothing was judged."""
    return session.scalar(
        select(TriageResult)
        .where(TriageResult.appointment_id == appointment_id)
        .order_by(TriageResult.id.desc())
        .limit(1)
    )


def results(session: Session, appointment_id: UUID) -> Sequence[TriageResult]:
    """Every result for a visit, the oldest first."""
    return session.scalars(
        select(TriageResult).where(TriageResult.appointment_id == appointment_id).order_by(TriageResult.id)
    ).all()


def overrule(session: Session, result_id: UUID) -> TriageOverrule | None:
    """What the doctor decided against a result last."""
    return session.scalar(
        select(TriageOverrule).where(TriageOverrule.result_id == result_id).order_by(TriageOverrule.id.desc()).limit(1)
    )


def level(session: Session, appointment_id: UUID) -> Level | None:
    """The level that counts for a visit: the doctor's word goes before the rules'. None while nothing was judged."""
    found = latest(session, appointment_id)
    if found is None:
        return None
    against = overrule(session, found.id)
    return against.level if against else found.level


def levels(session: Session, appointment_ids: Collection[UUID]) -> dict[UUID, Level]:
    """The level that counts for each of these visits that was judged."""
    rows = session.scalars(
        select(TriageResult)
        .where(TriageResult.appointment_id.in_(appointment_ids))
        .ext(distinct_on(TriageResult.appointment_id))
        .order_by(TriageResult.appointment_id, TriageResult.id.desc())
    ).all()
    against = session.scalars(
        select(TriageOverrule).where(TriageOverrule.result_id.in_([row.id for row in rows])).order_by(TriageOverrule.id)
    ).all()
    words = {decided.result_id: decided.level for decided in against}
    return {row.appointment_id: words.get(row.id, row.level) for row in rows}


def past(session: Session, limit: int) -> Sequence[TriageResult]:
    """The latest judged answers, the newest first, for trying new rules on."""
    return session.scalars(select(TriageResult).order_by(TriageResult.id.desc()).limit(limit)).all()
