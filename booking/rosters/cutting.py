"""Cuts rosters into schedules and numbers, and cuts again only what nobody holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Delete, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.locks import lock_schedules
from booking.models import Pool, Schedule, ScheduleStatus, Slot, SlotStatus
from booking.pool import GIVE_BACK, Clinic, Numbers
from booking.rosters import conflicts
from booking.rosters.calendar import ask_for_years
from booking.rosters.compare import BY, Kind, Step, compare, header
from booking.rosters.numbering import Number
from config.clock import today
from config.ids import new_id
from config.jobs import defer
from config.policy import Policy
from config.states import advance
from people.models import Department, Practitioner

log = structlog.get_logger()

LOCK = text("select pg_advisory_xact_lock(hashtext('rosters'))")
CUT = "rosters.cut"  # the job that cuts days again after a change


def cut_days(now: datetime, policy: Policy) -> list[date]:
    """The days that are kept cut: today to the last that can be booked, and the one that follows at midnight."""
    return [today(now) + timedelta(days=ahead) for ahead in range(policy.horizon_last_day + 2)]


def cut_soon(session: Session, days: Iterable[date], now: datetime, policy: Policy) -> None:
    """Have the worker cut these days again, those of them that are cut already, when this transaction commits."""
    for day in sorted(set(days) & set(cut_days(now, policy))):
        defer(session, CUT, lock=CUT, day=day.isoformat())


def wanted(session: Session, day: date, now: datetime) -> Numbers:
    """The numbers that the day's clinics lack, to be asked of the pool before the day is cut."""
    lacking: dict[Clinic, frozenset[int]] = {}
    for step in compare(session, day, now):
        there = {number.number for number in step.there}
        if step.plan and (missing := {number.number for number in step.numbers} - there):
            lacking[step.clinic] = frozenset(missing)
    return lacking


def cut_schedules(session: Session, days: Sequence[date], now: datetime, ours: Numbers | None = None) -> int:
    """Bring the schedules and numbers of these days in line with the rosters. Returns how many schedules are new.

    Idempotent, and two at once wait for each other. What somebody holds is never touched: where the roster says
    otherwise, those who keep it get a task. ``ours`` are the numbers that the pool gave for this (``wanted``); None: no
    pool was asked, all numbers are ours.
    """
    session.execute(LOCK)
    ask_for_years(session, days, now)
    made = 0
    for day in days:
        steps = compare(session, day, now, ours)
        again = [step.schedule.id for step in steps if step.schedule and step.changes_something]
        lock_schedules(session, again)
        new = [step for step in steps if step.kind is Kind.NEW]
        _insert(session, new)
        made += len(new)
        standing = [step for step in steps if step.schedule and not step.changes_something]
        standing += _again(session, day, again, now, ours)
        conflicts.settle_and_ask(session, day, [step for step in standing if step.conflict], now)
        if ours:
            _give_back_unused(session, day, ours)
    return made


def _insert(session: Session, steps: Sequence[Step]) -> None:
    schedules, slots = [], []
    for step in steps:
        if step.plan is None:
            continue
        department_id, starts_at, ends_at, fee_fen, clinic_type = header(step.plan)
        row = {"id": new_id(), "practitioner_id": step.plan.practitioner_id, "department_id": department_id}
        row |= {"day": step.plan.day, "period": step.plan.period, "starts_at": starts_at, "ends_at": ends_at}
        schedules.append({**row, "fee_fen": fee_fen, "clinic_type": clinic_type, "status": ScheduleStatus.ACTIVE})
        slots += [_slot(row["id"], number) for number in step.numbers]
    if schedules:
        session.execute(insert(Schedule), schedules)
        session.execute(insert(Slot), slots)


def _slot(schedule_id: object, number: Number) -> dict[str, object]:
    row = {"id": new_id(), "schedule_id": schedule_id, "status": SlotStatus.FREE}
    return {**row, "number": number.number, "starts_at": number.starts_at, "pool": number.pool}


