"""Doctors hear of several bookings at once, not at night, and of the next day's list once."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions
from booking.events import AppointmentBooked, AppointmentCancelled
from booking.models import Appointment, AppointmentStatus, Period, Schedule, Why
from config import policy
from config.clock import at, local, today
from config.policy import Policy
from notifications import sending
from notifications.doctors import tell_lists
from notifications.handlers import handle
from notifications.models import Notification, NotificationStatus
from notifications.rules import not_before, tell_doctor_at
from people.models import Patient
from tests.notifications.rows import queued
from tests.product import Hospital

ORIGIN = "https://clinic.example.org"
GROUP = timedelta(minutes=Policy().doctor_group_minutes)


def book(session: Session, hospital: Hospital, child: Patient, now: datetime, *, ahead: int = 2) -> Appointment:
    chosen = select(Schedule.id).where(
        Schedule.practitioner_id == hospital.doctor.id,
        Schedule.day == today(now) + timedelta(days=ahead),
        Schedule.period == Period.MORNING,
    )
    appointment = actions.book(session, session.scalars(chosen).one(), child, hospital.mother.id, now, Policy())
    handle(session, AppointmentBooked(appointment.id), now)
    return appointment


def to_doctor(session: Session, hospital: Hospital) -> list[Notification]:
    mine = select(Notification).where(Notification.account_id == hospital.doctor.account_id)
    return list(session.scalars(mine.order_by(Notification.id)))


def send_all(session: Session, now: datetime) -> list[tuple[str, dict[str, str]]]:
    """Send what is due, as the worker's lanes do, and return what reached the doctor."""
    sent = []
    while (row := sending.next_due(session, now)) is not None:
        if claimed := sending.claim(session, row, ORIGIN, now):
            sending.mark_sent(session, claimed, str(row.id), now)
            if claimed.message.message.startswith("practitioner"):
                sent.append((row.message, row.data))
        session.flush()
    return sent


def test_several_bookings_become_one_message(session: Session, hospital: Hospital, now: datetime) -> None:
    first = book(session, hospital, hospital.child, now)
    book(session, hospital, hospital.sibling, now + timedelta(minutes=1))
    book(session, hospital, hospital.other_child, now + GROUP - timedelta(seconds=1))
    assert send_all(session, now + GROUP - timedelta(seconds=1)) == []
    then = now + GROUP
    data = {"department": "内科", "count": "3", "time": f"2026年11月25日 {local(then):%H:%M}"}
    assert send_all(session, then) == [("practitioner-bookings", data)]
    *singles, together = to_doctor(session, hospital)
    assert {(row.status, row.error, row.joined_id) for row in singles} == {
        (NotificationStatus.DROPPED, "together", together.id)
    }
    assert together.path == "/desk"
    handle(session, AppointmentBooked(first.id), then)
    assert send_all(session, then + GROUP) == [], "the same fact again says nothing"


def test_a_booking_alone_is_told_by_itself(session: Session, hospital: Hospital, now: datetime) -> None:
    book(session, hospital, hospital.child, now)
    assert [message for message, _ in send_all(session, now + GROUP)] == ["practitioner-booked"]
    book(session, hospital, hospital.sibling, now + GROUP)
    assert [message for message, _ in send_all(session, now + 2 * GROUP)] == ["practitioner-booked"]


def test_what_is_held_lets_others_pass(session: Session, hospital: Hospital, now: datetime) -> None:
    book(session, hospital, hospital.child, now)
    doctor = to_doctor(session, hospital)[0]
    account = session.get_one(type(hospital.mother), doctor.account_id)
    urgent = queued(session, account, now, message="guardian-bound", data={"child": "王**", "guardian": "x"} | REST)
    claimed = sending.next_due(session, now)
    while claimed is not None and claimed.account_id != account.id:
        found = sending.claim(session, claimed, ORIGIN, now)
        assert found
        sending.mark_sent(session, found, "1", now)
        claimed = sending.next_due(session, now)
    assert claimed is urgent


REST = {"time": "x", "hint": "x"}


