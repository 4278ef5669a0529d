"""A clinic is stopped (停诊): planned and looked at, then each period by a job of its own; and taken back.

A job is one transaction, safe to repeat: killed in the middle, the queue runs it again. Bookings hold a share of their
period's row (booking/numbers.py), so whoever stops it waits for those in flight and ends them with the others, and
whoever books afterwards finds it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking.actions.ending import end_all
from booking.actions.freeing import offer_free
from booking.events import ClinicResumed, ClinicStopped, ScheduleResumed, ScheduleStopped
from booking.locks import lock_schedule, lock_schedules
from booking.models import COMING, Appointment, Period, Schedule, ScheduleStatus, Why
from booking.refusals import BadSpan, NotStoppable
from booking.stop_models import NOTE, ClinicStop, StopReason, StopStatus
from booking.stop_queries import covering, to_stop
from config.clock import today
from config.errors import NotFound
from config.ids import new_id
from config.jobs import defer, emit
from config.states import advance
from people.access import Member, leads
from people.audit import record as audit
from people.models import Department, Practitioner

SUSPEND = "booking.suspend"  # the worker's task that stops one period
LONGEST = timedelta(days=92)
BY = "worker"
_COMES = Appointment.status.in_(COMING)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to stop; without ``practitioner_id`` the whole department."""

    department_id: UUID
    practitioner_id: UUID | None
    first_day: date
    first_period: Period
    last_day: date
    last_period: Period
    reason: StopReason
    note: str = ""


def plan_stop(session: Session, member: Member, wish: Wish, now: datetime) -> ClinicStop:
    """A stop to look at; nobody is touched. Plans that the author did not confirm are forgotten.

    Raises NotFound (not a department that the member leads, or not its doctor), BadSpan.
    """
    if not leads(member, wish.department_id):
        raise NotFound
    if wish.practitioner_id:
        doctor = session.get(Practitioner, wish.practitioner_id)
        if doctor is None or doctor.department_id != wish.department_id:
            raise NotFound
    backwards = (wish.first_day, wish.first_period is Period.AFTERNOON) > (
        wish.last_day,
        wish.last_period is Period.AFTERNOON,
    )
    if backwards or wish.first_day < today(now) or wish.last_day - wish.first_day > LONGEST:
        raise BadSpan(field="last_day", days=LONGEST.days)
    mine = (ClinicStop.author_id == member.practitioner.id) & (ClinicStop.status == StopStatus.PLANNED)
    session.execute(delete(ClinicStop).where(mine))
    values = {**vars(wish), "note": wish.note[:NOTE]}
    made = ClinicStop(id=new_id(), author_id=member.practitioner.id, created_at=now, **values)
    session.add(made)
    session.flush()
    return made


def discard_stop(session: Session, stop_id: UUID) -> None:
    """Forget a plan; one that was confirmed stays."""
    session.execute(delete(ClinicStop).where(ClinicStop.id == stop_id, ClinicStop.status == StopStatus.PLANNED))


def confirm_stop(session: Session, member: Member, stop_id: UUID, now: datetime) -> ClinicStop:
    """Carry a plan out: a job for each of its periods, and its doctors are told. Confirmed twice, it is one.

    The stop comes from booking.stop_queries, which asked access.
    """
    stop = _alone(session, stop_id)
    if stop.status is not StopStatus.PLANNED:
        return stop
    by = f"practitioner:{member.practitioner.id}"
    advance(stop, StopStatus.RUNNING, by=by, why=stop.reason, now=now)
    found = to_stop(session, stop, now)
    stop.periods = len(found)
    for schedule_id in found:
        _later(session, stop_id, schedule_id)
    emit(session, ClinicStopped(stop_id=stop_id))
    _audit(session, "stop-clinic", stop, member, now)
    finish_stop(session, stop_id, now)
    return stop


def suspend(session: Session, stop_id: UUID, schedule_id: UUID, now: datetime) -> bool:
    """Stop one period: all of its coming appointments end, their money goes back, and one fact tells everybody.

    Returns whether there was anything to stop.
    """
    shared = select(ClinicStop).where(ClinicStop.id == stop_id).with_for_update(read=True)
    stop = session.scalars(shared.execution_options(populate_existing=True)).one()  # nobody takes it back meanwhile
    schedule = lock_schedule(session, schedule_id, alone=True)
    if schedule.status is not ScheduleStatus.ACTIVE or stop.status not in {StopStatus.RUNNING, StopStatus.DONE}:
        return False
    advance(schedule, ScheduleStatus.SUSPENDED, by=f"stop:{stop_id}", why=stop.reason, now=now)
    schedule.stop_id = stop_id
    end_all(session, _coming(session, schedule_id), by=f"stop:{stop_id}", why=Why.SUSPENDED, now=now)
    emit(session, ScheduleStopped(schedule_id=schedule_id))
    return True


