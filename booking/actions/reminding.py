"""Reminders fall due."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.events import AppointmentReminderDue
from booking.models import Appointment, AppointmentStatus, Schedule
from config.jobs import emit


def remind_due(session: Session, now: datetime, limit: int = 500) -> int:
    """Emit the reminders that have fallen due, clear their deadlines, and return how many there were."""
    done = 0
    deadlines: tuple[tuple[InstrumentedAttribute[datetime | None], str], ...] = (
        (Appointment.remind_day_at, "day"),
        (Appointment.remind_soon_at, "soon"),
    )
    for deadline, when in deadlines:
        due = session.scalars(
            select(Appointment)
            .where(deadline <= now, Appointment.status == AppointmentStatus.BOOKED)
            .order_by(deadline)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for appointment in due:
            setattr(appointment, deadline.key, None)
            if appointment.starts_at + session.get_one(Schedule, appointment.schedule_id).delay > now:
                emit(session, AppointmentReminderDue(appointment_id=appointment.id, when=when))
        done += len(due)
    return done
