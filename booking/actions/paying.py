"""What payments mean for booking: paid in time, paid too late, closed unpaid. The facts of payments/ come here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actions.ending import end
from booking.actions.taking import confirm
from booking.events import PaidTooLate
from booking.locks import locked
from booking.models import Appointment, AppointmentStatus, Why
from booking.numbers import PURPOSE
from config.jobs import emit
from config.policy import current
from payments import actions as payments
from payments.models import Payment
from people.models import Department

BY = "worker"


def payment_settled(session: Session, payment_id: UUID, now: datetime) -> None:
    """The held number is booked; money for a number that is gone goes back in full, and the parent is told."""
    appointment = _paid_for(session, payment_id)
    if appointment is None:
        return
    if appointment.status is AppointmentStatus.PENDING:
        code = session.get_one(Department, appointment.department_id).code
        confirm(session, appointment, now, current(session, now, code), by=BY)
    elif appointment.status is AppointmentStatus.CANCELLED and payments.refund(
        session, payment_id, reason="late", now=now
    ):
        emit(session, PaidTooLate(appointment_id=appointment.id))


def payment_closed(session: Session, payment_id: UUID, now: datetime) -> None:
    """Nobody can pay any more: the held number is free again."""
    appointment = _paid_for(session, payment_id)
    if appointment is not None and appointment.status is AppointmentStatus.PENDING:
        end(session, appointment, AppointmentStatus.CANCELLED, by=BY, why=Why.UNPAID, now=now)


def _paid_for(session: Session, payment_id: UUID) -> Appointment | None:
    """The appointment (locked) that a payment is for; None when it is for something else."""
    if session.get_one(Payment, payment_id).purpose != PURPOSE:
        return None
    found = select(Appointment.id).where(Appointment.payment_id == payment_id)
    appointment = locked(session, session.scalars(found).one())
    if appointment.payment_id == payment_id:
        return appointment
    return _paid_for(session, payment_id)  # a change has taken the money along meanwhile
