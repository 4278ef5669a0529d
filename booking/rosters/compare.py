"""What differs between the clinics that were cut and the clinics that there should be; nothing is changed here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Pool, Schedule, ScheduleStatus, Slot, SlotStatus
from booking.pool import Clinic, Numbers
from booking.pools import last_days
from booking.rosters.numbering import Number, Shape, arranged, only_held
from booking.rosters.plan import Cell, Plan, day_plan
from config.clock import at
from config.policy import current
from config.states import StatusChange
from people.models import Department, Practitioner

BY = "roster"  # who suspended a clinic that the roster itself took back


class Kind(StrEnum):
    """A clinic is new, is to become otherwise, or is to go."""

    NEW = "new"
    CHANGED = "changed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Step:
    """What is to be done about one period of one doctor.

    ``have`` are its numbers by slot id, ``numbers`` those that it should have. ``conflict``: somebody holds a number,
    so that not everything can become as the roster says.
    """

    clinic: Clinic
    plan: Plan | None
    schedule: Schedule | None = None
    have: Mapping[UUID, Number] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()
    conflict: bool = False

    @property
    def kind(self) -> Kind:
        """In a word."""
        return Kind.NEW if self.schedule is None else Kind.CLOSED if self.plan is None else Kind.CHANGED

    @property
    def booked(self) -> int:
        """How many numbers somebody holds."""
        return sum(number.held for number in self.have.values())

    @property
    def there(self) -> list[Number]:
        """Its numbers before, without those that were taken out of sale."""
        return sorted((number for number in self.have.values() if number.counts), key=lambda number: number.number)

    @property
    def cell(self) -> Cell | None:
        """The doctor and the period."""
        of = self.plan or self.schedule
        return (of.practitioner_id, of.period) if of else None

    @property
    def changes_something(self) -> bool:
        """Whether there is something to write."""
        if self.schedule is None:
            return bool(self.numbers)
        return tuple(self.there) != self.numbers or self._header_moves() or self._status_moves()

    def _header_moves(self) -> bool:
        return bool(self.plan and self.schedule and not self.booked and header(self.plan) != stored(self.schedule))

    def _status_moves(self) -> bool:
        if self.schedule is None:
            return False
        closed = self.plan is None and not self.booked
        return (self.schedule.status is ScheduleStatus.ACTIVE) == closed


def header(plan: Plan) -> tuple[object, ...]:
    """What a schedule says of itself beside its numbers."""
    begins, ends = at(plan.day, plan.starts), at(plan.day, plan.ends)
    return (plan.department_id, begins, ends, plan.fee_fen, plan.clinic_type)


def stored(schedule: Schedule) -> tuple[object, ...]:
    """The same of a schedule that was cut."""
    return (schedule.department_id, schedule.starts_at, schedule.ends_at, schedule.fee_fen, schedule.clinic_type)


def compare(
    session: Session,
    day: date,
    now: datetime,
    ours: Numbers | None = None,
    only: Collection[UUID] | None = None,
    of: Collection[UUID] | None = None,
) -> list[Step]:
    """The steps from what was cut to what should be, and those that nothing can be done about.

    ``ours`` are the numbers that the pool gave for this; None: all are ours. ``only``: these schedules; ``of``: these
    doctors. What was cut is left alone when it has begun or somebody has stopped it (停诊); so is a period whose year
    is not known.
    """
    plan = day_plan(session, day)
    schedules = _schedules(session, day, only, of)
    have = _numbers(session, schedules)
    stopped = _stopped(session, schedules)
    names = _Names(session)
    cells = {(schedule.practitioner_id, schedule.period): schedule for schedule in schedules}
    planned = set() if only is not None else {cell for cell in plan.clinics if of is None or cell[0] in of}
    opened = _Opened(session, day, now)
    steps = []
    for cell in sorted(set(cells) | set(planned)):
        schedule = cells.get(cell)
        if cell in plan.unknown or (schedule and (schedule.id in stopped or schedule.starts_at <= now)):
            continue
        step = _step(
            names, plan.clinics.get(cell), schedule, have.get(schedule.id, {}) if schedule else {}, ours, opened
        )
        if step.changes_something or step.conflict:
            steps.append(step)
    return steps


def _step(
    names: _Names,
    plan: Plan | None,
    schedule: Schedule | None,
    have: Mapping[UUID, Number],
    ours: Numbers | None,
    opened: _Opened,
) -> Step:
    clinic = names.clinic(plan or schedule)
    if plan is None:
        kept = tuple(only_held(have.values()))
        return Step(clinic, plan, schedule, have, kept, conflict=bool(kept))
    there = {number.number for number in have.values() if number.counts}
    given = set(range(1, plan.quota + 1)) if ours is None else ours.get(clinic, frozenset())
    begins, ends = (schedule.starts_at, schedule.ends_at) if schedule and _held(have) else header(plan)[1:3]
    kept_back = {Pool.LATER: plan.later, Pool.FOLLOWUP: plan.followup, Pool.AREA: plan.area}
    kept_back = {pool: count for pool, count in kept_back.items() if pool not in opened.pools(clinic.department)}
    shape = Shape(_moment(begins), _moment(ends), plan.quota, kept_back)
    numbers = arranged(have.values(), there | given, shape)
    beyond = any(number.number > plan.quota for number in numbers)
    differs = bool(schedule and _held(have) and header(plan) != stored(schedule))
    return Step(clinic, plan, schedule, have, tuple(numbers), conflict=beyond or differs)


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(value)
    return value


def _held(have: Mapping[UUID, Number]) -> bool:
    return any(number.held for number in have.values())


class _Opened:
    """The kept-back pools of a day that are everybody's by now, by department: what was opened stays open."""

    def __init__(self, session: Session, day: date, now: datetime) -> None:
        self._session, self._day, self._now = session, day, now
        self._known: dict[str, set[Pool]] = {}

    def pools(self, department: str) -> set[Pool]:
        if department not in self._known:
            lasts = last_days(self._now, current(self._session, self._now, department))
            self._known[department] = {pool for pool, last in lasts if self._day <= last}
        return self._known[department]


