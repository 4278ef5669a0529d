"""The booking statement on one hot doctor, against a counter that every booking must update."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from bench.rounds import Way, compare
from booking import numbers
from booking.models import Period, Schedule
from config import clock
from config.database import transaction
from tests.product import patient, seed

CLIENTS = 32
CALLS = 1000


def run(engine: Engine) -> None:
    """Seed a doctor with plenty of numbers and compare the two ways."""
    now = clock.now()
    sessions = sessionmaker(engine, expire_on_commit=False)
    with sessions.begin() as session:
        hospital = seed(session, now, quota=200)
        session.execute(text("create table counters (schedule_id uuid primary key, free int not null)"))
        children = [patient(session, f"B{n}", "孙小", date(2021, 1, 1), now).id for n in range(CALLS)]
        schedule = _hot(session, hospital.doctor.id)
        _widen(session, schedule, CALLS)
        session.execute(text("insert into counters values (:s, :n)"), {"s": schedule, "n": CALLS})

    def ready() -> None:
        with sessions.begin() as session:
            session.execute(text("delete from appointments"))
            session.execute(text("update slots set status = 'free' where status <> 'free'"))
            session.execute(text("update counters set free = :n"), {"n": CALLS})

    def statement(number: int) -> None:
        with transaction() as session:
            numbers.take(session, schedule, children[number], hospital.mother.id, now)

    def counter(number: int) -> None:
        with transaction() as session:
            _by_counter(session, schedule, children[number], hospital.mother.id)

    compare(
        "Booking on one hot doctor",
        Way("one statement, one row per number", statement, ready),
        Way("conditional UPDATE of a counter, four trips", counter, ready),
        clients=CLIENTS,
        calls=CALLS,
    )


def _hot(session: Session, doctor: UUID) -> UUID:
    found = select(Schedule.id).where(Schedule.practitioner_id == doctor, Schedule.period == Period.MORNING)
    return session.scalars(found.where(Schedule.day == clock.today(clock.now()) + timedelta(days=2))).one()


def _widen(session: Session, schedule: UUID, numbers_wanted: int) -> None:
    """Give the schedule as many numbers as there are calls."""
    session.execute(
        text("""
            insert into slots (id, schedule_id, number, starts_at, status)
            select gen_random_uuid(), :schedule, n, now(), 'free' from generate_series(201, :last) n
        """),
        {"schedule": schedule, "last": numbers_wanted},
    )


def _by_counter(session: Session, schedule: UUID, child: UUID, account: UUID) -> None:
    """What many booking systems do: is the child free, take one off the counter, find a number, write the visit."""
    held = {"patient": child, "schedule": schedule}
    session.execute(
        text("select 1 from appointments where patient_id = :patient and schedule_id = :schedule"), held
    ).all()
    left = session.execute(
        text("update counters set free = free - 1 where schedule_id = :s and free > 0 returning free"), {"s": schedule}
    ).scalar_one()
    slot = session.execute(
        text("""
            update slots set status = 'busy' where schedule_id = :s and number = :n
            returning id, number, starts_at
        """),
        {"s": schedule, "n": CALLS - left},
    ).one()
    session.execute(
        text("""
            insert into appointments (id, slot_id, schedule_id, department_id, patient_id, account_id, day, number,
                                      starts_at, status, booked_at)
            select gen_random_uuid(), :slot, id, department_id, :patient, :account, day, :number,
                   :starts_at, 'booked', now() from schedules where id = :schedule
        """),
        {
            "slot": slot.id,
            "number": slot.number,
            "starts_at": slot.starts_at,
            "patient": child,
            "account": account,
            "schedule": schedule,
        },
    )
