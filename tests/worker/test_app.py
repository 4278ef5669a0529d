"""The queue: facts become messages, what fails is tried again, what a dead worker held is taken over."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from procrastinate import App
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

import worker.app
from booking import actions
from booking.events import AppointmentBooked
from booking.models import Appointment, Schedule
from config import redis
from config.clock import today
from config.jobs import HANDLE_FACT, emit
from config.policy import Policy
from config.settings import Settings
from notifications import results
from notifications.models import Notification, NotificationStatus
from people import staff
from people.models import Account
from tests.notifications.rows import queued
from tests.product import seed
from wechat.service import connect
from worker import jobs
from worker.app import EVERY_5_SECONDS, STALLED_TRIES, build

HOUR = 3600  # seconds


@pytest.fixture
def woken() -> list[bool]:
    """Grows each time the sender is woken."""
    return []


@pytest.fixture
def queue(
    committed: sessionmaker[Session], settings: Settings, woken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> App:
    """The queue of the test's database. What fails is not tried again, and nobody counts as dead, while a test runs,
    however slow the machine is."""
    for name in ("FACT_RETRY", "RESULT_RETRY", "TAG_RETRY"):
        monkeypatch.setattr(worker.app, name, attrs.evolve(getattr(worker.app, name), wait=HOUR))
    monkeypatch.setattr(worker.app, "STALLED_AFTER", HOUR)
    return build(settings, lambda: woken.append(True), connect(settings, redis.connect(settings.redis_url)).tags)


@pytest.fixture
def appointment_id(committed: sessionmaker[Session]) -> Any:
    """A booking, made now, for the day after tomorrow."""
    now = datetime.now(UTC)
    with committed() as session, session.begin():
        hospital = seed(session, now)
        schedule = select(Schedule.id).where(Schedule.practitioner_id == hospital.doctor.id)
        schedule_id = session.scalars(schedule.where(Schedule.day == today(now) + timedelta(days=2))).first()
        assert schedule_id is not None
        return actions.book(session, schedule_id, hospital.child, hospital.mother.id, now, Policy()).id


def work(queue: App) -> None:
    """Run what is in the queue, and return when it is empty or waiting."""
    queue.run_worker(
        wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="successful", concurrency=1
    )


def facts(sessions: sessionmaker[Session]) -> list[tuple[str, int, bool]]:
    """The facts in the queue: status, attempts, and whether they wait for a later moment."""
    with sessions() as session:
        rows = session.execute(
            text(
                "select status::text, attempts, coalesce(scheduled_at > now(), false) from procrastinate_jobs "
                "where task_name in ('facts.handle', 'notifications.delivered') order by id"
            )
        )
        return [(status, attempts, later) for status, attempts, later in rows]


def messages(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Notification.message).order_by(Notification.id)))


def test_a_fact_becomes_messages_and_wakes_the_sender(
    queue: App, woken: list[bool], committed: sessionmaker[Session], appointment_id: Any
) -> None:
    assert facts(committed) == [("todo", 0, False)]
    work(queue)
    assert messages(committed) == ["appointment-booked", "practitioner-booked"]
    assert facts(committed) == []
    woken.clear()
    queue.tasks[HANDLE_FACT].func(kind="AppointmentBooked", data={"appointment_id": str(appointment_id)})
    assert woken == [True]
    assert len(messages(committed)) == 2


def test_a_transaction_that_rolls_back_leaves_no_fact(committed: sessionmaker[Session], appointment_id: Any) -> None:
    with pytest.raises(ZeroDivisionError), committed() as session, session.begin():
        emit(session, AppointmentBooked(appointment_id))
        raise ZeroDivisionError
    assert len(facts(committed)) == 1


def test_a_fact_that_fails_is_tried_again_later_and_the_next_of_its_thing_waits(
    queue: App, committed: sessionmaker[Session], appointment_id: Any
) -> None:
    with committed() as session, session.begin():
        session.execute(text("update procrastinate_jobs set args = jsonb_set(args, '{kind}', '\"NoSuchFact\"')"))
        emit(session, AppointmentBooked(appointment_id))
    work(queue)
    assert facts(committed) == [("todo", 1, True), ("todo", 0, False)]
    assert messages(committed) == []


def test_what_a_dead_worker_held_is_taken_over(
    queue: App, committed: sessionmaker[Session], appointment_id: Any
) -> None:
    die = text(
        "with dead as (insert into procrastinate_workers (last_heartbeat) "
        "values (now() - make_interval(secs => :ago)) returning id) "
        "update procrastinate_jobs set status = 'doing', attempts = :tries, worker_id = dead.id from dead "
        "where task_name = 'facts.handle'"
    )

    def after_death(ago: float, tries: int) -> list[tuple[str, int, bool]]:
        with committed() as session, session.begin():
            session.execute(die, {"ago": ago, "tries": tries})
        asyncio.run(run_task(queue, "jobs.stalled"))
        return facts(committed)

    assert after_death(HOUR / 2, 0) == [("doing", 0, False)]
    assert after_death(HOUR + 1, 0) == [("todo", 1, False)]
    work(queue)
    assert messages(committed) == ["appointment-booked", "practitioner-booked"]


def test_a_job_that_kills_every_worker_is_given_up(
    queue: App, committed: sessionmaker[Session], appointment_id: Any
) -> None:
    with committed() as session, session.begin():
        session.execute(text("update procrastinate_jobs set status = 'doing', attempts = :n"), {"n": STALLED_TRIES})
    asyncio.run(run_task(queue, "jobs.stalled"))
    assert [status for status, *_ in facts(committed)] == ["failed"]


async def run_task(queue: App, name: str) -> None:
    async with queue.open_async():
        await queue.tasks[name].func(timestamp=0)


def test_reminders_go_out_within_ten_seconds_of_their_time(
    queue: App, committed: sessionmaker[Session], appointment_id: Any
) -> None:
    crons = {task.task.name: task.cron for task in queue.periodic_registry.periodic_tasks.values()}
    assert crons["booking.remind"] == crons["notifications.sweep"] == EVERY_5_SECONDS
    work(queue)
    jobs.remind()
    assert facts(committed) == []
    with committed() as session, session.begin():
        appointment = session.get_one(Appointment, appointment_id)
        appointment.remind_day_at = datetime.now(UTC) - timedelta(seconds=1)
    jobs.remind()
    work(queue)
    jobs.remind()
    work(queue)
    assert messages(committed)[2:] == ["appointment-reminder"]


def test_schedules_are_cut_for_the_horizon_and_the_day_after(
    committed: sessionmaker[Session], appointment_id: Any
) -> None:
    with committed() as session, session.begin():
        session.execute(text("truncate schedules cascade"))
    assert jobs.cut() == 2 * 2 * 10
    assert jobs.cut() == 0
    with committed() as session:
        last = session.scalar(select(Schedule.day).order_by(Schedule.day.desc()).limit(1))
    assert last == today(datetime.now(UTC)) + timedelta(days=Policy().horizon_last_day + 1)


def test_a_result_that_came_too_early_is_noted_at_the_next_look(
    queue: App, committed: sessionmaker[Session], appointment_id: Any
) -> None:
    now = datetime.now(UTC)
    with committed() as session, session.begin():
        session.execute(text("truncate procrastinate_jobs cascade"))
        assert not results.delivered(session, "77", "success", now)
    work(queue)
    assert facts(committed) == [("todo", 1, True)]
    with committed() as session, session.begin():
        account_id = session.get_one(Appointment, appointment_id).account_id
        row = queued(session, session.get_one(Account, account_id), now)
        session.execute(
            text("update notifications set status = 'sent', channel_id = '77' where id = :id"), {"id": row.id}
        )
        session.execute(text("update procrastinate_jobs set scheduled_at = now()"))
    work(queue)
    assert facts(committed) == []
    with committed() as session:
        assert session.get_one(Notification, row.id).status is NotificationStatus.DELIVERED


def test_a_tag_that_wechat_does_not_take_is_tried_again_later(
    queue: App, committed: sessionmaker[Session], appointment_id: Any
) -> None:
    """The test's WeChat does not answer; tags of one account wait for each other."""
    with committed() as session, session.begin():
        staff.bind(session, "D002", "o-new", datetime.now(UTC))
        staff.unbind(session, staff.by_code(session, "D002"), by=None, now=datetime.now(UTC))
    work(queue)
    tags = text(
        "select attempts, scheduled_at > now(), lock from procrastinate_jobs where task_name = :task order by id"
    )
    with committed() as session:
        (tried, waits, lock), (untried, _, same) = session.execute(tags, {"task": staff.TAG}).all()
    assert (tried, waits, untried) == (1, True, 0)
    assert lock == same
