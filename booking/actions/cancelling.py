"""A parent gives a number back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from booking import rules
from booking.actions.ending import end
from booking.locks import locked
from booking.models import Appointment, AppointmentStatus, Schedule, Why
from booking.refusals import NotCancellable, TooLateToCancel
from config.policy import Policy
from people.audit import record as audit
from people.audit import refusals


def cancel(
    session: Session, appointment_id: UUID, account_id: UUID, now: datetime, policy: Policy, why: Why = Why.PARENT
) -> Appointment:
    """A parent cancels (the appointment comes from booking.queries, which asked access).

    Until the deadline for any reason; after it only for those of ``rules.anytime``: a child that is worse, and what the
    hospital has to answer for. What was paid goes back in full. Raises NotCancellable, TooLateToCancel.
    """
    with refusals("cancel", at=now, entity="appointment", entity_id=appointment_id, account_id=account_id):
        appointment = locked(session, appointment_id)
        why = _reason(session, appointment, now, policy, why)
    end(session, appointment, AppointmentStatus.CANCELLED, by=f"account:{account_id}", why=why, now=now)
    audit(session, "cancel", at=now, entity="appointment", entity_id=appointment.id, account_id=account_id)
    return appointment


def _reason(session: Session, appointment: Appointment, now: datetime, policy: Policy, why: Why) -> Why:
    """The reason that will be kept, if it is one for which the parent may cancel now."""
    if AppointmentStatus.CANCELLED not in Appointment.MOVES.get(appointment.status, frozenset()):
        raise NotCancellable
    if appointment.status is AppointmentStatus.PENDING:
        return Why.DECLINED
    schedule = session.get_one(Schedule, appointment.schedule_id)
    if why not in rules.reasons_to_cancel(appointment, schedule, now, policy):
        raise TooLateToCancel(hours=policy.cancel_until_hours)
    return why
