"""What the channel reports afterwards: the message arrived, or the person refused it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.jobs import defer
from config.states import advance
from notifications.models import Notification, NotificationStatus
from notifications.sending import give_up

LATER = "notifications.delivered"  # the worker's task that looks again
SUCCESS = "success"
FAILURES = {"failed:user block": "blocked", "failed: system failed": "system-failed"}


def delivered(session: Session, channel_id: str, status: str, now: datetime, *, look_again: bool = True) -> bool:
    """Note the final result of a message; ``status`` as WeChat sends it (TEMPLATESENDJOBFINISH), in any case.

    The result may be quicker than our own note that the message was taken: then a job looks again. Returns whether
    the message was found. A second result changes nothing.
    """
    found = session.scalar(select(Notification).where(Notification.channel_id == channel_id).with_for_update())
    if found is None:
        if look_again:
            defer(session, LATER, channel_id=channel_id, status=status)
        return False
    result = status.strip().casefold()
    if found.status is NotificationStatus.SENT and result == SUCCESS:
        advance(found, NotificationStatus.DELIVERED, by="channel", why=SUCCESS, now=now)
    elif found.status is NotificationStatus.SENT:
        give_up(found, FAILURES.get(result, "not-delivered"), now)
    return True
