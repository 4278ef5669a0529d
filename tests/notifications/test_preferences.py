"""Reminders can be switched off; what must be known can't."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions
from booking.events import AppointmentBooked, AppointmentReminderDue
from booking.models import Schedule
from config.clock import today
from config.errors import NotFound
from config.policy import Policy
from notifications.catalogue import messages
from notifications.handlers import handle
from notifications.models import Notification
from notifications.preferences import choose, muted
from tests.product import Hospital


def test_a_muted_reminder_is_not_written_and_can_come_back(session: Session, hospital: Hospital, now: datetime) -> None:
    chosen = select(Schedule.id).where(Schedule.practitioner_id == hospital.doctor.id)
    schedule = session.scalars(chosen.where(Schedule.day == today(now) + timedelta(days=2))).first()
    assert schedule
    appointment = actions.book(session, schedule, hospital.child, hospital.mother.id, now, Policy())
    for _ in range(2):
        choose(session, hospital.mother.id, "appointment-reminder", wanted=False, now=now)
    handle(session, AppointmentBooked(appointment.id), now)
    handle(session, AppointmentReminderDue(appointment.id, "day"), now)
    mine = select(Notification.message).where(Notification.account_id == hospital.mother.id)
    assert session.scalars(mine).all() == ["appointment-booked"]
    choose(session, hospital.mother.id, "appointment-reminder", wanted=True, now=now)
    handle(session, AppointmentReminderDue(appointment.id, "soon"), now)
    assert "appointment-reminder" in session.scalars(mine).all()


@pytest.mark.parametrize("message", [name for name, entry in messages().items() if not entry.mutable] + ["nothing"])
def test_nothing_else_can_be_muted(session: Session, hospital: Hospital, now: datetime, message: str) -> None:
    with pytest.raises(NotFound):
        choose(session, hospital.mother.id, message, wanted=False, now=now)
    assert muted(session, hospital.mother.id) == set()


def test_what_must_arrive_is_never_mutable_and_never_waits() -> None:
    for entry in messages().values():
        assert not (entry.must_arrive and (entry.mutable or entry.waits or entry.together)), entry.name
        assert set(entry.text) <= set(entry.fields)
        assert bool(entry.text) == entry.must_arrive
        assert entry.together is None or set(messages()[entry.together].fields) <= {*entry.fields, "count"}
