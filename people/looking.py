"""What the hospital's index knows of a child (visits, phones) is kept with it, so that booking asks nobody outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import update

from config.database import transaction
from people.finding import keep_phones
from people.index import IndexRecord, PatientIndex, Visit
from people.models import Patient
from people.refusals import IndexUnavailable

log = structlog.get_logger()

GOOD_FOR = timedelta(days=1)


def kept(record: IndexRecord) -> list[Any]:
    """The record's visits as ``Patient.seen`` has them."""
    return [[department, day.isoformat()] for department, day in record.seen]


def visits_of(patient: Patient) -> tuple[Visit, ...] | None:
    """The visits kept with the child, newest first; None when the index has never been asked."""
    return visits_from(patient.seen, patient.seen_at)


def visits_from(seen: Sequence[Sequence[str]], seen_at: datetime | None) -> tuple[Visit, ...] | None:
    """The visits of ``Patient.seen``."""
    return None if seen_at is None else tuple((department, date.fromisoformat(day)) for department, day in seen)


def look_again(index: PatientIndex, children: Sequence[Patient], now: datetime) -> None:
    """Ask the index anew about children (from people.queries) whose answer is older than a day. No transaction is open.

    An index that does not answer leaves what is kept; one that no longer knows the child, too: the visits were made.
    """
    found: dict[Patient, IndexRecord | None] = {}
    try:
        for child in children:
            if child.seen_at is None or now - child.seen_at > GOOD_FOR:
                found[child] = index.find_number(child.number)
    except IndexUnavailable as error:
        log.warning("index-unavailable", code=error.code)
    if found:
        with transaction() as session:
            for child, record in found.items():
                values: dict[str, Any] = {"seen": kept(record)} if record else {}
                session.execute(update(Patient).where(Patient.id == child.id).values(seen_at=now, **values))
                if record:
                    keep_phones(session, child.id, record.phones)
