"""Appointments end before their visit: their numbers go to the next, their money goes back, and they are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.actions.freeing import give_back, offer_ended
from booking.events import AppointmentCancelled
from booking.models import Appointment, AppointmentStatus, Slot, SlotStatus, Why
from config.jobs import emit
from config.states import advance
from payments import actions as payments


def end(session: Session, appointment: Appointment, to: AppointmentStatus, *, by: str, why: Why, now: datetime) -> None:
    """End an appointment (from booking.locks.locked). What was paid for it is given back in full, whatever the reason:
    who may end it, and until when, is decided before."""
    was = appointment.status
    _end(session, [appointment], to, by=by, why=why, now=now)
    give_back(session, appointment.slot_id, appointment.schedule_id, now)
    emit(session, AppointmentCancelled(appointment_id=appointment.id, was=was))


def end_all(session: Session, appointments: Sequence[Appointment], *, by: str, why: Why, now: datetime) -> None:
    """Cancel many of a stopped clinic (rows locked) as ``end`` does; one fact of the caller tells all of them. Their
    numbers are offered to nobody."""
    _end(session, appointments, AppointmentStatus.CANCELLED, by=by, why=why, now=now)
    numbers = [appointment.slot_id for appointment in appointments]
    session.execute(update(Slot).where(Slot.id.in_(numbers)).values(status=SlotStatus.FREE))


def _end(
    session: Session, appointments: Sequence[Appointment], to: AppointmentStatus, *, by: str, why: Why, now: datetime
) -> None:
    offers = [appointment for appointment in appointments if appointment.unanswered]
    for appointment in appointments:
        advance(appointment, to, by=by, why=why, now=now)
        appointment.cancel_reason = why
        appointment.hold_until = appointment.remind_day_at = appointment.remind_soon_at = None
    session.flush()
    for offer in offers:
        offer_ended(session, offer.id, why, by=by, now=now)
    for payment_id in sorted(appointment.payment_id for appointment in appointments if appointment.payment_id):
        payments.refund(session, payment_id, reason=why, now=now)
