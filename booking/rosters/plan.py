"""Which clinics a day should have: templates in force, as the calendar has them, with the exceptions over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.models import ClinicType, Period
from booking.roster_models import ExceptionKind, Roster, RosterException
from booking.rosters.calendar import Calendar, UnknownYear, calendar
from people.models import Practitioner

Cell = tuple[UUID, Period]  # a doctor's period of the day in question


@dataclass(frozen=True)
class Plan:
    """A clinic as it should be; ``later``, ``followup`` and ``area`` of its numbers are kept back."""

    practitioner_id: UUID
    department_id: UUID
    day: date
    period: Period
    starts: time
    ends: time
    quota: int
    fee_fen: int
    clinic_type: ClinicType
    later: int = 0
    followup: int = 0
    area: int = 0


@dataclass
class DayPlan:
    """The clinics of one day; ``unknown``: periods about which nothing can be said, as the year's holidays are not
    known; ``touched``: periods with an exception, and when it was entered."""

    clinics: dict[Cell, Plan] = field(default_factory=dict)
    unknown: set[Cell] = field(default_factory=set)
    touched: dict[Cell, datetime] = field(default_factory=dict)


def day_plan(session: Session, day: date) -> DayPlan:
    """The clinics that a day should have."""
    known = calendar(session)
    bases = {day: _base(session, day, known)}
    made = DayPlan(dict(bases[day].clinics), set(bases[day].unknown))
    for exception in _live(session, day):
        for when in {exception.day, exception.swap_day or day} - set(bases):
            bases[when] = _base(session, when, known)
        _apply(made, exception, day, bases)
    return made


def in_force(session: Session, day: date) -> list[Roster]:
    """The templates in force on a day, all weekdays: of each doctor, weekday and period the one that began last."""
    rows = session.scalars(
        select(Roster)
        .join(Practitioner, Practitioner.id == Roster.practitioner_id)
        .where(Practitioner.active, Roster.valid_from <= day)
        .where(Roster.valid_to.is_(None) | (Roster.valid_to >= day))
        .order_by(Roster.valid_from)
    )
    return list({(row.practitioner_id, row.weekday, row.period): row for row in rows}.values())


def _base(session: Session, day: date, known: Calendar) -> DayPlan:
    made = DayPlan()
    rosters = in_force(session, day)
    for roster in sorted(
        rosters, key=lambda roster: roster.weekday == day.weekday()
    ):  # its own weekday goes last: wins
        cell = (roster.practitioner_id, roster.period)
        try:
            if known.holds(roster, day):
                made.clinics[cell] = _of(roster, day)
        except UnknownYear:
            made.unknown.add(cell)
    made.unknown -= set(made.clinics)
    return made


def _of(roster: Roster, day: date) -> Plan:
    return Plan(
        practitioner_id=roster.practitioner_id,
        department_id=roster.department_id,
        day=day,
        period=roster.period,
        starts=roster.starts,
        ends=roster.ends,
        quota=roster.quota,
        fee_fen=roster.fee_fen,
        clinic_type=roster.clinic_type,
        later=roster.later_quota,
        followup=roster.followup_quota,
        area=roster.area_quota,
    )


def _live(session: Session, day: date) -> Sequence[RosterException]:
    return session.scalars(
        select(RosterException)
        .where(RosterException.revoked_at.is_(None))
        .where(or_(RosterException.day == day, RosterException.swap_day == day))
    ).all()


def _apply(made: DayPlan, exception: RosterException, day: date, bases: dict[date, DayPlan]) -> None:
    """Every period has at most one live exception, so their order does not matter."""
    own = (exception.practitioner_id, exception.period)
    if exception.kind is ExceptionKind.LEAVE:
        _put(made, own, day, DayPlan(), own, exception)
    elif exception.kind is ExceptionKind.EXTRA:
        _put(made, own, day, DayPlan({own: _extra(exception)}), own, exception)
    elif exception.swap_with_id:
        other = (exception.swap_with_id, exception.period)
        _put(made, own, day, bases[day], other, exception)
        _put(made, other, day, bases[day], own, exception)
    else:
        there = exception.day if day == exception.swap_day else exception.swap_day
        _put(made, own, day, bases[there or day], own, exception)


def _put(made: DayPlan, cell: Cell, day: date, source: DayPlan, other: Cell, exception: RosterException) -> None:
    """Let ``cell`` be as ``other`` is in the source."""
    made.touched[cell] = exception.created_at
    made.clinics.pop(cell, None)
    made.unknown.discard(cell)
    if other in source.unknown:
        made.unknown.add(cell)
    elif found := source.clinics.get(other):
        made.clinics[cell] = replace(found, practitioner_id=cell[0], day=day)


def _extra(exception: RosterException) -> Plan:
    if (
        exception.starts is None
        or exception.ends is None
        or exception.quota is None
        or exception.fee_fen is None
        or exception.clinic_type is None
    ):
        raise ValueError(f"extra clinic {exception.id} without its hours")  # a CHECK forbids it
    return Plan(
        practitioner_id=exception.practitioner_id,
        department_id=exception.department_id,
        day=exception.day,
        period=exception.period,
        starts=exception.starts,
        ends=exception.ends,
        quota=exception.quota,
        fee_fen=exception.fee_fen,
        clinic_type=exception.clinic_type,
    )
