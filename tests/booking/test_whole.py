"""A whole booking is one statement: it leaves what its parts would leave one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from booking import actions, cases, rules
from booking.events import AppointmentBooked
from booking.models import Appointment, AppointmentStatus, Schedule
from booking.refusals import AlreadyHolding
from config.database import looking
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy
from payments.actions import charge
from payments.models import Payment
from people.access import Viewer
from people.audit import record
from people.models import AuditEvent
from tests.booking.test_booking import schedule_of
from tests.product import Hospital

POLICY = Policy()


def jobs(session: Session) -> list[tuple[Any, ...]]:
    """The queue's rows, but for their own numbers, and the events that the queue keeps of them."""
    job = text(
        "select queue_name, task_name, priority, lock, queueing_lock, args, status::text, scheduled_at, attempts,"
        " (select array_agg(type::text) from procrastinate_events where job_id = procrastinate_jobs.id)"
        " from procrastinate_jobs order by id"
    )
    return [tuple(row) for row in session.execute(job)]


def notes(session: Session) -> list[tuple[Any, ...]]:
    found = session.scalars(select(AuditEvent).where(AuditEvent.action == "book").order_by(AuditEvent.id))
    return [(e.at, e.account_id, e.action, e.outcome, e.entity, e.entity_id, e.detail) for e in found]


def columns(payment: Payment) -> dict[str, Any]:
    """All but what it is known by."""
    names = Payment.__table__.columns.keys()
    return {name: getattr(payment, name) for name in names if name not in {"id", "number"}}


def test_record_fact_and_reminders_are_those_of_the_parts(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    schedule.delay_minutes = 20
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    emit(session, AppointmentBooked(appointment_id=made.id))
    mother = hospital.mother.id
    record(session, "book", at=now, entity="appointment", entity_id=made.id, account_id=mother)
    session.flush()
    for left in (jobs(session), notes(session)):
        assert len(left) == 2
        assert left[0] == left[1]
    assert made.remind_day_at == rules.day_reminder(made.starts_at, now, POLICY)
    assert made.remind_soon_at == rules.soon_reminder(made.starts_at + timedelta(minutes=20), now, POLICY)
    assert made.remind_day_at
    assert made.evidence["department"] == ""
    assert made.screen_id


@pytest.mark.parametrize("minutes", [29, 30, 31])
def test_a_reminder_whose_time_has_come_is_none(
    session: Session, hospital: Hospital, now: datetime, minutes: int
) -> None:
    schedule = schedule_of(session, hospital, now)
    late = schedule.starts_at - timedelta(minutes=minutes)
    policy = Policy(horizon_first_day=0)
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, late, policy)
    assert made.remind_day_at is None
    assert made.remind_soon_at == rules.soon_reminder(made.starts_at, late, policy)


def test_a_number_with_a_fee_is_held_and_nobody_is_told(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    schedule.fee_fen = 5000
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    assert (made.status, made.hold_until) == (AppointmentStatus.PENDING, now + timedelta(minutes=10))
    charged = charge(
        session,
        account_id=hospital.mother.id,
        purpose="appointment",
        reference_id=made.id,
        description="互联网诊疗挂号费",
        amount_fen=5000,
        expires_at=now + timedelta(minutes=10),
        now=now,
    )
    own = session.get_one(Payment, made.payment_id)
    assert own.number == own.id.hex
    assert columns(own) == columns(charged)
    assert (made.remind_day_at, made.remind_soon_at) == (None, None)
    assert not [job for job in jobs(session) if job[5]["kind"] == "AppointmentBooked"]
    assert len(notes(session)) == 1


def test_two_taps_at_once_make_one_visit(session: Session, hospital: Hospital, now: datetime) -> None:
    """Both cases were read before either was booked."""
    schedule = schedule_of(session, hospital, now)
    mother = Viewer(hospital.mother.id, "en")
    both = [cases.of(session, mother, schedule.id, hospital.child.id, now) for _ in range(2)]
    with looking() as alone:
        actions.book_case(alone, both[0], now, POLICY)
    with pytest.raises(AlreadyHolding), looking() as alone:
        actions.book_case(alone, both[1], now, POLICY)
    assert session.scalar(select(func.count()).select_from(Appointment)) == 1
    assert [note[3] for note in notes(session)] == ["done", "already-holding"]


def test_a_case_is_the_viewers_own(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule: Schedule = schedule_of(session, hospital, now)
    for viewer, child in ((hospital.stranger, hospital.child), (hospital.mother, hospital.other_child)):
        with pytest.raises(NotFound):
            cases.of(session, Viewer(viewer.id, "en"), schedule.id, child.id, now)


def test_a_job_wakes_nobody_and_is_one_row(session: Session) -> None:
    """A NOTIFY would make the commits of a rush wait for each other's flush; an event would be a second row."""
    on_insert = (
        "select count(*) from pg_trigger where tgname in ('procrastinate_jobs_notify_queue_job_inserted_v1',"
        " 'procrastinate_trigger_status_events_insert_v1')"
    )
    assert session.scalar(text(on_insert)) == 0
