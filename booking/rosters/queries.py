"""Reads for those who keep the roster."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from booking.models import Period, Schedule
from booking.roster_models import Roster, RosterException
from booking.rosters.compare import Step, compare
from booking.rosters.plan import in_force
from config.database import rehearsal
from config.errors import NotFound
from people.models import Account, AuditEvent, Department, Practitioner

Cell = tuple[int, Period]  # weekday and period


@dataclass
class Line:
    """One doctor in a department's week: templates in force, those to come, and exceptions of the coming days."""

    practitioner: Practitioner
    cells: dict[Cell, Roster] = field(default_factory=dict)
    coming: dict[Cell, Roster] = field(default_factory=dict)
    exceptions: list[RosterException] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """One line of a change record: when, who (None: the clinic itself) and which action."""

    at: datetime
    by: Practitioner | None
    action: str


def week(session: Session, department_id: UUID, today: date, last: date) -> list[Line]:
    """A department's doctors with their week, by staff number; exceptions from ``today`` to ``last``."""
    lines: dict[UUID, Line] = {}
    doctors = select(Practitioner).where(Practitioner.active, Practitioner.title.isnot(None))
    rows = list(session.scalars(select(Roster).where(Roster.department_id == department_id, Roster.valid_from > today)))
    now = [roster for roster in in_force(session, today) if roster.department_id == department_id]
    ids = {roster.practitioner_id for roster in (*rows, *now)}
    whose = doctors.where(or_(Practitioner.department_id == department_id, Practitioner.id.in_(ids)))
    lines = {row.id: Line(row) for row in session.scalars(whose.order_by(Practitioner.code))}
    for roster in now:
        if roster.practitioner_id in lines:
            lines[roster.practitioner_id].cells[roster.weekday, roster.period] = roster
    for roster in sorted(rows, key=lambda row: row.valid_from, reverse=True):
        if roster.practitioner_id in lines:
            lines[roster.practitioner_id].coming[roster.weekday, roster.period] = roster
    for exception in exceptions(session, lines, today, last):
        lines[exception.practitioner_id].exceptions.append(exception)
    return list(lines.values())


def exceptions(session: Session, of: Collection[UUID], first: date, last: date) -> list[RosterException]:
    """The live exceptions of these doctors that touch a day between the two, soonest first."""
    rows = session.scalars(
        select(RosterException)
        .where(RosterException.practitioner_id.in_(of), RosterException.revoked_at.is_(None))
        .where(or_(RosterException.day.between(first, last), RosterException.swap_day.between(first, last)))
        .order_by(RosterException.day, RosterException.practitioner_id)
    )
    return list(rows)


def templates(session: Session, department_id: UUID, practitioner_id: UUID, cell: Cell, today: date) -> list[Roster]:
    """A department's templates of one cell of a doctor, in force and to come, soonest first."""
    rows = session.scalars(
        select(Roster)
        .where(Roster.department_id == department_id, Roster.practitioner_id == practitioner_id)
        .where(Roster.weekday == cell[0], Roster.period == cell[1])
        .where(Roster.valid_to.is_(None) | (Roster.valid_to >= today))
        .order_by(Roster.valid_from)
    )
    return list(rows)


def history(session: Session, entity_ids: Collection[UUID], limit: int = 10) -> list[Entry]:
    """Who changed these rows, latest first."""
    rows = session.execute(
        select(AuditEvent, Practitioner)
        .outerjoin(Account, Account.id == AuditEvent.account_id)
        .outerjoin(Practitioner, Practitioner.account_id == Account.id)
        .where(AuditEvent.entity_id.in_(entity_ids))
        .order_by(AuditEvent.id.desc())
        .limit(limit)
    )
    return [Entry(event.at, who, event.action) for event, who in rows]


def doctor(session: Session, number: str) -> Practitioner:
    """A member of staff by staff number. Raises NotFound."""
    found = session.scalar(select(Practitioner).where(Practitioner.code == number))
    if found is None:
        raise NotFound
    return found


def rostered(session: Session, today: date) -> dict[UUID, int]:
    """How many doctors have a template in force or to come, by department."""
    rows = session.execute(
        select(Roster.department_id, func.count(Roster.practitioner_id.distinct()))
        .where(Roster.valid_to.is_(None) | (Roster.valid_to >= today))
        .group_by(Roster.department_id)
    )
    return {department_id: count for department_id, count in rows}


def clinic(
    session: Session, schedule_id: UUID, now: datetime
) -> tuple[Schedule, Practitioner, Department, Step | None]:
    """A clinic that was cut, and what the roster wants otherwise (None: nothing). Raises NotFound."""
    schedule = session.get(Schedule, schedule_id)
    if schedule is None:
        raise NotFound
    steps = compare(session, schedule.day, now, ours={}, only=[schedule_id])
    who = session.get_one(Practitioner, schedule.practitioner_id)
    return schedule, who, session.get_one(Department, schedule.department_id), next(iter(steps), None)


def effects(
    session: Session, of: Collection[UUID], days: Collection[date], now: datetime, change: Callable[[], object]
) -> list[Step]:
    """What a change would do to clinics that are cut, where somebody is booked; nothing stays of it."""
    before = {_sign(step) for day in days for step in compare(session, day, now, of=of)}
    with rehearsal(session):
        change()
        session.flush()
        after = [step for day in sorted(days) for step in compare(session, day, now, of=of)]
    return [step for step in after if step.conflict and _sign(step) not in before]


def _sign(step: Step) -> tuple[object, ...]:
    return (step.clinic, step.plan, step.numbers, step.conflict)
