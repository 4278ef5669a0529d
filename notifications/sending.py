"""The life of a notification on its way out: claimed, sent, tried again, given up. In order per person.

Each function is one short transaction of its caller (worker/sender.py); the channel is called between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased, object_session

from config.jobs import defer
from config.states import advance
from notifications import unreached
from notifications.catalogue import Message, messages
from notifications.channel import ChannelError, OutgoingMessage
from notifications.groups import gather
from notifications.models import Notification, NotificationStatus
from notifications.sms import TextMessage
from people.models import Account

BY = "worker"
CLAIMABLE = (NotificationStatus.QUEUED, NotificationStatus.UNKNOWN)
STUCK_AFTER = timedelta(seconds=30)  # longer than a call can take
SAME_ID = timedelta(minutes=9, seconds=30)  # WeChat drops a double of the same id for 10 minutes
TEXT_INSTEAD = "notifications.text-instead"  # the worker's task
WAITS: dict[Literal["quick", "slow"], tuple[timedelta, ...]] = {
    "quick": tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200)),
    "slow": tuple(timedelta(minutes=m) for m in (15, 60, 120, 240, 480, 480, 480)),  # past midnight: a day's quota
}
MAX_ATTEMPTS = len(WAITS["quick"]) + 1


@dataclass(frozen=True)
class Claim:
    """A message that is this caller's to send; ``attempt`` tells this claim from a later one of the same message."""

    message: OutgoingMessage | TextMessage
    attempt: int


def next_due(session: Session, now: datetime) -> Notification | None:
    """The first message that is due and the oldest open one of its person, locked; those that others hold are skipped.

    A person's later message waits for the earlier one, also while that is tried again: "cancelled" never comes before
    "booked". One that was never tried and is held for later (quiet hours, a group) lets others pass. A final state
    stays final, so what a snapshot shows as no longer in the way can't come back.
    """
    earlier = aliased(Notification)
    held = and_(earlier.status == NotificationStatus.QUEUED, earlier.attempts == 0, earlier.due_at > now)
    in_the_way = (
        select(earlier.id)
        .where(earlier.account_id == Notification.account_id, earlier.id < Notification.id)
        .where(still_open(earlier), ~held)
    )
    return session.scalar(
        select(Notification)
        .where(Notification.status.in_(CLAIMABLE), Notification.due_at <= now, ~in_the_way.exists())
        .order_by(Notification.due_at, Notification.id)
        .limit(1)
        .with_for_update(of=Notification, skip_locked=True)
    )


def still_open(row: type[Notification]) -> ColumnElement[bool]:
    """Whether it may still be sent."""
    unknown = and_(row.status == NotificationStatus.UNKNOWN, row.due_at.is_not(None))
    return or_(row.status.in_((NotificationStatus.QUEUED, NotificationStatus.SENDING)), unknown)


def claim(session: Session, notification: Notification, origin: str, now: datetime) -> Claim | None:
    """Take a locked message for sending; ``origin`` makes its link absolute. None: there is nothing to send any more,
    or it is said together with others, in a message that is due now."""
    account = session.get_one(Account, notification.account_id)
    entry = messages().get(notification.message)
    if entry is None:
        give_up(notification, "unknown-message", now)
    elif notification.expires_at is not None and notification.expires_at <= now:
        give_up(notification, "expired", now)
    elif account.unfollowed and notification.phone is None:
        give_up(notification, "not-a-follower", now)
    elif too_late_for_a_double(notification, entry, now):
        notification.due_at = None  # it stays unknown
    elif not gather(session, notification, entry, now):
        return _claimed(notification, entry, account, origin, now)
    return None


def too_late_for_a_double(notification: Notification, entry: Message, now: datetime) -> bool:
    """Whether it was perhaps taken so long ago that WeChat would show it twice. What must arrive may come twice."""
    since = notification.unknown_since
    return since is not None and now >= since + SAME_ID and not entry.must_arrive


def _claimed(notification: Notification, entry: Message, account: Account, origin: str, now: datetime) -> Claim:
    advance(notification, NotificationStatus.SENDING, by=BY, why="due", now=now)
    notification.claimed_at = now
    notification.attempts += 1
    message: OutgoingMessage | TextMessage
    if notification.phone:
        message = TextMessage(notification.id, notification.phone, entry.name, entry.spoken(notification.data))
    else:
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
        if notification.phone:  # of text messages nothing more is heard
            unreached.arrived(session, notification, now)


def mark_refused(session: Session, claimed: Claim, error: ChannelError, now: datetime) -> None:
    """The channel did not take the message, or nobody knows: it is tried again later, or given up."""
    notification = _still_ours(session, claimed)
    if notification is None:
        return
    if error.retry == "never" or notification.attempts >= MAX_ATTEMPTS:
        give_up(notification, error.code, now)
        return
    wait = WAITS[error.retry][notification.attempts - 1]
    if error.unknown or notification.unknown_since:  # an earlier try may have been taken
        _unknown(notification, error.code, now, now + wait)
        return
    advance(notification, NotificationStatus.QUEUED, by=BY, why=error.code, now=now)
    notification.error, notification.due_at = error.code, now + wait


def free_stuck(session: Session, now: datetime, limit: int = 500) -> int:
    """Mark as unknown what a killed worker left behind, due at once, and return how many there were.

    The channel may have taken it: it is sent again under the same id, as long as the channel drops the double.
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
            _unknown(notification, "stuck", now, now)
    return len(stuck)


def _unknown(notification: Notification, code: str, now: datetime, due_at: datetime) -> None:
    advance(notification, NotificationStatus.UNKNOWN, by=BY, why=code, now=now)
    notification.error, notification.due_at = code, due_at
    notification.unknown_since = notification.unknown_since or notification.claimed_at


def give_up(notification: Notification, code: str, now: datetime) -> None:
    """The message has failed for good; ``code`` says why. What must arrive is then sent as a text message; when that
    fails too, or a message to the staff, somebody is asked to see to it."""
    advance(notification, NotificationStatus.FAILED, by=BY, why=code, now=now)
    notification.error = code
    entry, session = messages().get(notification.message), object_session(notification)
    if session is None:
        return
    if entry and entry.must_arrive and notification.phone is None:
        defer(session, TEXT_INSTEAD, notification_id=str(notification.id))
    unreached.failed(session, notification, now)


def _still_ours(session: Session, claimed: Claim) -> Notification | None:
    """The row, locked, if nobody took it over while the channel was slow."""
    return session.scalar(
        select(Notification)
        .where(Notification.id == claimed.message.id, Notification.attempts == claimed.attempt)
        .where(Notification.status == NotificationStatus.SENDING)
        .with_for_update()
    )
