"""What the worker does when it is its time: each a function that opens its own short transactions, safe to repeat."""

from __future__ import annotations

from datetime import timedelta

from booking.actions import cut_schedules, remind_due
from config.clock import now, today
from config.database import transaction
from config.jobs import Fact
from config.policy import current
from notifications import handlers, results, sending


class ResultOfUnknown(Exception):
    """The channel reports on a message that is not (yet) known as sent."""


def handle_fact(kind: str, data: dict[str, str | None]) -> None:
    """Tell everyone who listens to a fact. Raises KeyError for a kind that is not known."""
    with transaction() as session:
        handlers.handle(session, Fact.from_json(kind, data), now())


def note_result(channel_id: str, status: str) -> None:
    """Note a result that came before its message was known as sent. Raises ResultOfUnknown."""
    with transaction() as session:
        if not results.delivered(session, channel_id, status, now(), look_again=False):
            raise ResultOfUnknown(channel_id)


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


def free_stuck() -> None:
    """Queue again the messages that a killed worker left behind."""
    with transaction() as session:
        sending.free_stuck(session, now())
