"""What the channel reports afterwards: the message arrived, or the person refused it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from config.jobs import defer
from config.states import advance
from notifications import unreached
from notifications.models import Notification, NotificationStatus
from notifications.sending import give_up
from people.models import Account

LATER = "notifications.delivered"  # the worker's task that looks again
SUCCESS = "success"
FAILURES = {
    "failed:user block": "blocked",
    "failed: system failed": "system-failed",
    "failed:43101": "no-subscription",
}
NO_ID = frozenset({"", "0"})  # reported of messages that were sent with a client_msg_id
RECENT = timedelta(minutes=10)  # a result comes within seconds of the message
UNSETTLED = (NotificationStatus.SENT, NotificationStatus.UNKNOWN)
ANY = Notification.status.in_(UNSETTLED)
NAMELESS = or_(
    Notification.status == NotificationStatus.UNKNOWN,
    and_(Notification.status == NotificationStatus.SENT, Notification.channel_id.in_(NO_ID)),
)


def delivered(session: Session, channel_id: str, status: str, now: datetime, *, openid: str = "") -> bool:
    """Note the final result of a message; ``status`` as WeChat sends it (TEMPLATESENDJOBFINISH), in any case, or made
    of a notice's error code (``failed:43101``).

    A result without an id is that of the person's oldest unsettled message of the last minutes. The result may be
    quicker than our own note that the message was taken: then a job looks again. Returns whether the message was
    found. A second result changes nothing.
    """
    account_id = session.scalar(select(Account.id).where(Account.openid == openid)) if openid else None
    found = _of_id(session, channel_id) or (
        _unsettled(session, account_id, now, ANY) if account_id and channel_id in NO_ID else None
    )
    if found is None:
        person = str(account_id) if account_id else None
        defer(session, LATER, channel_id=channel_id, status=status, account_id=person)
        return False
    _settle(session, found, status, now)
    return True


def delivered_later(session: Session, channel_id: str, status: str, now: datetime, account_id: UUID | None) -> bool:
    """Look again for the message of a result. By now its note has been written, if anybody lived to write it: else
    the result is that of a message whose answer was lost, or held no id. Returns whether one was found."""
    found = _of_id(session, channel_id)
    if found is None and account_id:
        found = _unsettled(session, account_id, now, ANY if channel_id in NO_ID else NAMELESS)
    if found:
        _settle(session, found, status, now)
    return found is not None


def _of_id(session: Session, channel_id: str) -> Notification | None:
    if channel_id in NO_ID:
        return None
    return session.scalar(select(Notification).where(Notification.channel_id == channel_id).with_for_update())


def _unsettled(session: Session, account_id: UUID, now: datetime, which: ColumnElement[bool]) -> Notification | None:
    return session.scalar(
        select(Notification)
        .where(Notification.account_id == account_id, Notification.phone.is_(None))
        .where(which, Notification.claimed_at >= now - RECENT)
        .order_by(Notification.claimed_at, Notification.id)
        .limit(1)
        .with_for_update()
    )


def _settle(session: Session, found: Notification, status: str, now: datetime) -> None:
    result = status.strip().casefold()
    if found.status not in UNSETTLED:
        return
    if result == SUCCESS:
        advance(found, NotificationStatus.DELIVERED, by="channel", why=SUCCESS, now=now)
        unreached.arrived(session, found, now)
    else:
        give_up(found, FAILURES.get(result, "not-delivered"), now)
