"""Freeing, joining and booking at once: the list is never overtaken. Without its lock it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from booking import actions, locks
from booking.actions import freeing, waiting
from booking.models import HOLDING, Appointment, AppointmentStatus, Schedule, Slot, SlotStatus, Why
from booking.refusals import NumberFree, SoldOut
from config.database import transaction
from people.models import Patient
from tests.booking.test_oversell import rush
from tests.booking.waiting import POLICY, family, fill, line, mornings
from tests.product import Hospital, seed

EACH = 10


@pytest.fixture
def hospital(committed: sessionmaker[Session], now: datetime) -> Hospital:
    """The small hospital with ten numbers per schedule, committed for good."""
    with committed.begin() as session:
        return seed(session, now, quota=EACH)


@pytest.fixture
def children(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> list[Patient]:
    """Twenty children of the mother: ten that wait and ten that book."""
    with committed.begin() as session:
        return [family(session, hospital.mother, 900 + n, now) for n in range(2 * EACH)]


@pytest.fixture
def held(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> list[Appointment]:
    """The appointments of a full period."""
    with committed.begin() as session:
        return fill(session, mornings(session, hospital, now)[0], hospital.stranger, now)


def free_slots(session: Session, schedule: UUID) -> list[UUID]:
    found = select(Slot.id).where(Slot.schedule_id == schedule, Slot.status == SlotStatus.FREE)
    return list(session.scalars(found))


def test_thirty_at_once(
    committed: sessionmaker[Session],
    hospital: Hospital,
    children: list[Patient],
    held: list[Appointment],
    now: datetime,
) -> None:
    """Ten give their number back, ten join, ten book."""
    schedule, mother = held[0].schedule_id, hospital.mother.id

    def one(n: int) -> str:
        try:
            with transaction() as session:
                if n % 3 == 0:
                    actions.cancel(session, held[n // 3].id, hospital.stranger.id, now, POLICY, Why.WORSENED)
                    return "freed"
                if n % 3 == 1:
                    actions.join(session, schedule, children[n // 3], mother, now, POLICY)
                    return "joined"
                actions.book(session, schedule, children[EACH + n // 3], mother, now, POLICY)
                return "booked"
        except (NumberFree, SoldOut) as refusal:
            return refusal.code

    answers = rush(3 * EACH, one)
    assert answers["freed"] == EACH
    with committed() as session:
        in_line = line(session, schedule)
        taken = session.scalars(select(Appointment).where(Appointment.status.in_(HOLDING))).all()
        free = free_slots(session, schedule)
        assert not (free and in_line), "a number is free while somebody waits"
        assert len(taken) + len(free) == EACH
        assert len({appointment.slot_id for appointment in taken} | set(free)) == EACH
        assert sum(appointment.unanswered for appointment in taken) + len(in_line) == answers["joined"]
        bookings = [appointment.id for appointment in taken if not appointment.unanswered]
        assert all(booking < entry.id for booking in bookings for entry in in_line), "somebody overtook the line"


def test_lapses_at_once_ask_each_of_the_line_once(
    committed: sessionmaker[Session],
    hospital: Hospital,
    children: list[Patient],
    held: list[Appointment],
    now: datetime,
) -> None:
    """Ten offers lapse under ten sweeps: the ten next in line are asked, in order, none twice."""
    schedule = held[0].schedule_id
    with committed.begin() as session:
        for child in children:
            actions.join(session, schedule, child, hospital.mother.id, now, POLICY)
        for appointment in held:
            actions.cancel(session, appointment.id, hospital.stranger.id, now, POLICY)
    later = now + timedelta(hours=1)

    def sweep(_: int) -> str:
        more = True
        while more:
            with transaction() as session:
                more = actions.lapse_offer(session, later)
        return "swept"

    assert rush(EACH, sweep) == {"swept": EACH}
    with committed() as session:
        found = select(Appointment).where(Appointment.status == AppointmentStatus.PENDING)
        offers = session.scalars(found).all()
        assert {offer.patient_id for offer in offers} == {child.id for child in children[EACH:]}
        assert line(session, schedule) == []


def test_without_the_lock_a_number_is_free_while_somebody_waits(
    committed: sessionmaker[Session],
    hospital: Hospital,
    children: list[Patient],
    held: list[Appointment],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative twin: one finds nobody in line, the other nothing free, and only then does each write."""
    both_looked = Barrier(2)

    def then_waits(look: Callable[..., bool]) -> Callable[..., bool]:
        @wraps(look)
        def looking(*arguments: Any) -> bool:
            found = look(*arguments)
            both_looked.wait(30)
            return found

        return looking

    def without_lock(session: Session, ids: Iterable[UUID]) -> list[Schedule]:
        return [session.get_one(Schedule, schedule_id) for schedule_id in ids]

    monkeypatch.setattr(locks, "lock_schedules", without_lock)
    monkeypatch.setattr(waiting, "lock_schedules", without_lock)
    monkeypatch.setattr(freeing, "_offer", then_waits(freeing._offer))
    monkeypatch.setattr(waiting, "_is_free", then_waits(waiting._is_free))
    schedule = held[0].schedule_id

    def one(n: int) -> str:
        with transaction() as session:
            if n:
                actions.cancel(session, held[0].id, hospital.stranger.id, now, POLICY)
            else:
                actions.join(session, schedule, children[0], hospital.mother.id, now, POLICY)
        return "done"

    assert rush(2, one) == {"done": 2}
    with committed() as session:
        assert free_slots(session, schedule)
        assert line(session, schedule)
