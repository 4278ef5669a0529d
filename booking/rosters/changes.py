"""What those who keep the roster change: templates, exceptions. Each change is audited and cut again by the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.models import ClinicType, Period
from booking.roster_models import ExceptionKind, OnHolidays, Roster, RosterException
from booking.rosters.cutting import LOCK, cut_days, cut_soon
from booking.rosters.plan import DayPlan, day_plan
from booking.rosters.refusals import BothBusy, DayPast, ExceptionThere, NothingToLeave, OtherDepartment
from config.clock import today
from config.errors import NotFound
from config.policy import Policy
from people.audit import record as audit


@dataclass(frozen=True)
class Template:
    """A weekly template as it is wanted; the fields are Roster's."""

    practitioner_id: UUID
    department_id: UUID
    weekday: int
    period: Period
    starts: time
    ends: time
    quota: int
    fee_fen: int
    clinic_type: ClinicType
    later_quota: int
    followup_quota: int
    area_quota: int
    on_holidays: OnHolidays
    valid_from: date
    valid_to: date | None

    @property
    def key(self) -> tuple[UUID, int, Period, date]:
        """What there is one of."""
        return (self.practitioner_id, self.weekday, self.period, self.valid_from)


@dataclass(frozen=True)
class Departure:
    """An exception as it is wanted; the fields are RosterException's."""

    practitioner_id: UUID
    department_id: UUID
    day: date
    period: Period
    kind: ExceptionKind
    starts: time | None = None
    ends: time | None = None
    quota: int | None = None
    fee_fen: int | None = None
    clinic_type: ClinicType | None = None
    swap_with_id: UUID | None = None
    swap_day: date | None = None
    reason: str = ""

    @property
    def key(self) -> tuple[UUID, date, Period]:
        """What there is one of."""
        return (self.practitioner_id, self.day, self.period)


def template_of(roster: Roster) -> Template:
    """A stored template as a value."""
    return Template(**{name: getattr(roster, name) for name in Template.__dataclass_fields__})


def departure_of(exception: RosterException) -> Departure:
    """A stored exception as a value."""
    return Departure(**{name: getattr(exception, name) for name in Departure.__dataclass_fields__})


@dataclass(frozen=True)
class Change:
    """A template or exception before and after; ``before`` None: it is new."""

    before: Template | Departure | None
    after: Template | Departure

    @property
    def kind(self) -> Literal["new", "changed", "ended"]:
        """In a word."""
        if self.before is None:
            return "new"
        if isinstance(self.before, Template) and isinstance(self.after, Template) and self.after.valid_to:
            return "ended" if replace(self.before, valid_to=self.after.valid_to) == self.after else "changed"
        return "changed"


def save_template(session: Session, wanted: Template, *, by: UUID | None, now: datetime, policy: Policy) -> None:
    """A template from its day on: instead of one that begins on the same day, and ending those that began before.

    Raises OtherDepartment.
    """
    if put_template(session, wanted, by=by, now=now):
        cut_soon(session, cut_days(now, policy), now, policy)


def put_template(session: Session, wanted: Template, *, by: UUID | None, now: datetime) -> list[Change]:
    """The same, for a caller who has it cut. Returns what changed: nothing, when it is so already."""
    session.execute(LOCK)
    rows = session.scalars(
        select(Roster)
        .where(Roster.practitioner_id == wanted.practitioner_id, Roster.weekday == wanted.weekday)
        .where(Roster.period == wanted.period)
    ).all()
    found = next((row for row in rows if row.valid_from == wanted.valid_from), None)
    before = template_of(found) if found else None
    if before == wanted:
        return []
    others = [row for row in rows if row.department_id != wanted.department_id and row.valid_from <= wanted.valid_from]
    if any(row.valid_to is None or row.valid_to >= wanted.valid_from for row in others):
        raise OtherDepartment(field="valid_from")
    made = [Change(before, wanted)]
    if found is None:
        made += _end_earlier([row for row in rows if row.valid_from < wanted.valid_from], wanted.valid_from)
        found = Roster(**_values(wanted))
        session.add(found)
    for name, value in _values(wanted).items():
        setattr(found, name, value)
    session.flush()
    _audit(session, "save-roster", "roster", found.id, by, now, _difference(before, wanted))
    return made


def _end_earlier(rows: Sequence[Roster], day: date) -> list[Change]:
    made = []
    for row in rows:
        if row.valid_to is None or row.valid_to >= day:
            before = template_of(row)
            row.valid_to = day - timedelta(days=1)
            made.append(Change(before, template_of(row)))
    return made