class _Names:
    """Department codes and staff numbers by id."""

    def __init__(self, session: Session) -> None:
        self._departments = {id: code for id, code in session.execute(select(Department.id, Department.code))}
        self._practitioners = {id: code for id, code in session.execute(select(Practitioner.id, Practitioner.code))}

    def clinic(self, of: Plan | Schedule | None) -> Clinic:
        if of is None:
            raise ValueError("a clinic neither planned nor cut")
        return Clinic(self._departments[of.department_id], self._practitioners[of.practitioner_id], of.day, of.period)


def _schedules(
    session: Session, day: date, only: Collection[UUID] | None, of: Collection[UUID] | None
) -> list[Schedule]:
    query = select(Schedule).where(Schedule.day == day).execution_options(populate_existing=True)
    if only is not None:
        query = query.where(Schedule.id.in_(only))
    if of is not None:
        query = query.where(Schedule.practitioner_id.in_(of))
    return list(session.scalars(query))


def _numbers(session: Session, schedules: Iterable[Schedule]) -> dict[UUID, dict[UUID, Number]]:
    rows = session.execute(
        select(Slot.schedule_id, Slot.id, Slot.number, Slot.starts_at, Slot.pool, Slot.status).where(
            Slot.schedule_id.in_([schedule.id for schedule in schedules])
        )
    )
    found: dict[UUID, dict[UUID, Number]] = defaultdict(dict)
    for schedule_id, slot_id, number, starts_at, pool, status in rows:
        found[schedule_id][slot_id] = Number(number, starts_at, pool, held=status is not SlotStatus.FREE)
    return found


def _stopped(session: Session, schedules: Iterable[Schedule]) -> set[UUID]:
    """The clinics that somebody has stopped: not the roster itself."""
    suspended = {schedule.id for schedule in schedules if schedule.status is ScheduleStatus.SUSPENDED}
    if not suspended:
        return set()
    rows = session.execute(
        select(StatusChange.thing_id, StatusChange.by)
        .where(StatusChange.thing_id.in_(suspended))
        .order_by(StatusChange.id)
    )
    last = {thing_id: by for thing_id, by in rows}
    return {thing_id for thing_id in suspended if last.get(thing_id) != BY}