def _again(session: Session, day: date, ids: Sequence[UUID], now: datetime, ours: Numbers | None) -> list[Step]:
    """Look again with the numbers locked, so that bookings being made are seen, and do it."""
    if not ids:
        return []
    locked = select(Slot.id).where(Slot.schedule_id.in_(ids)).order_by(Slot.schedule_id, Slot.number)
    session.execute(locked.with_for_update()).all()
    steps = compare(session, day, now, ours, only=ids)
    for step in steps:
        if step.schedule and step.changes_something:
            _change(session, step, step.schedule, now)
            if ours is not None:
                _give_back(session, step.clinic, _removed(step))
    return steps


def _removed(step: Step) -> set[int]:
    return {number.number for number in step.there} - {number.number for number in step.numbers}


def _change(session: Session, step: Step, schedule: Schedule, now: datetime) -> None:
    kept = {number.number: number for number in step.numbers}
    slots = {number.number: slot_id for slot_id, number in step.have.items()}
    for n in set(kept) & set(slots):
        if kept[n] != step.have[slots[n]]:
            values = {"starts_at": kept[n].starts_at, "pool": kept[n].pool}
            session.execute(update(Slot).where(Slot.id == slots[n]).values(values))
    added = [_slot(schedule.id, kept[n]) for n in sorted(set(kept) - set(slots))]
    if added:
        session.execute(insert(Slot), added)
    _withdraw(session, [slots[n] for n in set(slots) - set(kept)])
    if step.plan and not step.booked:
        names = ("department_id", "starts_at", "ends_at", "fee_fen", "clinic_type")
        for name, value in zip(names, header(step.plan), strict=True):
            setattr(schedule, name, value)
    _set_status(session, step, schedule, now)
    log.info("schedule-cut-again", schedule=str(schedule.id), kind=step.kind.value, booked=step.booked)


def _set_status(session: Session, step: Step, schedule: Schedule, now: datetime) -> None:
    """A clinic that is no more goes away, or is suspended when an old appointment still refers to it."""
    session.flush()
    if step.plan is None and not step.booked:
        if not _delete(session, delete(Schedule).where(Schedule.id == schedule.id)):
            advance(schedule, ScheduleStatus.SUSPENDED, by=BY, why="not planned", now=now)
    elif schedule.status is ScheduleStatus.SUSPENDED:
        advance(schedule, ScheduleStatus.ACTIVE, by=BY, why="planned again", now=now)


def _withdraw(session: Session, slot_ids: Sequence[UUID]) -> None:
    """Take free numbers out of sale: deleted, or marked when an old appointment still refers to one."""
    for slot_id in slot_ids:
        if not _delete(session, delete(Slot).where(Slot.id == slot_id, Slot.status == SlotStatus.FREE)):
            session.execute(
                update(Slot).where(Slot.id == slot_id, Slot.status == SlotStatus.FREE).values(pool=Pool.WITHDRAWN)
            )


def _delete(session: Session, statement: Delete) -> bool:
    try:
        with session.begin_nested():
            session.execute(statement)
    except IntegrityError:
        return False
    return True


def _give_back_unused(session: Session, day: date, ours: Numbers) -> None:
    """What the pool gave and the roster no longer wants, as it changed in between."""
    used = in_use(session, day)
    for clinic, numbers in ours.items():
        _give_back(session, clinic, set(numbers) - used.get(clinic, set()))


def in_use(session: Session, day: date) -> dict[Clinic, set[int]]:
    """The numbers of a day's clinics that are held or for sale."""
    rows = session.execute(
        select(Department.code, Practitioner.code, Schedule.day, Schedule.period, func.array_agg(Slot.number))
        .join(Schedule, Schedule.department_id == Department.id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Schedule.day == day, (Slot.pool != Pool.WITHDRAWN) | (Slot.status != SlotStatus.FREE))
        .group_by(Department.code, Practitioner.code, Schedule.day, Schedule.period)
    )
    return {Clinic(code, number, when, period): set(n) for code, number, when, period, n in rows}


def _give_back(session: Session, clinic: Clinic, numbers: set[int]) -> None:
    if numbers:
        defer(
            session,
            GIVE_BACK,
            lock=CUT,
            department=clinic.department,
            practitioner=clinic.practitioner,
            day=clinic.day.isoformat(),
            period=clinic.period.value,
            numbers=sorted(numbers),
        )
