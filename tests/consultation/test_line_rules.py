"""The line's own arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.policy import Policy
from consultation.encounters.models import Ending
from consultation.line.rules import behind, estimate, pace, phone, refunded, weak

NOW = datetime(2026, 11, 27, 1, 2, tzinfo=UTC)
SLOT = timedelta(minutes=20)


def minutes(*values: float) -> list[timedelta]:
    return [timedelta(minutes=value) for value in values]


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("13800001234", "13800001234"),
        ("138 0000 1234", "13800001234"),
        ("+8613800001234", "13800001234"),
        ("１３８００００１２３４", "13800001234"),
        ("010-59616161", "010-59616161"),
        ("0755 2345678-12", "07552345678-12"),
        ("+86-10-59616161", "010-59616161"),
        ("12800001234", None),
        ("1380000123", None),
        ("59616161", None),
        ("call me", None),
        ("", None),
    ],
)
def test_a_phone_is_one_that_rings(typed: str, dialled: str | None) -> None:
    assert phone(typed) == dialled


def test_the_pace_is_the_doctors_own_then_the_departments_then_the_rosters() -> None:
    assert pace(minutes(5, 9, 30), minutes(2, 2), SLOT) == timedelta(minutes=9)
    assert pace(minutes(5), minutes(10, 12), SLOT) == timedelta(minutes=11), "one visit says nothing"
    assert pace([], minutes(10), SLOT) == SLOT
    assert pace(minutes(0.1, 0.1), [], SLOT) == timedelta(minutes=2), "no visit takes six seconds"
    assert pace(minutes(300, 300), [], SLOT) == timedelta(hours=1), "somebody forgot to finish"


def test_an_estimate_counts_those_before_the_one_in_the_room_and_the_doctors_beginning() -> None:
    ten = timedelta(minutes=10)
    assert estimate(NOW, 0, ten, None, NOW) == NOW + timedelta(minutes=3), "rounded up to five minutes"
    assert estimate(NOW, 2, ten, None, NOW) == NOW + timedelta(minutes=23)
    assert estimate(NOW, 1, ten, NOW - timedelta(minutes=6), NOW) == NOW + timedelta(minutes=18)
    long = estimate(NOW, 0, ten, NOW - timedelta(minutes=60), NOW)
    assert long == NOW + timedelta(minutes=3), "a visit that takes long is not over in the past"
    late = NOW + timedelta(minutes=58)
    assert estimate(NOW, 1, ten, None, late) == late + ten


def test_a_missed_child_comes_behind_three_others() -> None:
    assert behind([10, 20, 30, 40], 5, 3) == (35, 0)
    assert behind([10, 20, 30, 31], 5, 3) == (530, 1000), "no room: the others move on"
    assert behind([10, 20], 5, 3) == (1020, 0), "behind all when there are fewer"
    assert behind([], 5, 3) == (5, 0)


def test_which_endings_give_the_fee_back_is_policy() -> None:
    assert refunded(Ending.NOT_FOLLOWUP, Policy())
    assert not refunded(Ending.ANSWERED, Policy())
    assert not refunded(Ending.IDENTITY, Policy(refund_endings="technical"))


@pytest.mark.parametrize("pin", ["123456", "987654", "111111", "12345", "12345x", ""])
def test_a_pin_that_anybody_would_guess_is_none(pin: str) -> None:
    assert weak(pin)
    assert not weak("280519")
