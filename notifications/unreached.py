"""Whom our messages do not reach: a task for the administrators, which closes by itself when a later message arrives.

One open task per member of staff, and one per child whose family had to be told something. Its text holds a masked name
at most; the page behind it says more, to those whose task it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.formats import masked
from config.text import N_
from notifications.catalogue import messages
from notifications.models import Notification, NotificationStatus
from notifications.texting import CHILDREN
from people import tasks
from people.models import Practitioner, Role

STAFF = tasks.kind(
    "staff-unreached",
    title=N_("%(about)s missed a message in WeChat. Ask whether they still follow this account, or invite them again."),
    path="/desk/staff/{id}",
)
FAMILY = tasks.kind(
    "family-unreached",
    title=N_(
        "The family of %(about)s must be told something, and neither WeChat nor a text message reached them: call."
    ),
    path="/desk/families/{id}",
)
STAFF_WITHIN = timedelta(days=1)
FAMILY_WITHIN = timedelta(hours=4)
LOST = (NotificationStatus.FAILED, NotificationStatus.DROPPED)


def failed(session: Session, notification: Notification, now: datetime) -> None:
    """A message has failed for good. One that was never tried, because it came too late, says nothing of the person."""
    entry = messages().get(notification.message)
    if entry is None or (notification.error == "expired" and not notification.attempts):
        return
    if entry.audience == "practitioner":
        if who := _practitioner(session, notification):
            tasks.open(
                session,
                kind=STAFF,
                subject_id=who.id,
                about=who.name,
                role=Role.ADMINISTRATOR,
                deadline=now + STAFF_WITHIN,
                now=now,
            )
    elif entry.must_arrive and notification.phone and not _another_text(session, notification):
        family_missed(session, notification, now)


def family_missed(session: Session, notification: Notification, now: datetime) -> None:
    """What must arrive has failed in WeChat and as a text message, or there is no phone on file."""
    if child := CHILDREN[notification.message](session, notification.source_id):
        name = masked(child.name)
        tasks.open(
            session,
            kind=FAMILY,
            subject_id=child.id,
            about={"zh_CN": name, "en": name},
            role=Role.ADMINISTRATOR,
            deadline=now + FAMILY_WITHIN,
            now=now,
        )


def arrived(session: Session, notification: Notification, now: datetime) -> None:
    """A message has arrived: who was not reached before is reached now, if it went out after that was noticed.

    For a family it must be one that had to arrive: the page it opens shows what they missed before.
    """
    entry = messages().get(notification.message)
    since = notification.claimed_at
    if entry is None or since is None:
        return
    if entry.audience == "practitioner":
        if who := _practitioner(session, notification):
            tasks.settle(session, STAFF, who.id, why="a later message arrived", now=now, opened_until=since)
    elif entry.must_arrive and (child := CHILDREN[notification.message](session, notification.source_id)):
        tasks.settle(session, FAMILY, child.id, why="a later message arrived", now=now, opened_until=since)


def _practitioner(session: Session, notification: Notification) -> Practitioner | None:
    """Who of the staff uses the account now."""
    found = select(Practitioner).where(Practitioner.account_id == notification.account_id, Practitioner.active)
    return session.scalar(found)


def _another_text(session: Session, notification: Notification) -> bool:
    """Whether the same was texted to another phone of the family, or still will be. They go out one after the other."""
    found = (
        select(Notification.id)
        .where(Notification.message == notification.message, Notification.source_id == notification.source_id)
        .where(Notification.phone.is_not(None), Notification.id != notification.id)
        .where(Notification.status.not_in(LOST))
    )
    return session.scalar(found.limit(1)) is not None
