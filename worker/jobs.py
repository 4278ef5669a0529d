"""What the worker does when it is its time: each a function that opens its own short transactions, safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog

from booking.actions import cut_schedules, remind_due
from config.clock import now, today
from config.database import transaction
from config.jobs import Fact
from config.policy import current
from notifications import doctors, handlers, results, sending, texting
from people import invitations, sessions, staff
from people.index import PatientIndex
from people.models import Account
from wechat.tags import Tags

log = structlog.get_logger()


class ResultOfUnknown(Exception):
    """The channel reports on a message that is not (yet) known as sent."""


def handle_fact(kind: str, data: dict[str, str | None]) -> None:
    """Tell everyone who listens to a fact. Raises KeyError for a kind that is not known."""
    with transaction() as session:
        handlers.handle(session, Fact.from_json(kind, data), now())


def note_result(channel_id: str, status: str, account_id: str | None = None) -> None:
    """Note a result that came before its message was known as sent. Raises ResultOfUnknown."""
    with transaction() as session:
        found = results.delivered_later(session, channel_id, status, now(), UUID(account_id) if account_id else None)
    if not found:
        raise ResultOfUnknown(channel_id)


def text_instead(notification_id: str, index: PatientIndex) -> None:
    """Send what must arrive, and failed in WeChat, to the phones that the hospital has on file."""
    failed = UUID(notification_id)
    with transaction() as session:
        number = texting.number_of_child(session, failed)
    record = index.find_number(number) if number else None
    phones = texting.mobiles(record.phones) if record else []
    if number and not phones:
        log.error("must-arrive-failed", notification=notification_id, why="no-phone")
    with transaction() as session:
        texting.put_texts(session, failed, phones, now())


def tell_lists() -> None:
    """Tell the doctors of the next day's list, when it is time."""
    with transaction() as session:
        doctors.tell_lists(session, now())


def tag(tags: Tags, account_id: str) -> None:
    """Give an account the staff's tag in WeChat, or take it away, as the bindings stand now.

    Raises WeChatError, WeChatUnavailable.
    """
    with transaction() as session:
        account = session.get_one(Account, UUID(account_id))
        openid, works_here = account.openid, staff.is_staff(session, account.id)
    if works_here:
        tags.tag(openid)
    else:
        tags.untag(openid)


def remind() -> None:
    """Let the reminders that have fallen due go out, some hundreds at a time."""
    done = -1
    while done:
        with transaction() as session:
            done = remind_due(session, now())


def cut() -> int:
    """Cut the rosters for the days that can be booked and the one after. Returns how many schedules are new."""
    made = 0
    with transaction() as session:
        days = current(session, now()).horizon_last_day + 2
    for ahead in range(days):
        with transaction() as session:
            made += cut_schedules(session, [today(now()) + timedelta(days=ahead)])
    return made


def see_to_staff() -> None:
    """End the invitations that nobody used in time, and forget sign-ins that ended long ago."""
    with transaction() as session:
        invitations.expire(session, now())
        sessions.tidy(session, now())


def free_stuck() -> None:
    """Mark the messages that a killed worker left behind, to be sent again."""
    with transaction() as session:
        sending.free_stuck(session, now())
