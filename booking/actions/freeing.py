"""A number comes back: the next on the waiting list is asked first, and only when nobody waits is it free.

Whoever frees a number and whoever joins the list hold the schedule's lock, so neither overlooks the other. Booking does
not take it: it finds free numbers only, and there is none while somebody waits. The order of locks: booking/locks.py.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from booking import rules
from booking.actions import keeping
from booking.events import NumberOffered
from booking.locks import lock_schedule, lock_schedules
from booking.models import (
    CHILD_DAY_INDEX,
    Appointment,
    AppointmentStatus,
    Pool,
    Schedule,
    ScheduleStatus,
    Slot,
    SlotStatus,
    Why,
)
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.ids import new_id
from config.jobs import emit
from config.policy import current
from config.states import advance
from people.models import Department, GuardianStatus, RelatedPerson

BY = "waiting-list"
ENDS = {Why.DECLINED: WaitingStatus.DECLINED, Why.LAPSED: WaitingStatus.LAPSED}
BRIEFLY = text("set local lock_timeout = '200ms'")  # well below deadlock_timeout, which is a second
AS_BEFORE = text("set local lock_timeout to default")


class _ChildBusy(Exception):
    """Somebody else is changing the numbers of the child who is next: the sweep asks again."""


def give_back(session: Session, slot_id: UUID, schedule_id: UUID, now: datetime) -> None:
    """A number (its schedule locked) that nobody holds any more is offered to the next in line, or is free, now or
    after a while."""
    schedule, slot = session.get_one(Schedule, schedule_id), session.get_one(Slot, slot_id)
    try:
        if slot.pool is not Pool.OPEN or not _offer(session, schedule, slot, now):
            keeping.free(session, slot_id, schedule_id, now)
    except _ChildBusy:
        keeping.keep(session, [slot_id], now)


def free_kept(session: Session, now: datetime, limit: int = 200) -> int:
    """Free the numbers whose while is over, or offer them. Returns how many that were."""
    over = select(Slot).where(Slot.kept_until <= now).order_by(Slot.kept_until, Slot.id).limit(limit)
    lock_schedules(session, session.scalars(over.with_only_columns(Slot.schedule_id)))
    kept = session.scalars(over.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    done = 0
    for slot in kept:
        with suppress(_ChildBusy):
            schedule = session.get_one(Schedule, slot.schedule_id)
            if slot.pool is not Pool.OPEN or not _offer(session, schedule, slot, now):
                _mark(session, slot, SlotStatus.FREE)
            slot.kept_until = None
            done += 1
    session.flush()
    return done


def offer_free(session: Session, schedule_id: UUID, now: datetime) -> int:
    """Offer free numbers to those who wait. Returns how many were offered.

    For whoever adds or opens numbers of a period, in the transaction that does it: before it ends nobody can book them.
    """
    schedule = lock_schedule(session, schedule_id)
    free = session.scalars(
        select(Slot)
        .where(Slot.schedule_id == schedule_id, Slot.status == SlotStatus.FREE, Slot.pool == Pool.OPEN)
        .order_by(Slot.number)
        .with_for_update(skip_locked=True)
    ).all()
    offered = 0
    try:
        while offered < len(free) and _offer(session, schedule, free[offered], now):
            offered += 1
    except _ChildBusy:
        keeping.keep(session, [slot.id for slot in free[offered:]], now)
    return offered


def offer_ended(session: Session, appointment_id: UUID, why: Why, *, by: str, now: datetime) -> None:
    """An offer (appointment locked) ended without a yes: so does the place on the list that it was for."""
    entry = session.scalar(
        select(WaitingEntry)
        .where(WaitingEntry.appointment_id == appointment_id, WaitingEntry.status == WaitingStatus.OFFERED)
        .with_for_update()
    )
    if entry is not None:
        advance(entry, ENDS.get(why, WaitingStatus.CLOSED), by=by, why=why, now=now)


def _offer(session: Session, schedule: Schedule, slot: Slot, now: datetime) -> bool:
    """Hold the number for the first in line who can take it. Returns False when nobody is left. Raises _ChildBusy."""
    while schedule.status is ScheduleStatus.ACTIVE:
        entry = session.scalar(
            select(WaitingEntry)
            .where(WaitingEntry.schedule_id == schedule.id, WaitingEntry.status == WaitingStatus.WAITING)
            .where(WaitingEntry.closes_at > now)
            .order_by(WaitingEntry.id)
            .limit(1)
            .with_for_update()
        )
        if entry is None:
            return False
        refused = _refused(session, schedule, slot, entry, now)
        if refused is None:
            return True
        advance(entry, WaitingStatus.CLOSED, by=BY, why=refused, now=now)
    return False


def _refused(session: Session, schedule: Schedule, slot: Slot, entry: WaitingEntry, now: datetime) -> str | None:
    """Offer a number to somebody in line. Returns None, or why it can't be: the binding has ended, or the child has a
    number of that department and day. Raises _ChildBusy: two who free numbers of two periods, each for the other's
    child, would wait in a circle."""
    if not _is_guardian(session, entry):
        return "no-guardian"
    appointment = _held(session, schedule, slot, entry, now)
    try:
        with session.begin_nested():
            session.execute(BRIEFLY)
            session.add(appointment)
            session.flush()
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise _ChildBusy from error
    except IntegrityError as error:
        if CHILD_DAY_INDEX not in str(error.orig):
            raise
        return "has-number"
    session.execute(AS_BEFORE)
    _mark(session, slot, SlotStatus.BUSY_TENTATIVE)
    entry.appointment_id = appointment.id
    advance(entry, WaitingStatus.OFFERED, by=BY, why="number-freed", now=now)
    session.flush()
    emit(session, NumberOffered(appointment_id=appointment.id, waiting_id=entry.id))
    return None


def _held(session: Session, schedule: Schedule, slot: Slot, entry: WaitingEntry, now: datetime) -> Appointment:
    code = session.get_one(Department, schedule.department_id).code
    return Appointment(
        id=new_id(),
        slot_id=slot.id,
        schedule_id=schedule.id,
        department_id=schedule.department_id,
        patient_id=entry.patient_id,
        account_id=entry.account_id,
        day=schedule.day,
        number=slot.number,
        starts_at=slot.starts_at,
        fee_fen=schedule.fee_fen,
        status=AppointmentStatus.PENDING,
        hold_until=rules.offer_until(slot.starts_at, now, current(session, now, code)),
        booked_at=now,
    )


def _is_guardian(session: Session, entry: WaitingEntry) -> bool:
    bound = select(RelatedPerson.id).where(
        RelatedPerson.account_id == entry.account_id,
        RelatedPerson.patient_id == entry.patient_id,
        RelatedPerson.status == GuardianStatus.ACTIVE,
    )
    return session.scalar(select(bound.exists())) or False


def _mark(session: Session, slot: Slot, status: SlotStatus) -> None:
    session.execute(update(Slot).where(Slot.id == slot.id).values(status=status))