def _coming(session: Session, schedule_id: UUID) -> Sequence[Appointment]:
    found = select(Appointment).where(_COMES, Appointment.schedule_id == schedule_id).order_by(Appointment.id)
    return session.scalars(found.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def finish_stop(session: Session, stop_id: UUID, now: datetime) -> None:
    """The stop is done once none of its periods takes place any more."""
    stop = locked_stop(session, stop_id)
    if stop.status is StopStatus.RUNNING and not to_stop(session, stop, now):
        advance(stop, StopStatus.DONE, by=BY, why="all periods stopped", now=now)


def extend_stops(session: Session, now: datetime) -> int:
    """Stop what the roster has added to the span of stops that stand. Returns how many periods that are."""
    standing = session.scalars(
        select(ClinicStop).where(
            ClinicStop.status.in_((StopStatus.RUNNING, StopStatus.DONE)), ClinicStop.last_day >= today(now)
        )
    )
    wanted = [(stop.id, schedule_id) for stop in standing for schedule_id in to_stop(session, stop, now)]
    for stop_id, schedule_id in wanted:
        _later(session, stop_id, schedule_id)
    return len(wanted)


def lift_stop(session: Session, member: Member, stop_id: UUID, now: datetime) -> ClinicStop:
    """Take a stop back (it comes from booking.stop_queries, which asked access): numbers of its coming periods can be
    taken again, unless another stop stands over them. Parents whose child has no other number by then are told, and so
    are the doctors. Taken back twice, it is once. Raises NotStoppable while it is being carried out.
    """
    stop = _alone(session, stop_id)
    if stop.status is StopStatus.LIFTED:
        return stop
    if stop.status is not StopStatus.DONE:
        raise NotStoppable
    by = f"practitioner:{member.practitioner.id}"
    advance(stop, StopStatus.LIFTED, by=by, why="taken back", now=now)
    session.flush()
    coming = select(Schedule.id).where(Schedule.stop_id == stop_id, Schedule.ends_at > now)
    for schedule in lock_schedules(session, session.scalars(coming), alone=True):
        _resume(session, schedule, stop_id, now, by=by)
    emit(session, ClinicResumed(stop_id=stop_id))
    _audit(session, "lift-stop", stop, member, now)
    return stop


def _resume(session: Session, schedule: Schedule, stop_id: UUID, now: datetime, *, by: str) -> None:
    other = covering(session, schedule)
    schedule.stop_id = other.id if other else None
    if other is None:
        advance(schedule, ScheduleStatus.ACTIVE, by=by, why="taken back", now=now)
        offer_free(session, schedule.id, now)  # to those whose list no sweep has closed yet
        emit(session, ScheduleResumed(schedule_id=schedule.id, stop_id=stop_id))


def _alone(session: Session, stop_id: UUID) -> ClinicStop:
    """The stop, while no other of its department begins or is taken back: what one leaves, the other finds. Raises
    NotFound."""
    department_id = select(ClinicStop.department_id).where(ClinicStop.id == stop_id).scalar_subquery()
    chosen = select(Department.id).where(Department.id == department_id)
    session.execute(chosen.with_for_update(key_share=True)).all()
    return locked_stop(session, stop_id)


def locked_stop(session: Session, stop_id: UUID) -> ClinicStop:
    """The stop as it is now; nobody else moves it before this transaction ends. Raises NotFound."""
    chosen = select(ClinicStop).where(ClinicStop.id == stop_id).with_for_update(key_share=True)
    found = session.scalar(chosen.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def _later(session: Session, stop_id: UUID, schedule_id: UUID) -> None:
    defer(session, SUSPEND, lock=f"schedule_id:{schedule_id}", stop_id=str(stop_id), schedule_id=str(schedule_id))


def _audit(session: Session, action: str, stop: ClinicStop, member: Member, now: datetime) -> None:
    account = member.practitioner.account_id
    audit(session, action, at=now, entity="clinic_stop", entity_id=stop.id, account_id=account, why=stop.reason)
