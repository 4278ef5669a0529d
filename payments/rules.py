"""Rules of asking: pure functions, no session, no clock."""

from __future__ import annotations

from datetime import datetime, timedelta

SOONEST = timedelta(seconds=15)
LATEST = timedelta(minutes=10)  # a payment is asked about at least so often
SLOWEST = timedelta(hours=1)  # a refund may take the bank days
BY_HAND = timedelta(hours=6)  # one that somebody must see to
LEASE = timedelta(minutes=3)  # whoever asks has so long, before another asks
SEEN_TO_WITHIN = timedelta(days=1)  # how long a member of staff has for what went wrong


def ask_payment_at(created_at: datetime, expires_at: datetime, now: datetime) -> datetime:
    """When the gateway is asked about an unpaid order next: in intervals that double, and when its time is over; from
    then on in short ones again, as somebody waits for what it held."""
    if now >= expires_at:
        return now + min(max(now - expires_at, SOONEST), LATEST)
    return min(now + min(max(now - created_at, SOONEST), LATEST), expires_at)


def ask_refund_at(created_at: datetime, now: datetime, *, by_hand: bool = False) -> datetime:
    """When a refund is sent or asked about again, in intervals that double."""
    return now + (BY_HAND if by_hand else min(max(now - created_at, SOONEST), SLOWEST))
