"""Who would wait for each other in a circle, did they not keep the one order of locks (docs/booking.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from booking.actions import freeing
from booking.models import Appointment, Slot, SlotStatus, Why
from config.database import transaction
from tests.booking.order import watched
from tests.booking.test_oversell import rush
from tests.booking.world import World, build
from tests.product import seed

FREE = ((0, 0, 0), (0, 0, 0))


@pytest.fixture
def world(committed: sessionmaker[Session], now: datetime) -> World:
    """One number of each doctor and day, free of charge."""
    with committed.begin() as session:
        return build(session, seed(session, now), now, fees=FREE)


def test_each_gives_back_what_the_other_child_is_next_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have ended their own number when they come to offer it: whoever can't have the other's child at once leaves
    that to the sweep."""
    crossed, both_ended = world.cross(), Barrier(2)

    def then(offer: Callable[..., Any]) -> Callable[..., Any]:
        def offering(*arguments: Any) -> Any:
            both_ended.wait(30)
            return offer(*arguments)

        return offering

    def give_back(n: int) -> str:
        return type(world.cancel(crossed[n], Why.PARENT, closes=False)).__name__

    with monkeypatch.context() as patched, watched() as out_of_order:
        patched.setattr(freeing, "_offer", then(freeing._offer))
        assert rush(2, give_back) == {"NoneType": 2}
    assert out_of_order == []
    world.sweep()
    with transaction() as session:
        offered = select(Appointment.schedule_id, Appointment.patient_id).where(Appointment.hold_until.is_not(None))
        found = {schedule: child for schedule, child in session.execute(offered)}
        busy = session.scalars(select(Slot.schedule_id).where(Slot.status == SlotStatus.FREE)).all()
    one, other, *_ = world.guardians
    assert found == {world.schedules[0]: other, world.schedules[1]: one}
    assert not set(busy) & set(world.schedules[:2])
