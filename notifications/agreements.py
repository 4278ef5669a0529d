"""One-time notices (订阅通知): how many times a person agreed to be told, told by WeChat's events, used up by sending.

What is kept here is for the person to see. Whether a notice may still be sent, WeChat alone decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.ids import new_id
from notifications.models import Agreement, Notification


def left(session: Session, account_id: UUID) -> Mapping[str, int]:
    """How many notices of each template the person may still be sent; a template with none is not there."""
    open_ones = select(Agreement.template, func.count()).where(
        Agreement.account_id == account_id, Agreement.ended_at.is_(None)
    )
    return {template: count for template, count in session.execute(open_ones.group_by(Agreement.template))}


def given(session: Session, account_id: UUID, template: str, at: datetime) -> None:
    """The person agreed to one notice at this second; said twice it counts once."""
    row = insert(Agreement).values(id=new_id(), account_id=account_id, template=template, given_at=at)
    session.execute(row.on_conflict_do_nothing(index_elements=["account_id", "template", "given_at"]))


def ended(session: Session, account_id: UUID, template: str, until: datetime, now: datetime) -> None:
    """Nothing is left of what was agreed up to ``until``: taken back by the person, or unknown to WeChat (43101)."""
    session.execute(
        update(Agreement)
        .where(Agreement.account_id == account_id, Agreement.template == template)
        .where(Agreement.ended_at.is_(None), Agreement.given_at <= until)
        .values(ended_at=now)
    )


def used(session: Session, notification_id: UUID, template: str, now: datetime) -> None:
    """A notice went out: the oldest agreement is used up, once for each notification."""
    told = session.get_one(Notification, notification_id, with_for_update=True)
    if session.scalar(select(Agreement.id).where(Agreement.notification_id == told.id)):
        return
    oldest = session.scalar(
        select(Agreement)
        .where(Agreement.account_id == told.account_id, Agreement.template == template, Agreement.ended_at.is_(None))
        .order_by(Agreement.given_at)
        .limit(1)
        .with_for_update()
    )
    if oldest:
        oldest.ended_at, oldest.notification_id = now, told.id


def none_left(session: Session, notification_id: UUID, template: str, now: datetime) -> None:
    """WeChat refused a notice because nothing is left, whatever we had counted."""
    told = session.get_one(Notification, notification_id)
    ended(session, told.account_id, template, now, now)
