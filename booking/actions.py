"""What changes in booking: schedules are cut, numbers booked and given back, reminders fall due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking import numbers, rules
from booking.events import AppointmentBooked, AppointmentCancelled, AppointmentReminderDue
from booking.models import Appointment, AppointmentStatus, Roster, Schedule, ScheduleStatus, Slot, SlotStatus
from booking.refusals import AlreadyHolding, NotCancellable, NotOpen, SoldOut, TooLateToCancel
from config.clock import at
from config.errors import NotFound
from config.ids import new_id
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from people.audit import record as audit
from people.models import Patient

CHILD_DAY_INDEX = "uq_appointments_child_day"


def cut_schedules(session: Session, days: list[date]) -> int:
    """Cut the rosters into schedules and numbers for these days. Returns how many schedules are new.

    Idempotent: what was cut before is left as it is, booked or not.
    """
    made = 0
    for day in days:
        rosters = session.scalars(
            select(Roster)
            .where(Roster.weekday == day.weekday(), Roster.valid_from <= day)
            .where(Roster.valid_to.is_(None) | (Roster.valid_to >= day))
            .order_by(Roster.valid_from.desc())
        )
        made += sum(_cut(session, roster, day) for roster in rosters)
    return made


def _cut(session: Session, roster: Roster, day: date) -> bool:
    starts_at, ends_at = at(day, roster.starts), at(day, roster.ends)
    schedule_id = session.scalar(
        upsert(Schedule)
        .values(
            id=new_id(),
            practitioner_id=roster.practitioner_id,
            department_id=roster.department_id,
            day=day,
            period=roster.period,
            starts_at=starts_at,
            ends_at=ends_at,
            fee_fen=roster.fee_fen,
            status=ScheduleStatus.ACTIVE,
        )
        .on_conflict_do_nothing(index_elements=["practitioner_id", "day", "period"])
        .returning(Schedule.id)
    )
    if schedule_id is None:
        return False
    times = rules.number_times(starts_at, ends_at, roster.quota)
    session.execute(
        insert(Slot),
        [
            {"id": new_id(), "schedule_id": schedule_id, "number": n, "starts_at": t, "status": SlotStatus.FREE}
            for n, t in enumerate(times, start=1)
        ],
    )
    return True


def book(
    session: Session, schedule_id: UUID, patient: Patient, account_id: UUID, now: datetime, policy: Policy
) -> Appointment:
    """Book the schedule's lowest free number for a child (from people.access).

    Raises NotFound, NotOpen, AlreadyHolding, SoldOut. Parent and doctor are told (AppointmentBooked).
    """
    schedule = session.get(Schedule, schedule_id)
    if schedule is None:
        raise NotFound
    if schedule.day not in rules.open_days(now, policy) or schedule.status is not ScheduleStatus.ACTIVE:
        raise NotOpen(first=policy.horizon_first_day, last=policy.horizon_last_day)
    appointment = session.get_one(Appointment, _take(session, schedule_id, patient.id, account_id, now))
    appointment.remind_day_at = rules.day_reminder(appointment.starts_at, now, policy)
    appointment.remind_soon_at = rules.soon_reminder(appointment.starts_at, now, policy)
    audit(session, "book", at=now, entity="appointment", entity_id=appointment.id, account_id=account_id)
    emit(session, AppointmentBooked(appointment_id=appointment.id))
    return appointment


def _take(session: Session, schedule_id: UUID, patient_id: UUID, account_id: UUID, now: datetime) -> UUID:
    def refused(code: str) -> Callable[[Session], None]:
        return lambda later: audit(
            later, "book", at=now, entity="schedule", entity_id=schedule_id, account_id=account_id, outcome=code
        )

    try:
        with session.begin_nested():
            taken = numbers.take(session, schedule_id, patient_id, account_id, now)
    except IntegrityError as error:
        if CHILD_DAY_INDEX in str(error.orig):
            raise AlreadyHolding(afterwards=refused("already-holding")) from error
        raise
    if taken is None:
        raise SoldOut(afterwards=refused("sold-out"))
    return taken


def cancel(session: Session, appointment_id: UUID, account_id: UUID, now: datetime, policy: Policy) -> Appointment:
    """A parent cancels (the appointment comes from booking.queries, which asked access).

    Raises NotCancellable, TooLateToCancel. The number is free again at once; parent and doctor are told.
    """
    appointment = session.scalars(select(Appointment).where(Appointment.id == appointment_id).with_for_update()).one()
    if AppointmentStatus.CANCELLED not in Appointment.MOVES.get(appointment.status, frozenset()):
        raise NotCancellable
    if now > rules.cancel_until(appointment.starts_at, policy):
        raise TooLateToCancel(hours=policy.cancel_until_hours)
    end(session, appointment, AppointmentStatus.CANCELLED, by=f"account:{account_id}", why="parent", now=now)
    audit(session, "cancel", at=now, entity="appointment", entity_id=appointment.id, account_id=account_id)
    return appointment


def end(session: Session, appointment: Appointment, to: AppointmentStatus, *, by: str, why: str, now: datetime) -> None:
    """End an appointment so that its number is free again; ``why`` is a code (``parent``) kept as the reason."""
    advance(appointment, to, by=by, why=why, now=now)
    appointment.cancel_reason = why
    appointment.remind_day_at = appointment.remind_soon_at = None
    session.flush()
    session.execute(update(Slot).where(Slot.id == appointment.slot_id).values(status=SlotStatus.FREE))
    emit(session, AppointmentCancelled(appointment_id=appointment.id))


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
            if appointment.starts_at > now:
                emit(session, AppointmentReminderDue(appointment_id=appointment.id, when=when))
        done += len(due)
    return done
