"""The life of a notification on its way out: claimed, sent, tried again, given up. At least once, in order per person.

Each function is one short transaction of its caller (worker/sender.py); the channel is called between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from config.states import advance
from notifications.catalogue import messages
from notifications.channel import ChannelError, OutgoingMessage
from notifications.models import OPEN, Notification, NotificationStatus
from people.models import Account

BY = "worker"
STUCK_AFTER = timedelta(seconds=30)  # longer than a call can take, shorter than WeChat remembers an id (10 min)
WAITS: dict[Literal["quick", "slow"], tuple[timedelta, ...]] = {
    "quick": tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200)),
    "slow": tuple(timedelta(minutes=m) for m in (15, 60, 120, 240, 480, 480, 480)),  # past midnight: a day's quota
}
MAX_ATTEMPTS = len(WAITS["quick"]) + 1


@dataclass(frozen=True)
class Claim:
    """A message that is this caller's to send; ``attempt`` tells this claim from a later one of the same message."""

    message: OutgoingMessage
    attempt: int


def next_due(session: Session, now: datetime) -> Notification | None:
    """The first message that is due and the oldest open one of its person, locked; those that others hold are skipped.

    A person's later message waits for the earlier one, also while that is tried again: "cancelled" never comes before
    "booked". A final state stays final, so what a snapshot shows as no longer in the way can't come back.
    """
    earlier = aliased(Notification)
    in_the_way = (
        select(earlier.id)
        .where(earlier.account_id == Notification.account_id, earlier.status.in_(OPEN))
        .where(earlier.id < Notification.id)
    )
    return session.scalar(
        select(Notification)
        .where(Notification.status == NotificationStatus.QUEUED, Notification.due_at <= now, ~in_the_way.exists())
        .order_by(Notification.due_at, Notification.id)
        .limit(1)
        .with_for_update(of=Notification, skip_locked=True)
    )


def claim(session: Session, notification: Notification, origin: str, now: datetime) -> Claim | None:
    """Take a locked message for sending; ``origin`` makes its link absolute. None: it can't be sent and has failed."""
    account = session.get_one(Account, notification.account_id)
    entry = messages().get(notification.message)
    expired = notification.expires_at is not None and notification.expires_at <= now
    if entry is None or expired or account.unfollowed:
        give_up(notification, "unknown-message" if entry is None else "expired" if expired else "not-a-follower", now)
        return None
    advance(notification, NotificationStatus.SENDING, by=BY, why="due", now=now)
    notification.claimed_at = now
    notification.attempts += 1
    message = OutgoingMessage(
        id=notification.id,
        openid=account.openid,
        message=entry.name,
        data=entry.keyed(notification.data),
        url=origin + notification.path,
    )
    return Claim(message, notification.attempts)


def mark_sent(session: Session, claimed: Claim, channel_id: str, now: datetime) -> None:
    """The channel took the message and calls it ``channel_id``."""
    if notification := _still_ours(session, claimed):
        advance(notification, NotificationStatus.SENT, by=BY, why="taken", now=now)
        notification.sent_at, notification.channel_id, notification.error = now, channel_id, None


def mark_refused(session: Session, claimed: Claim, error: ChannelError, now: datetime) -> None:
    """The channel did not take the message: it is tried again later, or given up."""
    notification = _still_ours(session, claimed)
    if notification is None:
        return
    if error.retry == "never" or notification.attempts >= MAX_ATTEMPTS:
        give_up(notification, error.code, now)
        return
    advance(notification, NotificationStatus.QUEUED, by=BY, why=error.code, now=now)
    notification.error = error.code
    notification.due_at = now + WAITS[error.retry][notification.attempts - 1]


def free_stuck(session: Session, now: datetime, limit: int = 500) -> int:
    """Queue again what a killed worker left behind, and return how many there were.

    The channel may have taken it: it is sent under the same id, and the channel drops the double.
    """
    stuck = session.scalars(
        select(Notification)
        .where(Notification.status == NotificationStatus.SENDING, Notification.claimed_at < now - STUCK_AFTER)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for notification in stuck:
        if notification.attempts >= MAX_ATTEMPTS:
            give_up(notification, "stuck", now)
        else:
            advance(notification, NotificationStatus.QUEUED, by=BY, why="stuck", now=now)
            notification.due_at = now
    return len(stuck)


def give_up(notification: Notification, code: str, now: datetime) -> None:
    """The message has failed for good; ``code`` says why."""
    advance(notification, NotificationStatus.FAILED, by=BY, why=code, now=now)
    notification.error = code


def _still_ours(session: Session, claimed: Claim) -> Notification | None:
    """The row, locked, if nobody took it over while the channel was slow."""
    return session.scalar(
        select(Notification)
        .where(Notification.id == claimed.message.id, Notification.attempts == claimed.attempt)
        .where(Notification.status == NotificationStatus.SENDING)
        .with_for_update()
    )
