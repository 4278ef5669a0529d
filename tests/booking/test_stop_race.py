"""A clinic is stopped while parents book and while workers die: nobody keeps a number there, everybody is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from booking import actions
from booking.models import COMING, Appointment, AppointmentStatus, Schedule, ScheduleStatus, Why
from booking.refusals import NotOpen, SoldOut
from booking.stop_models import ClinicStop, StopStatus
from config.clock import today
from config.database import transaction
from config.jobs import Fact
from config.policy import Policy
from notifications.handlers import handle
from notifications.models import Notification
from payments import queries as money
from people.access import Member
from people.models import Patient, Practitioner, Role
from tests.booking.test_booking import schedule_of
from tests.booking.test_stopping import as_head, jobs, wish
from tests.locks import until_somebody_waits
from tests.product import Hospital, patient, seed

POLICY = Policy()
PARENTS = 12


@pytest.fixture
def hospital(committed: sessionmaker[Session], now: datetime) -> Hospital:
    """The small hospital, committed for good."""
    with committed.begin() as session:
        return seed(session, now)


@pytest.fixture
def children(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> list[Patient]:
    """A child for each parent."""
    with committed.begin() as session:
        return [patient(session, f"QR-3{n:03}", "钱小", date(2022, 1, 1), now) for n in range(PARENTS)]


@pytest.fixture
def schedule(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> UUID:
    """The doctor's morning of the day after tomorrow, in the stop's span."""
    with committed() as session:
        return schedule_of(session, hospital, now).id


@pytest.fixture
def stop(committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> UUID:
    """The department's day is being stopped; its jobs wait."""
    with committed.begin() as session:
        head: Member = as_head(session, hospital.medicine, now)
        plan = actions.plan_stop(session, head, wish(hospital, now), now)
        return actions.confirm_stop(session, head, plan.id, now).id


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    """Threads beside the test's own."""
    with ThreadPoolExecutor(PARENTS + 1) as pool:
        yield pool


def test_a_booking_in_flight_is_ended_with_the_others(
    committed: sessionmaker[Session],
    beside: ThreadPoolExecutor,
    hospital: Hospital,
    schedule: UUID,
    stop: UUID,
    now: datetime,
) -> None:
    def suspend() -> bool:
        with transaction() as session:
            return actions.suspend(session, stop, schedule, now)

    with committed.begin() as session:
        booked = actions.book(session, schedule, hospital.child, hospital.mother.id, now, POLICY).id
        stopping = beside.submit(suspend)
        until_somebody_waits(committed, stopping)
    assert stopping.result()
    with committed() as session:
        assert session.get_one(Appointment, booked).cancel_reason is Why.SUSPENDED


def test_a_booking_that_comes_while_it_is_stopped_finds_it_stopped(
    committed: sessionmaker[Session],
    beside: ThreadPoolExecutor,
    hospital: Hospital,
    schedule: UUID,
    stop: UUID,
    now: datetime,
) -> None:
    def book() -> None:
        with transaction() as session:
            actions.book(session, schedule, hospital.child, hospital.mother.id, now, POLICY)

    with committed.begin() as session:
        actions.suspend(session, stop, schedule, now)
        booking = beside.submit(book)
        until_somebody_waits(committed, booking)
    with pytest.raises((SoldOut, NotOpen)):
        booking.result()


def test_parents_book_while_the_day_is_stopped(
    committed: sessionmaker[Session],
    beside: ThreadPoolExecutor,
    hospital: Hospital,
    children: list[Patient],
    schedule: UUID,
    stop: UUID,
    now: datetime,
) -> None:
    start = Barrier(PARENTS + 1)

    def book(number: int) -> bool:
        start.wait(30)
        try:
            with transaction() as session:
                actions.book(session, schedule, children[number], hospital.mother.id, now, POLICY)
        except (SoldOut, NotOpen):
            return False
        return True

    booked = [beside.submit(book, number) for number in range(PARENTS)]
    start.wait(30)
    with transaction() as session:
        actions.suspend(session, stop, schedule, now)
    count = sum(one.result() for one in booked)
    with committed() as session:
        coming = select(func.count()).where(Appointment.schedule_id == schedule, Appointment.status.in_(COMING))
        ended = select(func.count()).where(Appointment.cancel_reason == Why.SUSPENDED)
        assert (session.scalar(coming), session.scalar(ended)) == (0, count)


