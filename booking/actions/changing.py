"""A parent changes to another number in one tap: never the old one lost without the new one had."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from booking import eligibility, rules, suspension
from booking.actions.ending import end
from booking.actions.taking import ask_for_money, booked, confirm, open_schedule, take
from booking.locks import locked
from booking.models import Appointment, AppointmentStatus, Schedule, Why
from booking.refusals import NotChangeable, SamePeriod, TooLateToChange
from config.policy import Policy
from people.audit import record as audit
from people.audit import refusals
from people.models import Patient


def reschedule(
    session: Session, appointment_id: UUID, schedule_id: UUID, account_id: UUID, now: datetime, policy: Policy
) -> Appointment:
    """Change a booked appointment (from booking.queries, which asked access) to another schedule's lowest number.

    The same fee: the money moves along. Nothing to pay any more: it goes back. Another fee: the new number is held, and
    the old one ends when the new one is paid. All in this transaction: a refusal leaves the old one as it is. Raises
    NotChangeable, TooLateToChange, SamePeriod, NotFound, NotOpen, what booking.eligibility raises, AlreadyHolding,
    SoldOut, each audited. Returns the new appointment.
    """
    with refusals(
        "reschedule", at=now, entity="appointment", entity_id=appointment_id, account_id=account_id, to=str(schedule_id)
    ):
        old = locked(session, appointment_id, schedule_id)
        _may_change(session, old, account_id, now, policy)
        if old.schedule_id == schedule_id:
            raise SamePeriod
        schedule = open_schedule(session, schedule_id, now, policy)
        patient = session.get_one(Patient, old.patient_id)
        admitted = eligibility.check(
            session, patient, account_id, schedule, now, policy, instead_of=old.id, suspended=eligibility.judged
        )
        if schedule.fee_fen in {0, old.fee_fen}:
            new = _move(session, old, schedule, account_id, now, policy)
        else:
            new = take(session, schedule, old.patient_id, account_id, now, policy, replaces_id=old.id)
            ask_for_money(session, new, now)
    new.evidence, new.screen_id = admitted.evidence, admitted.screen_id
    audit(session, "reschedule", at=now, entity="appointment", entity_id=new.id, account_id=account_id)
    return new


def _move(
    session: Session, old: Appointment, schedule: Schedule, account_id: UUID, now: datetime, policy: Policy
) -> Appointment:
    """End the old number and take the new one, which costs the same or nothing."""
    by, patient_id = f"account:{account_id}", old.patient_id
    carried = old.payment_id if schedule.fee_fen else None
    if carried:
        old.payment_id = None
    end(session, old, AppointmentStatus.CANCELLED, by=by, why=Why.RESCHEDULED, now=now)
    new = take(session, schedule, patient_id, account_id, now, policy, replaces_id=old.id)
    if new.status is AppointmentStatus.PENDING:
        new.payment_id = carried
        confirm(session, new, now, policy, by=by)
    else:
        booked(session, new, now, policy)
    return new


def _may_change(session: Session, old: Appointment, account_id: UUID, now: datetime, policy: Policy) -> None:
    """Who is suspended can still change what the hospital made necessary."""
    if old.status is not AppointmentStatus.BOOKED:
        raise NotChangeable
    schedule = session.get_one(Schedule, old.schedule_id)
    reasons = rules.reasons_to_cancel(old, schedule, now, policy) & rules.REASONS_TO_CHANGE
    if not reasons:
        raise TooLateToChange(hours=policy.cancel_until_hours)
    if reasons == {Why.PARENT}:
        suspension.check(session, old.patient_id, account_id, now)
