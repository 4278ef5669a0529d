"""The rush: many parents, one number. With the guard exactly one is booked; without it, more are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from booking import actions, numbers
from booking.locks import lock_schedule
from booking.models import Appointment, AppointmentStatus, Period, Pool, Schedule, Slot, SlotStatus
from booking.numbers import Wanted
from booking.refusals import AlreadyHolding, SoldOut
from config.clock import today
from config.database import looking, transaction
from config.ids import new_id
from config.policy import Policy
from config.together import Together
from people.models import Patient
from tests.locks import until_somebody_waits
from tests.product import Hospital, patient, seed

PARENTS, NUMBERS = 60, 25
POLICY = Policy()
Take = Callable[[Session, Patient], Appointment | None]


@pytest.fixture
def hospital(committed: sessionmaker[Session], now: datetime) -> Hospital:
    """The small hospital, with one number per schedule, committed for good."""
    with committed.begin() as session:
        return seed(session, now, quota=1)


@pytest.fixture
def children(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> list[Patient]:
    """A child for each parent in the rush."""
    with committed.begin() as session:
        return [patient(session, f"QR-2{n:03}", "钱小", date(2022, 1, 1), now) for n in range(PARENTS)]


@pytest.fixture
def schedule(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> UUID:
    """The schedule with the last number."""
    with committed() as session:
        return session.scalars(
            select(Schedule.id).where(
                Schedule.practitioner_id == hospital.doctor.id,
                Schedule.day == today(now) + timedelta(days=2),
                Schedule.period == Period.MORNING,
            )
        ).one()


def rush(count: int, one: Callable[[int], str]) -> Counter[str]:
    """Let ``count`` threads go at once; returns how often each answer came."""
    start = Barrier(count)

    def run(number: int) -> str:
        start.wait(30)
        return one(number)

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(run, range(count)))


def whole(schedule: UUID, child_id: UUID, hospital: Hospital, now: datetime) -> Wanted:
    """A whole booking by the mother, without answers on how the child is."""
    rest: Any = now, now, Pool.OPEN, {}, None, None, timedelta(minutes=30), ""
    return Wanted(schedule, child_id, hospital.mother.id, *rest)


def holders(committed: sessionmaker[Session], schedule: UUID) -> int:
    with committed() as session:
        found = select(func.count()).where(
            Appointment.schedule_id == schedule, Appointment.status == AppointmentStatus.BOOKED
        )
        return session.scalar(found) or 0


def test_sixty_parents_one_number(
    committed: sessionmaker[Session], hospital: Hospital, children: list[Patient], schedule: UUID, now: datetime
) -> None:
    def book(number: int) -> str:
        try:
            with transaction() as session:
                actions.book(session, schedule, children[number], hospital.mother.id, now, POLICY)
        except SoldOut:
            return "sold out"
        return "booked"

    assert rush(PARENTS, book) == {"booked": 1, "sold out": PARENTS - 1}
    assert holders(committed, schedule) == 1


def test_without_the_guard_it_oversells(
    committed: sessionmaker[Session], hospital: Hospital, children: list[Patient], schedule: UUID, now: datetime
) -> None:
    """The negative twin: read, then write, without lock and without the unique index."""
    with committed.begin() as session:
        session.execute(text("drop index uq_appointments_slot"))
    everyone_read = Barrier(PARENTS)

    def book(number: int) -> str:
        with transaction() as session:
            slot = session.scalars(select(Slot).where(Slot.schedule_id == schedule, Slot.status == "free")).one()
            everyone_read.wait(30)
            session.execute(update(Slot).where(Slot.id == slot.id).values(status=SlotStatus.BUSY))
            session.add(careless(slot, children[number], hospital, now))
        return "booked"

    try:
        rush(PARENTS, book)
        assert holders(committed, schedule) == PARENTS
    finally:
        with committed.begin() as session:
            session.execute(text("truncate appointments cascade"))
            index = next(i for i in Appointment.__table__.indexes if i.name == "uq_appointments_slot")  # type: ignore[attr-defined]
            index.create(session.connection())


def careless(slot: Slot, child: Patient, hospital: Hospital, now: datetime) -> Appointment:
    return Appointment(
        id=new_id(),
        slot_id=slot.id,
        schedule_id=slot.schedule_id,
        department_id=hospital.medicine.id,
        patient_id=child.id,
        account_id=hospital.mother.id,
        day=today(slot.starts_at),
        number=slot.number,
        starts_at=slot.starts_at,
        fee_fen=0,
        status=AppointmentStatus.BOOKED,
        booked_at=now,
    )


def test_one_child_thirty_taps(
    committed: sessionmaker[Session], hospital: Hospital, schedule: UUID, now: datetime
) -> None:
    """Thirty taps for the same child over both doctors' periods: one number, and none is lost on the way."""
    with committed() as session:
        day = select(Schedule.id).where(
            Schedule.day == today(now) + timedelta(days=2), Schedule.department_id == hospital.medicine.id
        )
        schedules = session.scalars(day).all()

    def book(number: int) -> str:
        try:
            with transaction() as session:
                chosen = schedules[number % len(schedules)]
                actions.book(session, chosen, hospital.child, hospital.mother.id, now, POLICY)
        except (AlreadyHolding, SoldOut) as refusal:
            return refusal.code
        return "booked"

    answers = rush(30, book)
    assert answers["booked"] == 1
    with committed() as session:
        taken = session.scalar(select(func.count()).where(Slot.status != SlotStatus.FREE))
    assert taken == 1


