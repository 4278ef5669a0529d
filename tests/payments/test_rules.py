"""When the gateway is asked again."""

from __future__ import annotations

from datetime import datetime, timedelta

from payments.rules import ask_payment_at, ask_refund_at

MINUTE = timedelta(minutes=1)


def test_an_unpaid_order_is_asked_about_in_intervals_that_double(now: datetime) -> None:
    over = now + 10 * MINUTE
    asked, moment = [], now
    while moment < over:
        moment = ask_payment_at(now, over, moment)
        asked.append((moment - now).total_seconds())
    assert asked == [15, 30, 60, 120, 240, 480, 600]
    assert ask_payment_at(now, over, over) == over + MINUTE / 4  # somebody waits for the number
    assert ask_payment_at(now, over, over + timedelta(days=1)) == over + timedelta(days=1) + 10 * MINUTE


def test_a_refund_may_take_days(now: datetime) -> None:
    assert ask_refund_at(now, now) == now + MINUTE / 4
    assert ask_refund_at(now, now + timedelta(days=1)) == now + timedelta(days=1, hours=1)
    assert ask_refund_at(now, now, by_hand=True) == now + timedelta(hours=6)
