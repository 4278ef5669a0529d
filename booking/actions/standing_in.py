"""The doctor of a period is delayed, or replaced by a colleague: everybody still coming is told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from booking import rules
from booking.events import DoctorDelayed, DoctorReplaced
from booking.locks import lock_schedules
from booking.models import COMING, Appointment, Schedule, ScheduleStatus
from booking.refusals import BadDelay, DoctorNotFree, PeriodOver
from booking.stand_ins import free_doctors
from config.errors import NotFound
from config.ids import new_id
from config.jobs import emit
from config.policy import Policy
from people.access import Member
from people.audit import record as audit

MOST = 720  # minutes


def delay(session: Session, member: Member, schedule_id: UUID, minutes: int, now: datetime, policy: Policy) -> Schedule:
    """The doctor comes so many minutes later than planned; 0: on time after all. Reminders shift with it.

    Parents are told when what they know is wrong by the policy's minutes. Who may is decided before. Raises PeriodOver,
    BadDelay.
    """
    schedule = _still_to_come(session, schedule_id, now)
    if not 0 <= minutes <= MOST:
        raise BadDelay(field="minutes", most=MOST)
    schedule.delay_minutes = minutes
    session.flush()
    waiting = select(Appointment).where(Appointment.schedule_id == schedule_id, Appointment.status.in_(COMING))
    for appointment in session.scalars(
        waiting.where(Appointment.remind_soon_at.is_not(None)).with_for_update(key_share=True)
    ):
        appointment.remind_soon_at = rules.soon_reminder(appointment.starts_at + schedule.delay, now, policy)
    if abs(minutes - schedule.delay_told) >= policy.delay_told_minutes:
        schedule.delay_told = minutes
        emit(session, DoctorDelayed(schedule_id=schedule_id, news_id=new_id()))
    _audit(session, "delay", schedule, member, now, minutes=str(minutes))
    return schedule


def replace(session: Session, member: Member, schedule_id: UUID, practitioner_id: UUID, now: datetime) -> Schedule:
    """A colleague takes the period over, with its children; the doctor first named may take it back the same way.

    Who may is decided before. Raises PeriodOver, DoctorNotFree.
    """
    schedule = _still_to_come(session, schedule_id, now, with_place_of=practitioner_id)
    if practitioner_id not in {doctor.id for doctor in free_doctors(session, schedule)}:
        raise DoctorNotFree(field="practitioner")
    before, first = schedule.practitioner_id, schedule.stands_in_for_id or schedule.practitioner_id
    _hold_place(session, schedule, first, taken_back=practitioner_id == first)
    schedule.practitioner_id = practitioner_id
    schedule.stands_in_for_id = None if practitioner_id == first else first
    session.flush()
    if before == first:
        session.add(_place(schedule, first))
    emit(session, DoctorReplaced(schedule_id=schedule_id, from_id=before, to_id=practitioner_id, news_id=new_id()))
    _audit(session, "replace-doctor", schedule, member, now, doctor=str(practitioner_id))
    return schedule


def _hold_place(session: Session, schedule: Schedule, first: UUID, *, taken_back: bool) -> None:
    """The first doctor's place in the roster goes when they come back."""
    if taken_back:
        session.execute(delete(Schedule).where(*_of(schedule, first), Schedule.id != schedule.id))


def _of(schedule: Schedule, practitioner_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """What a doctor has in that period of that day."""
    when = Schedule.day == schedule.day, Schedule.period == schedule.period
    return (*when, Schedule.practitioner_id == practitioner_id)


def _place(schedule: Schedule, practitioner_id: UUID) -> Schedule:
    """A period without numbers in the place of the doctor who was replaced: else the roster would cut it again."""
    return Schedule(
        practitioner_id=practitioner_id,
        department_id=schedule.department_id,
        day=schedule.day,
        period=schedule.period,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        fee_fen=schedule.fee_fen,
        status=ScheduleStatus.SUSPENDED,
    )


def _still_to_come(session: Session, schedule_id: UUID, now: datetime, with_place_of: UUID | None = None) -> Schedule:
    """The schedule, locked alone; with what a doctor has at that time."""
    schedule = session.get(Schedule, schedule_id)
    if schedule is None:
        raise NotFound
    place = session.scalars(select(Schedule.id).where(*_of(schedule, with_place_of))) if with_place_of else ()
    lock_schedules(session, [schedule_id, *place], alone=True)
    if schedule.status is not ScheduleStatus.ACTIVE or schedule.over_at <= now:
        raise PeriodOver
    return schedule


def _audit(session: Session, action: str, schedule: Schedule, member: Member, now: datetime, **detail: str) -> None:
    account = member.practitioner.account_id
    audit(session, action, at=now, entity="schedule", entity_id=schedule.id, account_id=account, **detail)
