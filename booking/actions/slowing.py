"""Asking an account to wait a little, before it books."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import fairness
from booking.fairness import Recent, Tries
from booking.refusals import ShortWait
from config.policy import Policy
from people.models import AuditEvent

TRYING = ("book", "reschedule")  # as the audit names them


def slow_down(
    session: Session, recent: Recent | None, account_id: UUID, tries: Tries | None, now: datetime, policy: Policy
) -> None:
    """Let the account go on, or raise ShortWait. Asked by the pages before ``book`` and ``reschedule``.

    ``tries`` None: nobody counted, so the record of what was tried is. ``recent`` (of booking.cases) None: it is for no
    other child than before (a change).
    """
    if tries is None:
        tries = Tries(_recorded(session, account_id, now) + 1, 0, fairness.TRY_SECONDS)
    wait = fairness.too_many_tries(tries, policy)
    if wait is None and recent is not None:
        wait = fairness.too_fast(recent, now, policy)
    if wait is not None:
        raise ShortWait(seconds=wait.seconds, rule=wait.rule)


def _recorded(session: Session, account_id: UUID, now: datetime) -> int:
    """Tries to book within the last minute, of which each left its mark: done or refused."""
    since = now - timedelta(seconds=fairness.TRY_SECONDS)
    of = (AuditEvent.account_id == account_id, AuditEvent.action.in_(TRYING), AuditEvent.at > since)
    return session.scalar(select(func.count()).where(*of)) or 0
