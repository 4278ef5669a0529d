"""The worker sees to waiting lists: lapsed offers go to the next, closed lists are told."""

from datetime import UTC, datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from booking import actions
from booking.models import Appointment, AppointmentStatus, Why
from booking.waiting_models import WaitingEntry, WaitingStatus
from config import redis
from config.settings import Settings
from tests.booking.waiting import POLICY, family, fill, mornings
from tests.product import seed
from wechat.service import connect
from worker import jobs
from worker.app import EVERY_5_SECONDS, build


def test_one_sweep_asks_the_next_and_closes_what_is_over(committed: sessionmaker[Session], settings: Settings) -> None:
    now = datetime.now(UTC)
    with committed.begin() as session:
        hospital = seed(session, now, quota=1)
        full, other = (mornings(session, hospital, now, ahead=ahead)[0] for ahead in (2, 3))
        for schedule in (full, other):
            (held,) = fill(session, schedule, hospital.stranger, now)
            for n in range(3):
                child = family(session, hospital.mother, 800 + n + schedule.day.day * 10, now)
                actions.join(session, schedule.id, child, hospital.mother.id, now, POLICY)
        held = session.scalars(select(Appointment).where(Appointment.schedule_id == full.id)).one()
        actions.cancel(session, held.id, held.account_id, now, POLICY)
        pending = Appointment.status == AppointmentStatus.PENDING
        session.execute(update(Appointment).where(pending).values(hold_until=now))
        session.execute(update(WaitingEntry).where(WaitingEntry.schedule_id == other.id).values(closes_at=now))
    jobs.see_to_waiting()
    jobs.see_to_waiting()
    with committed() as session:
        entries = select(WaitingEntry.status).order_by(WaitingEntry.id)
        statuses = [
            session.scalars(entries.where(WaitingEntry.schedule_id == schedule.id)).all() for schedule in (full, other)
        ]
        lapsed = session.scalars(select(Appointment.cancel_reason).where(Appointment.cancel_reason == Why.LAPSED)).all()
        kinds = session.scalars(text("select args->>'kind' from procrastinate_jobs")).all()
    assert statuses == [
        [WaitingStatus.LAPSED, WaitingStatus.OFFERED, WaitingStatus.WAITING],
        [WaitingStatus.CLOSED] * 3,
    ]
    assert lapsed == [Why.LAPSED]
    assert (kinds.count("NumberOffered"), kinds.count("WaitingClosed")) == (2, 3)
    queue = build(settings, lambda: None, connect(settings, redis.connect(settings.redis_url)).tags)
    crons = {task.task.name: task.cron for task in queue.periodic_registry.periodic_tasks.values()}
    assert crons["booking.waiting"] == EVERY_5_SECONDS
