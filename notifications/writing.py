"""Writing messages: one row per recipient and event. Writing one twice writes nothing new."""

from __future__ import annotations

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
        "time": about.appointment.starts_at,
        "number": str(about.appointment.number),
    }


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
    entry = messages()[message]
    row = insert(Notification).values(
        id=new_id(),
        account_id=account.id,
        message=message,
        source_id=source_id,
        occasion=occasion,
        data=entry.fit(values),
        path=entry.path.format(id=link),
        status=NotificationStatus.QUEUED,
        due_at=due_at or now,
        expires_at=expires_at,
        attempts=0,
        created_at=now,
    )
    once = [Notification.message, Notification.source_id, Notification.account_id, Notification.occasion]
    session.execute(row.on_conflict_do_nothing(index_elements=once))