def test_what_two_processes_book_together(
    committed: sessionmaker[Session], hospital: Hospital, children: list[Patient], schedule: UUID, now: datetime
) -> None:
    """Each of them for all who come meanwhile, as menus/lane.py does; everybody taps once in each, in another order."""
    with committed.begin() as session:
        first = session.scalars(select(Slot).where(Slot.schedule_id == schedule)).one()
        more = range(2, NUMBERS + 1)
        session.add_all(Slot(schedule_id=schedule, number=number, starts_at=first.starts_at) for number in more)
    sizes: list[int] = []

    def see_to(wishes: Sequence[UUID]) -> list[bool]:
        sizes.append(len(wishes))
        wanted = [whole(schedule, child, hospital, now) for child in wishes]
        with looking() as alone:
            return [bool(taken) for taken in numbers.book(alone, wanted)]

    processes = [Together(see_to), Together(see_to)]

    def book(number: int) -> str:
        process, child = divmod(number, PARENTS)
        wanted = children[child if process else PARENTS - 1 - child].id
        return "booked" if processes[process].ask(wanted) else "none"

    assert rush(2 * PARENTS, book)["booked"] == NUMBERS == holders(committed, schedule)
    assert max(sizes) > 1
    with committed() as session:
        assert session.scalar(select(func.count(Appointment.patient_id.distinct()))) == NUMBERS
        assert session.scalar(select(func.count()).where(Slot.status == SlotStatus.BUSY)) == NUMBERS


@pytest.fixture(params=["one", "many"])
def take(request: pytest.FixtureRequest, hospital: Hospital, schedule: UUID, now: datetime) -> Take:
    """Takes a number for a child, by the statement for one or by that for many."""

    def one(session: Session, child: Patient) -> Appointment | None:
        made = numbers.take(session, schedule, child.id, hospital.mother.id, now, now)
        return session.get_one(Appointment, made.id) if made else None

    def many(session: Session, child: Patient) -> Appointment | None:
        (made,) = numbers.book(session, [whole(schedule, child.id, hospital, now)])
        return session.get_one(Appointment, made.id) if made else None

    return one if request.param == "one" else many


def test_nobody_waits_for_a_number_that_somebody_else_is_taking(
    committed: sessionmaker[Session], children: list[Patient], schedule: UUID, take: Take
) -> None:
    """The first has not committed yet; the second gets the next number, the third finds none, and neither waits."""
    with committed.begin() as session:
        first = session.scalars(select(Slot).where(Slot.schedule_id == schedule)).one()
        session.add(Slot(schedule_id=schedule, number=2, starts_at=first.starts_at))

    def at_once(session: Session, child: Patient) -> int | None:
        session.execute(text("set local lock_timeout = '1s'"))
        made = take(session, child)
        return made.number if made else None

    with committed() as one, committed() as two, committed() as three:
        served = [at_once(session, child) for session, child in zip((one, two, three), children, strict=False)]
    assert served == [1, 2, None]


def test_who_waited_for_the_schedule_gets_its_number_as_it_is_now(
    committed: sessionmaker[Session], children: list[Patient], schedule: UUID, take: Take
) -> None:
    """The roster is cut anew meanwhile (booking/rosters/cutting.py): another time, and a fee from now on."""

    def book() -> Appointment | None:
        with transaction() as session:
            return take(session, children[0])

    with ThreadPoolExecutor(1) as beside:
        with committed.begin() as session:
            lock_schedule(session, schedule, alone=True).fee_fen = 5000
            slot = session.scalars(select(Slot).where(Slot.schedule_id == schedule)).one()
            slot.starts_at += timedelta(minutes=7)
            booking = beside.submit(book)
            until_somebody_waits(committed, booking)
        made = booking.result()
    assert made is not None
    assert (made.starts_at, made.fee_fen, made.status) == (slot.starts_at, 5000, AppointmentStatus.PENDING)


def test_the_same_children_in_another_order_never_wait_in_a_circle(
    committed: sessionmaker[Session], hospital: Hospital, children: list[Patient], schedule: UUID, now: datetime
) -> None:
    """Two processes at a time, whose statements want ten numbers for the same ten children each."""
    with committed.begin() as session:
        first = session.scalars(select(Slot).where(Slot.schedule_id == schedule)).one()
        session.add_all(Slot(schedule_id=schedule, number=n, starts_at=first.starts_at) for n in range(2, 21))
    ten = [whole(schedule, child.id, hospital, now) for child in children[:10]]

    def book(process: int) -> str:
        with looking() as alone:
            made = numbers.book(alone, ten if process else ten[::-1])
        return str(sum(1 for one in made if one))

    for _ in range(30):
        served = rush(2, book)
        assert sum(int(count) * times for count, times in served.items()) == 10
        with committed.begin() as session:
            session.execute(text("truncate appointments cascade"))
            session.execute(update(Slot).values(status=SlotStatus.FREE))
