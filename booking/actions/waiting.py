"""The waiting list of a full period: joining, answering an offer, leaving; offers lapse, lists close."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking import eligibility, rules
from booking.actions.ending import end
from booking.actions.freeing import BY
from booking.actions.taking import ask_for_money, confirm, open_schedule
from booking.events import WaitingClosed
from booking.locks import lock_schedule, lock_schedules, locked
from booking.models import Appointment, AppointmentStatus, Pool, Schedule, ScheduleStatus, Slot, SlotStatus, Why
from booking.queries import holders
from booking.refusals import AlreadyHolding, ListClosed, NumberFree, OfferOver, TooManyWaits
from booking.waiting_models import OPEN, WaitingEntry, WaitingStatus
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from people.audit import record as audit
from people.audit import refusals
from people.models import Patient


def join(
    session: Session, schedule_id: UUID, patient: Patient, account_id: UUID, now: datetime, policy: Policy
) -> WaitingEntry:
    """Put a child (from people.access) at the end of a full period's list; a second tap finds the place it has.

    Raises NotFound, NotOpen, ListClosed, NumberFree, AlreadyHolding, TooManyWaits, what booking.eligibility raises.
    """
    session.execute(select(Patient.id).where(Patient.id == patient.id).with_for_update(key_share=True))
    lock_schedules(session, [schedule_id])
    has = _open_entries(session, patient.id)
    if schedule_id in has:
        return has[schedule_id]
    with refusals("join-waiting", at=now, entity="schedule", entity_id=schedule_id, account_id=account_id):
        schedule = open_schedule(session, schedule_id, now, policy)
        closes_at = rules.list_closes_at(schedule, policy)
        if closes_at <= now:
            raise ListClosed
        _must_wait(session, schedule, patient.id)
        eligibility.check(session, patient, account_id, schedule, now, policy)
        if len(has) >= policy.waiting_per_child:
            raise TooManyWaits(most=policy.waiting_per_child)
    entry = WaitingEntry(schedule_id=schedule_id, patient_id=patient.id, account_id=account_id)
    entry.joined_at, entry.closes_at = now, closes_at
    session.add(entry)
    session.flush()
    audit(session, "join-waiting", at=now, entity="waiting", entity_id=entry.id, account_id=account_id)
    return entry


def _open_entries(session: Session, patient_id: UUID) -> dict[UUID, WaitingEntry]:
    found = session.scalars(
        select(WaitingEntry).where(WaitingEntry.patient_id == patient_id, WaitingEntry.status.in_(OPEN))
    )
    return {entry.schedule_id: entry for entry in found}


def _must_wait(session: Session, schedule: Schedule, patient_id: UUID) -> None:
    if _is_free(session, schedule.id):
        raise NumberFree
    if holders(session, [patient_id], schedule.department_id, schedule.day):
        raise AlreadyHolding


def _is_free(session: Session, schedule_id: UUID) -> bool:
    free = select(Slot.id).where(
        Slot.schedule_id == schedule_id, Slot.status == SlotStatus.FREE, Slot.pool == Pool.OPEN
    )
    return session.scalar(select(free.exists())) or False


def leave(session: Session, entry_id: UUID, account_id: UUID, now: datetime) -> WaitingEntry:
    """Leave the list (the entry comes from booking.waiting_queries, which asked access).

    What has just been offered stays offered: whoever taps in that moment is to see it first. Returns the entry.
    """
    lock_schedule(session, session.get_one(WaitingEntry, entry_id).schedule_id)
    entry = session.get_one(WaitingEntry, entry_id, with_for_update=True, populate_existing=True)
    if entry.status is WaitingStatus.WAITING:
        advance(entry, WaitingStatus.LEFT, by=f"account:{account_id}", why="left", now=now)
        audit(session, "leave-waiting", at=now, entity="waiting", entity_id=entry.id, account_id=account_id)
    return entry


def accept(session: Session, appointment_id: UUID, account_id: UUID, now: datetime, policy: Policy) -> Appointment:
    """Say yes to an offered number (from booking.waiting_queries, which asked access): booked, or held until paid.

    Whoever of the guardians says yes is the one who books, pays and is told. Raises OfferOver,
    what booking.eligibility raises. Returns the appointment.
    """
    appointment = locked(session, appointment_id)
    with refusals("accept-offer", at=now, entity="appointment", entity_id=appointment_id, account_id=account_id):
        if not appointment.unanswered or appointment.hold_until is None or appointment.hold_until <= now:
            raise OfferOver
        schedule = session.get_one(Schedule, appointment.schedule_id)
        patient = session.get_one(Patient, appointment.patient_id)
        admitted = eligibility.check(session, patient, account_id, schedule, now, policy, instead_of=appointment.id)
    appointment.evidence, appointment.screen_id = admitted.evidence, admitted.screen_id
    by = f"account:{account_id}"
    offered = select(WaitingEntry).where(WaitingEntry.appointment_id == appointment_id).with_for_update()
    entry = session.scalars(offered.execution_options(populate_existing=True)).one()
    advance(entry, WaitingStatus.ACCEPTED, by=by, why="accepted", now=now)
    appointment.account_id, appointment.booked_at = account_id, now
    if appointment.fee_fen:
        appointment.hold_until = now + timedelta(minutes=policy.hold_minutes)
        ask_for_money(session, appointment, now)
    else:
        confirm(session, appointment, now, policy, by=by)
    audit(session, "accept-offer", at=now, entity="appointment", entity_id=appointment.id, account_id=account_id)
    return appointment


def decline(session: Session, appointment_id: UUID, account_id: UUID, now: datetime) -> Appointment:
    """Let an offered number go to the next in line (from booking.waiting_queries, which asked access).

    One that was answered or has ended stays as it is. Returns the appointment.
    """
    appointment = locked(session, appointment_id)
    if appointment.unanswered:
        by = f"account:{account_id}"
        end(session, appointment, AppointmentStatus.CANCELLED, by=by, why=Why.DECLINED, now=now)
        audit(session, "decline-offer", at=now, entity="appointment", entity_id=appointment.id, account_id=account_id)
    return appointment


def lapse_offer(session: Session, now: datetime) -> bool:
    """End the oldest offer that nobody answered in time; the next in line is asked. Returns whether there was one.

    One a transaction, so that a list is held for a moment only.
    """
    oldest = session.scalar(
        select(Appointment.id)
        .where(Appointment.status == AppointmentStatus.PENDING, Appointment.payment_id.is_(None))
        .where(Appointment.hold_until <= now)
        .order_by(Appointment.hold_until, Appointment.id)
        .limit(1)
    )
    if oldest is None:
        return False
    offer = locked(session, oldest)
    if offer.unanswered and offer.hold_until and offer.hold_until <= now:  # nobody has answered, or ended it, meanwhile
        end(session, offer, AppointmentStatus.CANCELLED, by=BY, why=Why.LAPSED, now=now)
    return True


def close_list(session: Session, now: datetime) -> int:
    """Close a list whose period begins soon or was stopped. Returns how many were waiting; 0: there is none to close.

    Whoever has a number of that department and day by now is not told that there was none.
    """
    over = or_(WaitingEntry.closes_at <= now, Schedule.status == ScheduleStatus.SUSPENDED)
    waiting = select(WaitingEntry).join(Schedule, Schedule.id == WaitingEntry.schedule_id)
    waiting = waiting.where(WaitingEntry.status == WaitingStatus.WAITING, over)
    first = session.scalar(waiting.limit(1))
    if first is None:
        return 0
    schedule = lock_schedule(session, first.schedule_id)
    mine = waiting.where(WaitingEntry.schedule_id == schedule.id).with_for_update(of=WaitingEntry)
    entries = session.scalars(mine.execution_options(populate_existing=True)).all()
    have = holders(session, [entry.patient_id for entry in entries], schedule.department_id, schedule.day)
    for entry in entries:
        advance(entry, WaitingStatus.CLOSED, by=BY, why=schedule.status, now=now)
        if entry.patient_id not in have:
            emit(session, WaitingClosed(waiting_id=entry.id))
    return len(entries)