def end_template(
    session: Session, roster: Roster, last_day: date, *, by: UUID | None, now: datetime, policy: Policy
) -> None:
    """A template is in force until that day; one that never was in force goes away."""
    session.execute(LOCK)
    if last_day < roster.valid_from:
        session.delete(roster)
    else:
        roster.valid_to = last_day
    _audit(session, "end-roster", "roster", roster.id, by, now, {"last_day": last_day.isoformat()})
    cut_soon(session, cut_days(now, policy), now, policy)


def add_exception(
    session: Session, wanted: Departure, *, by: UUID | None, now: datetime, policy: Policy
) -> RosterException:
    """Enter an exception. Raises DayPast, ExceptionThere, OtherDepartment,
    NothingToLeave, BothBusy."""
    made = put_exception(session, wanted, by=by, now=now)
    cut_soon(session, days_of(wanted), now, policy)
    return made


def put_exception(session: Session, wanted: Departure, *, by: UUID | None, now: datetime) -> RosterException:
    """The same, for a caller who has it cut."""
    session.execute(LOCK)
    may_depart(session, wanted, now)
    made = RosterException(**_values(wanted), author_id=by, created_at=now)
    session.add(made)
    session.flush()
    _audit(session, "add-roster-exception", "roster_exception", made.id, by, now, _difference(None, wanted))
    return made


def revoke(session: Session, exception: RosterException, *, by: UUID | None, now: datetime, policy: Policy) -> None:
    """Take an exception back: the template counts again. Raises DayPast, NotFound when it was revoked before."""
    take_back(session, exception, by=by, now=now)
    cut_soon(session, days_of(departure_of(exception)), now, policy)


def take_back(session: Session, exception: RosterException, *, by: UUID | None, now: datetime) -> None:
    """The same, for a caller who has it cut."""
    session.execute(LOCK)
    session.refresh(exception)
    if exception.revoked_at:
        raise NotFound
    if max(days_of(departure_of(exception))) < today(now):
        raise DayPast
    exception.revoked_at = now
    session.flush()
    _audit(session, "revoke-roster-exception", "roster_exception", exception.id, by, now, {})


def may_depart(session: Session, wanted: Departure, now: datetime) -> None:
    """Whether an exception fits what there is. Raises DayPast, ExceptionThere, OtherDepartment,
    NothingToLeave, BothBusy."""
    if min(days_of(wanted)) < today(now):
        raise DayPast(field="day")
    cells = _cells(wanted)
    if any(_taken(session, practitioner_id, day, wanted.period) for practitioner_id, day in cells):
        raise ExceptionThere(field="day")
    plan = day_plan(session, wanted.day)
    there = plan.clinics.get((wanted.practitioner_id, wanted.period))
    if there and there.department_id != wanted.department_id:
        raise OtherDepartment(field="day")
    if wanted.kind is ExceptionKind.EXTRA:
        return
    if not _has(plan, wanted.practitioner_id, wanted.period):
        raise NothingToLeave(field="day")
    if wanted.swap_with_id and _has(plan, wanted.swap_with_id, wanted.period):
        raise BothBusy(field="swap_with")


def _has(plan: DayPlan, practitioner_id: UUID, period: Period) -> bool:
    """Of a year whose holidays nobody knows yet, every clinic counts as one."""
    return (practitioner_id, period) in plan.clinics or (practitioner_id, period) in plan.unknown


def _taken(session: Session, practitioner_id: UUID, day: date, period: Period) -> bool:
    own = (RosterException.practitioner_id == practitioner_id) & (
        (RosterException.day == day) | (RosterException.swap_day == day)
    )
    lent = (RosterException.swap_with_id == practitioner_id) & (RosterException.day == day)
    live = select(RosterException.id).where(RosterException.revoked_at.is_(None), RosterException.period == period)
    return bool(session.scalar(select(live.where(or_(own, lent)).exists())))


def _cells(wanted: Departure) -> set[tuple[UUID, date]]:
    cells = {(wanted.practitioner_id, day) for day in days_of(wanted)}
    return cells | ({(wanted.swap_with_id, wanted.day)} if wanted.swap_with_id else set())


def days_of(wanted: Departure) -> set[date]:
    """The days that an exception touches: one, or two of a clinic that moves."""
    return {wanted.day} | ({wanted.swap_day} if wanted.swap_day else set())


def _values(wanted: Template | Departure) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}


def _difference(before: Template | None, after: Template | Departure) -> dict[str, list[str]]:
    """``{field: [before, after]}`` as text, for the audit record, without what somebody wrote as the reason."""
    was = _values(before) if before else {}
    now = {name: value for name, value in _values(after).items() if name != "reason"}
    return {n: [str(was.get(n, "")), str(value)] for n, value in now.items() if was.get(n) != value}


def _audit(
    session: Session, action: str, entity: str, entity_id: UUID, by: UUID | None, now: datetime, changed: dict[str, Any]
) -> None:
    audit(session, action, at=now, entity=entity, entity_id=entity_id, account_id=by, changed=changed)
