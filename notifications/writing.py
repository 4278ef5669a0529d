"""Writing messages: one row per recipient and event. Writing one twice writes nothing new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.formats import masked
from config.ids import new_id
from notifications.catalogue import messages
from notifications.fitting import Value
from notifications.models import Notification, NotificationStatus
from people.models import Account

Values = dict[str, Value]


def visit_values(about: Visit, locale: str) -> Values:
    """What messages say of a visit; no full name."""
    return {
        "child": masked(about.patient.name),
        "department": about.department.name[locale],
        "doctor": about.practitioner.name[locale],
        "time": about.estimate,
        "number": str(about.appointment.number),
    }


ONCE = [Notification.message, Notification.source_id, Notification.account_id, Notification.occasion]


def put(
    session: Session,
    message: str,
    account: Account,
    source_id: UUID,
    values: Values,
    now: datetime,
    *,
    link: UUID | None = None,
    occasion: str = "",
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Write a message of the catalogue; it goes out at ``due_at``, or at once."""
    said = row(message, account.id, source_id, values, now, link=link, occasion=occasion)
    said |= {"due_at": due_at or now, "expires_at": expires_at}
    put_all(session, [said])


def row(
    message: str,
    account_id: UUID,
    source_id: UUID,
    values: Values,
    now: datetime,
    *,
    link: UUID | None = None,
    occasion: str = "",
) -> dict[str, object]:
    """A message of the catalogue as a row, due now, for ``put_all``."""
    entry = messages()[message]
    return {
        "id": new_id(),
        "account_id": account_id,
        "message": message,
        "source_id": source_id,
        "occasion": occasion,
        "data": entry.fit(values),
        "path": entry.path.format(id=link),
        "status": NotificationStatus.QUEUED,
        "due_at": now,
        "expires_at": None,
        "attempts": 0,
        "created_at": now,
    }


def put_all(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Write rows at once; what was written before is not written again."""
    if rows:
        session.execute(insert(Notification).on_conflict_do_nothing(index_elements=ONCE), rows)
