"""The memory of what is sold out: never older than its time, never said to a child who has a number."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import actions
from booking.gone import Gone
from booking.models import Slot, SlotStatus
from booking.queries import all_taken
from config.errors import Refused
from config.policy import Policy
from tests.booking.test_booking import schedule_of
from tests.product import Hospital

A, B, CHILD, OTHER = (UUID(int=n) for n in range(1, 5))
NOBODY: frozenset[UUID] = frozenset()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["learn", "free", "take", "forget"]),
        st.sampled_from([A, B]),
        st.floats(0, 0.7, allow_nan=False),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_freed_number_is_hidden_for_a_second_at_most_and_never_from_a_child_with_one(
    steps: list[tuple[str, UUID, float]],
) -> None:
    clock = Clock()
    gone = Gone(1.0, clock)
    sold_out_until = {A: clock.time, B: clock.time}  # when the period last truly had no number
    truth = {A: True, B: True}
    for step, period, pause in steps:
        clock.time += pause
        if step == "learn":
            gone.learn(period, lambda period=period: frozenset({CHILD}) if truth[period] else None)  # type: ignore[misc]
        elif step == "take":
            truth[period] = True
        elif step == "free" and truth[period]:
            truth[period], sold_out_until[period] = False, clock.time
        elif step == "forget":
            gone.forget(period)
            assert not gone.says(period, OTHER)
        for asked in (A, B):
            assert not gone.says(asked, CHILD)
            if gone.says(asked, OTHER) and not truth[asked]:
                assert clock.time - sold_out_until[asked] < 1.0


def test_it_is_looked_up_again_by_one_while_the_others_are_answered() -> None:
    clock = Clock()
    gone = Gone(1.0, clock)
    gone.learn(A, lambda: NOBODY)
    clock.time += 0.6
    assert [gone.says(A, OTHER) for _ in range(3)] == [False, True, True]
    gone.learn(A, lambda: NOBODY)
    clock.time += 0.4
    assert gone.says(A, OTHER)
    clock.time += 0.7
    assert not gone.says(A, OTHER)


def test_what_is_looked_up(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    first = session.query(Slot.id).filter_by(schedule_id=schedule.id, number=1).scalar_subquery()
    session.execute(
        update(Slot).where(Slot.schedule_id == schedule.id, Slot.id != first).values(status=SlotStatus.BUSY)
    )
    session.commit()
    assert all_taken(session, schedule.id) is None, "one is free"
    held = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    session.commit()
    assert all_taken(session, schedule.id) == frozenset({hospital.child.id})
    actions.cancel(session, held.id, hospital.mother.id, now, Policy())
    session.commit()
    assert all_taken(session, schedule.id) is None


def test_a_child_that_holds_the_number_is_not_told_sold_out(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    """The last number's own second tap."""
    schedule = schedule_of(session, hospital, now)
    actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
    session.commit()
    for child, code in ((hospital.child, "already-holding"), (hospital.sibling, "sold-out")):
        with pytest.raises(Refused) as refusal:
            actions.book(session, schedule.id, child, hospital.mother.id, now, Policy())
        assert refusal.value.code == code
