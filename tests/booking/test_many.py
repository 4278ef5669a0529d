"""Several whole bookings by one statement: each as if it had been made by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import numbers
from booking.models import Appointment, AppointmentStatus, Pool, Schedule, ScheduleStatus, Slot, SlotStatus
from booking.numbers import Wanted
from payments.models import Payment
from people.models import AuditEvent, Patient
from tests.booking.test_booking import facts, schedule_of
from tests.booking.test_pools import keep
from tests.product import Hospital, patient

CHILDREN, BILL = 6, "Internet clinic"


@pytest.fixture
def children(session: Session, hospital: Hospital, now: datetime) -> list[Patient]:
    return [patient(session, f"QR-3{n:03}", "钱小", date(2022, 1, 1), now) for n in range(CHILDREN)]


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    return schedule_of(session, hospital, now)


def wish(
    hospital: Hospital, now: datetime, schedule: Schedule, child: Patient | UUID, pool: Pool = Pool.OPEN
) -> Wanted:
    child_id = child if isinstance(child, UUID) else child.id
    later, minutes = now + timedelta(minutes=10), timedelta(minutes=30)
    kept = {"department": "internal-medicine"}
    return Wanted(schedule.id, child_id, hospital.mother.id, now, later, pool, kept, None, None, minutes, BILL)  # type: ignore[arg-type]


def left(session: Session, schedule: Schedule, free: int) -> None:
    """So many free numbers, from 1 on."""
    some = update(Slot).where(Slot.schedule_id == schedule.id)
    session.execute(some.where(Slot.number > free).values(status=SlotStatus.BUSY))


def got(session: Session, made: Sequence[numbers.Taken | None]) -> list[int | None]:
    """Which number each has."""
    return [one and session.get_one(Appointment, one.id).number for one in made]


def test_who_comes_first_is_served_first_and_the_last_get_nothing(
    session: Session, hospital: Hospital, children: list[Patient], schedule: Schedule, now: datetime
) -> None:
    left(session, schedule, 4)
    order = [children[n] for n in (3, 0, 5, 1, 2, 4)]
    made = numbers.book(session, [wish(hospital, now, schedule, child) for child in order])
    assert got(session, made) == [1, 2, 3, 4, None, None]
    for child, one in zip(order, made, strict=True):
        if one:
            found = session.get_one(Appointment, one.id)
            assert (found.patient_id, found.status) == (child.id, AppointmentStatus.BOOKED)
            assert session.get_one(Slot, found.slot_id).status is SlotStatus.BUSY
    ids = {one.id for one in made if one}
    assert {note.entity_id for note in session.scalars(select(AuditEvent).where(AuditEvent.action == "book"))} == ids
    assert facts(session).count("AppointmentBooked") == 4


def test_several_schedules_and_pools_each_with_its_own_numbers(
    session: Session, hospital: Hospital, children: list[Patient], schedule: Schedule, now: datetime
) -> None:
    other, stopped = (schedule_of(session, hospital, now, ahead=days) for days in (3, 4))
    keep(session, schedule, Pool.LATER, 1, 2)
    other.fee_fen, stopped.status = 5000, ScheduleStatus.SUSPENDED
    session.flush()
    wishes = [
        wish(hospital, now, schedule, children[0]),
        wish(hospital, now, other, children[0]),
        wish(hospital, now, schedule, children[1], Pool.LATER),
        wish(hospital, now, stopped, children[1]),
        wish(hospital, now, schedule, children[2], Pool.LATER),
        wish(hospital, now, schedule, children[3], Pool.LATER),
        wish(hospital, now, schedule, children[4]),
    ]
    made = numbers.book(session, wishes)
    assert got(session, made) == [3, 1, 1, None, 2, None, 4]
    assert made[1]
    assert made[1].held
    held = session.get_one(Appointment, made[1].id)
    assert (held.status, held.hold_until) == (AppointmentStatus.PENDING, now + timedelta(minutes=10))
    assert session.get_one(Slot, held.slot_id).status is SlotStatus.BUSY_TENTATIVE
    assert facts(session).count("AppointmentBooked") == 4, "a number that is held is nobody's news"
    payment = session.scalars(select(Payment)).one()
    assert (payment.id, payment.reference_id, payment.amount_fen) == (held.payment_id, held.id, 5000)


def test_who_has_one_already_keeps_no_number_from_another(
    session: Session, hospital: Hospital, children: list[Patient], schedule: Schedule, now: datetime
) -> None:
    one, other = children[:2]
    assert numbers.book(session, [wish(hospital, now, schedule, one)])[0]
    left(session, schedule, 2)
    made = numbers.book(session, [wish(hospital, now, schedule, child) for child in (one, one, other)])
    assert got(session, made) == [None, None, 2]


def test_two_taps_in_one_go_are_one_booking(
    session: Session, hospital: Hospital, children: list[Patient], schedule: Schedule, now: datetime
) -> None:
    made = numbers.book(session, [wish(hospital, now, schedule, children[0])] * 2)
    assert [bool(one) for one in made] in ([True, False], [False, True])


def test_an_error_of_one_is_no_silence(
    session: Session, hospital: Hospital, children: list[Patient], schedule: Schedule, now: datetime
) -> None:
    """Only "has one already" is passed over."""
    with pytest.raises(Exception, match="fk_appointments_patient_id"):
        numbers.book(session, [wish(hospital, now, schedule, child) for child in (children[0], UUID(int=9))])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    wishes=st.lists(st.tuples(st.integers(0, CHILDREN - 1), st.integers(0, 2)), max_size=16),
    free=st.lists(st.integers(0, 3), min_size=3, max_size=3),
)
def test_nobody_has_two_and_nobody_is_refused_a_free_number(
    session: Session,
    hospital: Hospital,
    children: list[Patient],
    now: datetime,
    wishes: list[tuple[int, int]],
    free: list[int],
) -> None:
    """Two doctors of one day, and another day."""
    days = [schedule_of(session, hospital, now, ahead=days) for days in (2, 2, 3)]
    colleagues = select(Schedule).where(Schedule.practitioner_id == hospital.colleague.id)
    days[1] = session.scalars(colleagues.where(Schedule.day == days[0].day)).all()[0]
    savepoint = session.begin_nested()
    try:
        for schedule, count in zip(days, free, strict=True):
            left(session, schedule, count)
        asked = [wish(hospital, now, days[where], children[child]) for child, where in wishes]
        made = numbers.book(session, asked)
        got_one = [(where, w.patient_id) for (_, where), w, one in zip(wishes, asked, made, strict=True) if one]
        held = [(days[where].day, child) for where, child in got_one]
        assert len(set(held)) == len(held)
        for (_, where), w, one in zip(wishes, asked, made, strict=True):
            all_gone = [at for at, _ in got_one].count(where) == free[where]
            assert one or all_gone or (days[where].day, w.patient_id) in held
    finally:
        savepoint.rollback()