def test_a_cancelled_booking_that_nobody_heard_of_is_not_told(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    gone = book(session, hospital, hospital.child, now)
    actions.cancel(session, gone.id, hospital.mother.id, now, Policy())
    for _ in range(2):
        handle(session, AppointmentCancelled(gone.id), now)
    assert [(row.status, row.error) for row in to_doctor(session, hospital)] == [
        (NotificationStatus.DROPPED, "overtaken")
    ]
    assert send_all(session, now + GROUP) == []


def test_a_doctor_who_ended_the_visit_is_not_told_that_it_was_cancelled(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    gone = book(session, hospital, hospital.child, now)
    then = now + GROUP
    send_all(session, then)
    actions.end(
        session, actions.locked(session, gone.id), AppointmentStatus.CANCELLED, by="test", why=Why.TRIAGE, now=then
    )
    handle(session, AppointmentCancelled(gone.id), then)
    assert send_all(session, then) == []


def test_a_cancelled_booking_that_was_told_is_told_too(session: Session, hospital: Hospital, now: datetime) -> None:
    gone = book(session, hospital, hospital.child, now)
    then = now + GROUP
    send_all(session, then)
    actions.cancel(session, gone.id, hospital.mother.id, then, Policy())
    handle(session, AppointmentCancelled(gone.id), then)
    assert [message for message, _ in send_all(session, then)] == ["practitioner-cancelled"]


def test_at_night_doctors_sleep(session: Session, hospital: Hospital, now: datetime) -> None:
    night = at(today(now), time(21, 30))
    book(session, hospital, hospital.child, night)
    book(session, hospital, hospital.sibling, night + timedelta(hours=3))
    morning = at(today(now) + timedelta(days=1), time(7))
    assert send_all(session, morning - timedelta(seconds=1)) == []
    assert [(message, data["count"]) for message, data in send_all(session, morning)] == [
        ("practitioner-bookings", "2")
    ]


@pytest.mark.parametrize(
    ("begins", "ends", "clock", "until"),
    [
        (time(21), time(7), time(20, 59), None),
        (time(21), time(7), time(21), (1, time(7))),
        (time(21), time(7), time(23, 59), (1, time(7))),
        (time(21), time(7), time(0), (0, time(7))),
        (time(21), time(7), time(6, 59), (0, time(7))),
        (time(21), time(7), time(7), None),
        (time(1), time(5), time(3), (0, time(5))),
        (time(1), time(5), time(5), None),
        (time(0), time(0), time(0), None),
    ],
)
def test_quiet_hours(now: datetime, begins: time, ends: time, clock: time, until: tuple[int, time] | None) -> None:
    moment = at(today(now), clock)
    expected = at(today(now) + timedelta(days=until[0]), until[1]) if until else moment
    assert not_before(moment, Policy(quiet_from=begins, quiet_until=ends)) == expected


def test_what_is_for_today_is_told_at_once(now: datetime) -> None:
    night = at(today(now), time(6))
    assert tell_doctor_at(at(today(now), time(8)), night, Policy(), gather=True) == night
    later = at(today(now) + timedelta(days=1), time(8))
    assert tell_doctor_at(later, night, Policy(), gather=True) == at(today(now), time(7))


def test_tomorrows_list_comes_once_from_18_on(session: Session, hospital: Hospital, now: datetime) -> None:
    for child in (hospital.child, hospital.sibling):
        book(session, hospital, child, now, ahead=1)
    gone = book(session, hospital, hospital.other_child, now, ahead=1)
    actions.cancel(session, gone.id, hospital.mother.id, now, Policy())
    evening = at(today(now), time(18))
    send_all(session, now + GROUP)
    assert tell_lists(session, evening - timedelta(seconds=1)) == 0
    assert tell_lists(session, evening) == 1
    assert tell_lists(session, evening + timedelta(hours=1)) == 0
    data = {"department": "内科", "time": "2026年11月26日 08:00", "count": "2"}
    assert send_all(session, evening) == [("practitioner-tomorrow", data)]
    assert tell_lists(session, evening + timedelta(days=1)) == 0, "nobody is booked: nothing is said"


def test_the_hour_of_the_list_is_policy(session: Session, hospital: Hospital, now: datetime) -> None:
    book(session, hospital, hospital.child, now, ahead=1)
    policy.change(session, "doctor_list_at", "09:00", author="test", valid_from=now)
    session.flush()
    assert tell_lists(session, now) == 1
