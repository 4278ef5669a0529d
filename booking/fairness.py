"""Against scalpers: how much one account may do in a short time before it waits a little, and which numbers changed
hands too quickly. Pure rules; nobody is ever shut out by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.models import Why
from config.policy import Policy

TRY_SECONDS = 60  # within which tries are counted
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
GIVEN_BACK = (Why.PARENT, Why.DECLINED, Why.UNPAID, Why.RESCHEDULED, Why.WORSENED)  # not by the hospital


@dataclass(frozen=True)
class Tries:
    """How often an account and its network address tried within the running minute, which ends in ``seconds``.

    ``address`` is 0 when addresses are not counted."""

    account: int
    address: int
    seconds: int


@dataclass(frozen=True)
class Recent:
    """What an account did lately: holds not paid and numbers given back within an hour, children booked for within a
    day, and when it booked last (None: not within a day)."""

    unpaid: int = 0
    given_back: int = 0
    children: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True)
class Wait:
    """Wait so many seconds, by this rule."""

    seconds: int
    rule: str


def too_many_tries(tries: Tries, policy: Policy) -> Wait | None:
    """A wait until the minute is over, for one try too many."""
    if tries.account > policy.book_tries_per_account:
        return Wait(tries.seconds, "tries-of-account")
    if tries.address > policy.book_tries_per_address:
        return Wait(tries.seconds, "tries-of-address")
    return None


def too_fast(recent: Recent, now: datetime, policy: Policy) -> Wait | None:
    """A wait that is over some minutes after the last booking, for who holds without paying, gives back what was just
    booked, or books for ever other children."""
    rules = {
        "unpaid-holds": recent.unpaid >= policy.slow_unpaid_holds,
        "given-back": recent.given_back >= policy.slow_given_back,
        "many-children": recent.children > policy.slow_children,
    }
    rule = next((name for name, broken in rules.items() if broken), None)
    if rule is None or recent.last_at is None:
        return None
    left = (recent.last_at + timedelta(minutes=policy.slow_minutes) - now).total_seconds()
    return Wait(int(left) + 1, rule) if left > 0 else None


def passed_on(why: Why | None, given_at: datetime, taken_at: datetime, free: int, policy: Policy) -> bool:
    """Whether a number that a family gave back was taken suspiciously soon, in a period with so many numbers free.

    An offer of the waiting list is made by the giving back itself, at the very same moment, and is not meant.
    """
    seconds = (taken_at - given_at).total_seconds()
    return why in GIVEN_BACK and 0 < seconds <= policy.rebook_seconds and free <= policy.rebook_free
