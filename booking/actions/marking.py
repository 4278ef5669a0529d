"""Whether the child came (arrived, fulfilled) or not (爽约).

A mark can be taken back until the day on which it was made is over; then the money is earned and a miss counts.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import rules
from booking.actions.ending import end
from booking.actions.suspending import judge, lock_subjects
from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus
from booking.queries import own_appointment
from booking.refusals import MarkFinal, NotMarkable
from config.clock import at, today
from config.policy import Policy, current
from config.states import advance
from payments import actions as payments
from people.access import Viewer
from people.audit import record as audit
from people.audit import refusals
from people.models import Department

BY = "worker"


def mark(
    session: Session, viewer: Viewer, appointment_id: UUID, *, came: bool, now: datetime, policy: Policy
) -> Appointment:
    """The doctor says whether the child of their own list came.

    Where the hospital was late or sent another doctor nobody is to blame: who did not come is cancelled for that
    reason, with the money back. Raises NotFound for somebody else's list, NotMarkable.
    """
    appointment, schedule = own_appointment(session, viewer, appointment_id)
    with refusals(
        "mark", at=now, entity="appointment", entity_id=appointment_id, account_id=viewer.account_id, came=came
    ):
        if not rules.markable(appointment, schedule, now, policy):
            raise NotMarkable
    _mark(session, appointment, schedule, came=came, by=f"account:{viewer.account_id}", now=now)
    audit(
        session,
        "mark",
        at=now,
        entity="appointment",
        entity_id=appointment_id,
        account_id=viewer.account_id,
        status=str(appointment.status),
    )
    return appointment


def unmark(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> None:
    """The doctor takes a mark back, on the day on which it was made. Raises NotFound, MarkFinal."""
    appointment, _ = own_appointment(session, viewer, appointment_id)
    with refusals("unmark", at=now, entity="appointment", entity_id=appointment_id, account_id=viewer.account_id):
        if appointment.final_at is None or appointment.final_at <= now:
            raise MarkFinal
    by = f"account:{viewer.account_id}"
    advance(appointment, AppointmentStatus.BOOKED, by=by, why="mark taken back", now=now)
    appointment.final_at = None
    audit(session, "unmark", at=now, entity="appointment", entity_id=appointment_id, account_id=viewer.account_id)


def mark_missed(session: Session, now: datetime, limit: int = 200) -> int:
    """Where policy says so, visits of earlier days that nobody marked were missed; the doctor can still say otherwise
    today. Never where the hospital stopped, was late or sent another doctor. Returns how many there were."""
    done = 0
    for department in session.scalars(select(Department)).all():
        policy = current(session, now, department.code)
        if not policy.noshow_by_itself:
            continue
        days = today(now) - timedelta(days=policy.mark_days + 1), today(now) - timedelta(days=1)
        unmarked = session.scalars(
            select(Appointment)
            .join(Schedule, Schedule.id == Appointment.schedule_id)
            .where(Schedule.department_id == department.id, Schedule.day.between(*days))
            .where(Schedule.status == ScheduleStatus.ACTIVE, Schedule.delay_minutes == 0)
            .where(Schedule.stands_in_for_id.is_(None), Appointment.status == AppointmentStatus.BOOKED)
            .limit(limit)
            .with_for_update(of=Appointment, skip_locked=True)
        ).all()
        for appointment in unmarked:
            _mark(session, appointment, session.get_one(Schedule, appointment.schedule_id), came=False, by=BY, now=now)
        done += len(unmarked)
    return done


def settle_marks(session: Session, now: datetime, limit: int = 200) -> int:
    """What can't be taken back any more has its consequences: the money is earned, a miss counts. Returns how many."""
    final = select(Appointment).where(Appointment.final_at <= now)
    final = final.order_by(Appointment.final_at, Appointment.starts_at)
    first = session.scalars(final.limit(limit)).all()
    lock_subjects(session, [one for one in first if one.status is AppointmentStatus.NOSHOW])
    mine = final.where(Appointment.id.in_([one.id for one in first]))
    due = session.scalars(mine.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for payment_id in sorted(appointment.payment_id for appointment in due if appointment.payment_id):
        payments.earn(session, payment_id, now)
    for appointment in due:
        appointment.final_at = None
        session.flush()
        if appointment.status is AppointmentStatus.NOSHOW:
            judge(session, appointment, now)
    return len(due)


def arrive(appointment: Appointment, *, by: str, now: datetime) -> None:
    """The family has checked in (row locked): it need not be reminded any more. Twice changes nothing."""
    if appointment.status is AppointmentStatus.BOOKED:
        advance(appointment, AppointmentStatus.ARRIVED, by=by, why="checked in", now=now)
        appointment.remind_day_at = appointment.remind_soon_at = None


def attended(session: Session, appointment: Appointment, *, came: bool, by: str, now: datetime) -> None:
    """What the visit itself says (row locked): it took place, or the calls were missed. Nobody takes that back by hand,
    but a miss can be appealed against as any other."""
    _mark(session, appointment, session.get_one(Schedule, appointment.schedule_id), came=came, by=by, now=now)


def _mark(
    session: Session, appointment: Appointment, schedule: Schedule, *, came: bool, by: str, now: datetime
) -> None:
    excuse = rules.hospitals_doing(schedule)
    if came:
        if appointment.status is AppointmentStatus.BOOKED:
            advance(appointment, AppointmentStatus.ARRIVED, by=by, why="came", now=now)
        advance(appointment, AppointmentStatus.FULFILLED, by=by, why="came", now=now)
    elif excuse:
        end(session, appointment, AppointmentStatus.CANCELLED, by=by, why=excuse, now=now)
        return
    else:
        advance(appointment, AppointmentStatus.NOSHOW, by=by, why="did not come", now=now)
    appointment.remind_day_at = appointment.remind_soon_at = None
    appointment.final_at = at(today(now) + timedelta(days=1), time())
