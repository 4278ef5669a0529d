"""Booking and cancelling: who gets which number, and what refuses it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking import actions, queries
from booking.models import Appointment, AppointmentStatus, Period, Schedule, ScheduleStatus, Slot, SlotStatus
from booking.refusals import AlreadyHolding, NotCancellable, NotOpen, SoldOut, TooLateToCancel
from booking.rosters import cut_schedules
from config.clock import at, today
from config.errors import NotFound
from config.policy import Policy
from config.states import StatusChange
from people.access import Viewer
from tests.product import Hospital, patient

POLICY = Policy()


def schedule_of(
    session: Session, hospital: Hospital, now: datetime, ahead: int = 2, period: str = "morning"
) -> Schedule:
    return session.scalars(
        select(Schedule).where(
            Schedule.practitioner_id == hospital.doctor.id,
            Schedule.day == today(now) + timedelta(days=ahead),
            Schedule.period == Period(period),
        )
    ).one()


def test_the_lowest_free_number_is_booked_with_its_time(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    first = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    second = actions.book(session, schedule.id, hospital.sibling, hospital.mother.id, now, POLICY)
    assert (first.number, first.starts_at) == (1, at(schedule.day, time(8)))
    assert (second.number, second.starts_at) == (2, at(schedule.day, time(8, 20)))
    assert first.status is AppointmentStatus.BOOKED
    assert first.remind_day_at == at(schedule.day - timedelta(days=1), time(18))
    assert first.remind_soon_at == first.starts_at - timedelta(minutes=30)


def test_a_freed_number_is_the_next_one(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    first = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    actions.book(session, schedule.id, hospital.sibling, hospital.mother.id, now, POLICY)
    actions.cancel(session, first.id, hospital.mother.id, now, POLICY)
    again = actions.book(session, schedule.id, hospital.other_child, hospital.stranger.id, now, POLICY)
    assert again.number == 1


def test_one_number_per_child_department_and_day(session: Session, hospital: Hospital, now: datetime) -> None:
    morning = schedule_of(session, hospital, now)
    afternoon = schedule_of(session, hospital, now, period="afternoon")
    first = actions.book(session, morning.id, hospital.child, hospital.mother.id, now, POLICY)
    with pytest.raises(AlreadyHolding):
        actions.book(session, afternoon.id, hospital.child, hospital.mother.id, now, POLICY)
    free = session.scalar(select(func.count()).where(Slot.schedule_id == afternoon.id, Slot.status == SlotStatus.FREE))
    assert free == 12, "the refused booking must give its number back"
    actions.cancel(session, first.id, hospital.mother.id, now, POLICY)
    assert actions.book(session, afternoon.id, hospital.child, hospital.mother.id, now, POLICY).number == 1


def test_sold_out(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    for n in range(12):
        child = patient(session, f"QR-1{n:03}", "赵小", hospital.child.birth_date, now)
        actions.book(session, schedule.id, child, hospital.mother.id, now, POLICY)
    with pytest.raises(SoldOut) as refusal:
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    assert refusal.value.afterwards is not None, "a refusal is audited"


@pytest.mark.parametrize(
    ("ahead", "hour", "opens"), [(0, 10, False), (1, 10, True), (8, 10, True), (8, 6, False), (9, 10, False)]
)
def test_the_horizon(session: Session, hospital: Hospital, now: datetime, ahead: int, hour: int, opens: bool) -> None:
    schedule = schedule_of(session, hospital, now, ahead)
    moment = at(today(now), time(hour, 59))
    if opens:
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, moment, POLICY)
    else:
        with pytest.raises(NotOpen):
            actions.book(session, schedule.id, hospital.child, hospital.mother.id, moment, POLICY)


def test_a_stopped_clinic_takes_nothing(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    session.execute(text("update schedules set status = 'suspended'"))
    session.expire_all()
    with pytest.raises(NotOpen):
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    assert schedule.status is ScheduleStatus.SUSPENDED


def test_an_unknown_schedule(session: Session, hospital: Hospital, now: datetime) -> None:
    with pytest.raises(NotFound):
        actions.book(session, uuid4(), hospital.child, hospital.mother.id, now, POLICY)


def test_cancel_until_the_deadline_and_not_after(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    appointment = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    deadline = appointment.starts_at - timedelta(hours=12)
    with pytest.raises(TooLateToCancel):
        actions.cancel(session, appointment.id, hospital.mother.id, deadline + timedelta(seconds=1), POLICY)
    actions.cancel(session, appointment.id, hospital.mother.id, deadline, POLICY)
    assert appointment.status is AppointmentStatus.CANCELLED
    assert appointment.remind_day_at is appointment.remind_soon_at is None
    with pytest.raises(NotCancellable):
        actions.cancel(session, appointment.id, hospital.mother.id, now, POLICY)
    moves = session.scalars(select(StatusChange).where(StatusChange.thing_id == appointment.id)).all()
    assert [(move.from_status, move.to_status, move.why) for move in moves] == [("booked", "cancelled", "parent")]


def test_every_change_writes_its_fact_in_the_same_transaction(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    schedule = schedule_of(session, hospital, now)
    with session.begin_nested() as undone:
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
        undone.rollback()
    assert facts(session) == []
    appointment = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    actions.cancel(session, appointment.id, hospital.mother.id, now, POLICY)
    assert facts(session) == ["AppointmentBooked", "AppointmentCancelled"]


def facts(session: Session) -> list[str]:
    """The kinds of the facts in the queue, oldest first."""
    return list(
        session.scalars(
            text("select args->>'kind' from procrastinate_jobs where task_name = 'facts.handle' order by id")
        )
    )


def test_cutting_schedules_twice_changes_nothing(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    before = session.scalar(select(func.count()).select_from(Slot))
    assert cut_schedules(session, [schedule.day], now) == 0
    assert session.scalar(select(func.count()).select_from(Slot)) == before


def test_reminders_fall_due_once(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    appointment = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    assert appointment.remind_day_at is not None
    assert actions.remind_due(session, appointment.remind_day_at - timedelta(seconds=1)) == 0
    assert actions.remind_due(session, appointment.remind_day_at) == 1
    assert actions.remind_due(session, appointment.starts_at - timedelta(minutes=30)) == 1
    assert actions.remind_due(session, appointment.starts_at) == 0
    assert facts(session)[1:] == ["AppointmentReminderDue"] * 2


def test_a_late_booking_is_not_reminded_of_what_is_past(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now, ahead=1)
    evening = at(today(now), time(20))
    appointment = actions.book(session, schedule.id, hospital.child, hospital.mother.id, evening, POLICY)
    assert appointment.remind_day_at is None
    assert appointment.remind_soon_at == appointment.starts_at - timedelta(minutes=30)


def test_no_reminder_after_the_visit_began(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    appointment = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    actions.remind_due(session, appointment.starts_at + timedelta(minutes=1))
    assert facts(session) == ["AppointmentBooked"]


def test_visits_are_seen_by_guardians_and_their_doctor_only(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    schedule = schedule_of(session, hospital, now)
    appointment = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    mother, stranger = Viewer(hospital.mother.id, "en"), Viewer(hospital.stranger.id, "en")
    assert [visit.appointment.id for visit in queries.coming_visits(session, mother, now)] == [appointment.id]
    assert queries.coming_visits(session, stranger, now) == []
    with pytest.raises(NotFound):
        queries.visit_of(session, stranger, appointment.id)
    assert hospital.doctor.account_id is not None
    doctor = Viewer(hospital.doctor.account_id, "en")
    mine = queries.practitioner_visits(session, doctor, schedule.day, schedule.day)
    assert [visit.patient.id for visit in mine] == [hospital.child.id]


def test_what_is_left_is_counted(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    counts = queries.period_counts(session, hospital.medicine.id, schedule.day, schedule.day)
    assert {(c.period, c.doctors, c.total, c.free) for c in counts} == {
        (Period.MORNING, 2, 24, 23),
        (Period.AFTERNOON, 2, 24, 24),
    }
    offer = queries.offer(session, schedule.id)
    assert (offer.free, offer.next_at) == (11, at(schedule.day, time(8, 20)))


def test_slot_status_and_appointments_agree(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    kept = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    gone = actions.book(session, schedule.id, hospital.sibling, hospital.mother.id, now, POLICY)
    actions.cancel(session, gone.id, hospital.mother.id, now, POLICY)
    busy = session.scalars(select(Slot.id).where(Slot.status != SlotStatus.FREE)).all()
    held = session.scalars(select(Appointment.slot_id).where(Appointment.status == AppointmentStatus.BOOKED)).all()
    assert busy == held == [kept.slot_id]


@pytest.mark.parametrize("changed", ["department_id", "day"])
def test_department_and_day_are_the_schedules(
    session: Session, hospital: Hospital, now: datetime, changed: str
) -> None:
    """What keeps a child from two numbers of a department's day could not be told a lie."""
    schedule = schedule_of(session, hospital, now)
    actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    other = {"department_id": hospital.skin.id, "day": schedule.day + timedelta(days=1)}[changed]
    with pytest.raises(IntegrityError, match="fk_appointments_schedule_id"), session.begin_nested():
        session.execute(update(Appointment).values({changed: other}))
