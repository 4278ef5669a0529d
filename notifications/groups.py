"""Several messages of one kind said as one: "3 new bookings" instead of three messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.ids import new_id
from config.states import advance
from notifications.catalogue import Message, messages
from notifications.fitting import moment
from notifications.models import Notification, NotificationStatus

BY = "worker"


def gather(session: Session, first: Notification, entry: Message, now: datetime) -> bool:
    """Join every message of this kind that waits for the same person into one that is due now, if there are several.

    ``first`` is locked and the person's oldest open message, so nobody else can take the others meanwhile.
    """
    if entry.together is None or first.status is not NotificationStatus.QUEUED or first.attempts:
        return False
    others = session.scalars(
        select(Notification)
        .where(Notification.account_id == first.account_id, Notification.message == first.message)
        .where(Notification.status == NotificationStatus.QUEUED, Notification.attempts == 0)
        .where(Notification.id != first.id)
        .order_by(Notification.id)
        .with_for_update()
    ).all()
    if others:
        _join(session, messages()[entry.together], [first, *others], now)
    return bool(others)


def _join(session: Session, entry: Message, rows: Sequence[Notification], now: datetime) -> None:
    values = rows[0].data | {"count": str(len(rows)), "time": moment(now)}
    joined = Notification(
        id=new_id(),
        account_id=rows[0].account_id,
        message=entry.name,
        source_id=rows[0].source_id,
        occasion=rows[0].id.hex,
        data={name: values[name] for name in entry.fields},
        path=entry.path,
        due_at=now,
        attempts=0,
        created_at=now,
    )
    session.add(joined)
    session.flush()
    for row in rows:
        advance(row, NotificationStatus.DROPPED, by=BY, why="together", now=now)
        row.error, row.joined_id = "together", joined.id