def test_a_stop_that_begins_while_another_is_taken_back_finds_what_that_leaves(
    committed: sessionmaker[Session],
    beside: ThreadPoolExecutor,
    hospital: Hospital,
    stop: UUID,
    now: datetime,
) -> None:
    with committed() as session:
        todo = [UUID(job["schedule_id"]) for job in jobs(session, "booking.suspend")]
    for schedule_id in todo:
        with transaction() as session:
            actions.suspend(session, stop, schedule_id, now)
    with committed.begin() as session:
        actions.finish_stop(session, stop, now)
        session.execute(text("delete from procrastinate_jobs"))
        author = session.get_one(Practitioner, session.get_one(ClinicStop, stop).author_id)
        head = Member(author, frozenset({Role.ADMINISTRATOR}), frozenset())
        second = actions.plan_stop(session, head, wish(hospital, now), now).id

    def begin() -> None:
        with transaction() as session:
            actions.confirm_stop(session, head, second, now)

    with committed.begin() as session:
        actions.lift_stop(session, head, stop, now)
        beginning = beside.submit(begin)
        until_somebody_waits(committed, beginning)
    beginning.result()
    with committed() as session:
        assert {UUID(job["schedule_id"]) for job in jobs(session, "booking.suspend")} == set(todo)


class Killed(BaseException):
    """The process is gone: nothing of its transaction remains."""


def test_killed_in_the_middle_and_run_again_everybody_is_told_once(
    committed: sessionmaker[Session], hospital: Hospital, children: list[Patient], now: datetime
) -> None:
    with committed.begin() as session:
        day = select(Schedule.id).where(Schedule.day == today(now) + timedelta(days=2))
        schedules = session.scalars(day.order_by(Schedule.id)).all()
        for number, child in enumerate(children):
            schedule = schedules[number % len(schedules)]
            actions.book(session, schedule, child, hospital.mother.id, now, POLICY)
        session.execute(text("delete from procrastinate_jobs"))
        head = as_head(session, hospital.medicine, now)
        stop = actions.plan_stop(session, head, wish(hospital, now), now).id
        actions.confirm_stop(session, head, stop, now)

    def suspend(schedule_id: UUID) -> None:
        with transaction() as session:
            actions.suspend(session, stop, schedule_id, now)
        with transaction() as session:
            actions.finish_stop(session, stop, now)

    with committed() as session:
        todo = [UUID(job["schedule_id"]) for job in jobs(session, "booking.suspend")]
    suspend(todo[0])
    killed(lambda session: actions.suspend(session, stop, todo[1], now))
    for schedule_id in (*todo, *todo):
        suspend(schedule_id)

    with committed() as session:
        facts = [Fact.from_json(job["kind"], job["data"]) for job in jobs(session, "facts.handle")]  # type: ignore[arg-type]
    for fact in facts:
        killed(lambda session, fact=fact: handle(session, fact, now))  # type: ignore[misc]
        for _ in range(2):
            with transaction() as session:
                handle(session, fact, now)

    with committed() as session:
        assert session.get_one(ClinicStop, stop).status is StopStatus.DONE
        statuses = session.scalars(select(Schedule.status).where(Schedule.id.in_(schedules)))
        assert set(statuses) == {ScheduleStatus.SUSPENDED}
        ended = set(session.scalars(select(Appointment.id).where(Appointment.status == AppointmentStatus.CANCELLED)))
        told = session.scalars(select(Notification.source_id).where(Notification.message == "clinic-stopped")).all()
        assert len(ended) == PARENTS
        assert sorted(told) == sorted(ended)
        assert money.unbalanced(session) == []


def killed(work: Callable[[Session], object]) -> None:
    """Do the work and die before its transaction commits."""
    with pytest.raises(Killed), transaction() as session:
        work(session)
        raise Killed
