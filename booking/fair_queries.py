"""Reads for those who look after fairness: what was refused, and which numbers changed hands too quickly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from booking.fair_models import Suspicion
from config.clock import at
from config.errors import NotFound
from people.models import AuditEvent

DONE = "done"
Place = tuple[datetime, UUID]  # of a row in the list: the page after it begins there


@dataclass(frozen=True)
class Refusals:
    """One page of refusals, latest first, and where the next page begins (None: this was the last)."""

    events: Sequence[AuditEvent]
    next: Place | None


def refused(
    session: Session,
    *,
    rule: str | None = None,
    day: date | None = None,
    account_id: UUID | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Refusals:
    """What was refused: by one rule, on one day (the hospital's), to one account, after one place of the list."""
    query = select(AuditEvent).where(AuditEvent.outcome != DONE)
    if rule:
        query = query.where(AuditEvent.outcome == rule)
    if day:
        query = query.where(AuditEvent.at >= at(day, time()), AuditEvent.at < at(day + timedelta(days=1), time()))
    if account_id:
        query = query.where(AuditEvent.account_id == account_id)
    if after:
        query = query.where(tuple_(AuditEvent.at, AuditEvent.id) < tuple_(*after))
    found = session.scalars(query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(limit + 1)).all()
    page = found[:limit]
    return Refusals(page, (page[-1].at, page[-1].id) if len(found) > limit else None)


def audited(session: Session, event_id: UUID) -> tuple[AuditEvent, Sequence[AuditEvent]]:
    """One event of the audit record, and what else its account did within the hour around it. Raises NotFound."""
    event = session.get(AuditEvent, event_id)
    if event is None:
        raise NotFound
    hour = timedelta(hours=1)
    others = select(AuditEvent).where(
        AuditEvent.account_id == event.account_id,
        AuditEvent.at.between(event.at - hour, event.at + hour),
        AuditEvent.id != event.id,
    )
    return event, session.scalars(others.order_by(AuditEvent.id.desc()).limit(50)).all() if event.account_id else []


def passed_on(session: Session, account_id: UUID) -> Sequence[Suspicion]:
    """The numbers that an account gave away or took suspiciously soon, latest first."""
    of = or_(Suspicion.giver_id == account_id, Suspicion.taker_id == account_id)
    return session.scalars(select(Suspicion).where(of).order_by(Suspicion.at.desc()).limit(100)).all()
