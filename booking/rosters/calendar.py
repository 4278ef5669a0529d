"""Public holidays and make-up workdays: the country's by ``chinese_calendar``, the hospital's own table before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from chinese_calendar import constants
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.roster_models import CalendarDay, CalendarYear, DayKind, OnHolidays, Roster
from booking.rosters.refusals import YearKnown
from config.clock import at, today
from config.text import N_
from people import tasks
from people.audit import record as audit
from people.models import Role

FRIDAY = 5  # of an isoweekday
ASK_DAYS_AHEAD = 60  # the State Council announces a year in the November before it

YEAR_TASK = tasks.kind(
    "calendar-year",
    title=N_("The public holidays of %(about)s are not known yet. Enter them, or no numbers open in that year."),
    path="/desk/rosters/holidays",
)


@dataclass(frozen=True)
class Day:
    """What the calendar makes of a day: ``kind`` None is as every week; a workday is held as ``as_weekday``.

    ``name`` is the holiday's in the public calendar, in English; ``own``: the hospital's table says so.
    """

    day: date
    kind: DayKind | None = None
    as_weekday: int | None = None
    name: str = ""
    own: bool = False


class UnknownYear(Exception):
    """Nobody knows yet which days of the year are holidays."""


@cache
def public_days() -> dict[date, Day]:
    """The country's holidays and make-up workdays. The n-th make-up workday of a holiday stands for the n-th day that
    was moved to it, as the notices of the State Council have it in order."""
    moved: dict[tuple[int, str], list[date]] = defaultdict(list)
    for day, name in sorted(constants.in_lieu_days.items()):
        moved[day.year, name].append(day)
    found = {day: Day(day, DayKind.HOLIDAY, name=name) for day, name in constants.holidays.items()}
    for day, name in sorted(constants.workdays.items()):
        queue = moved[day.year, name]
        found[day] = Day(day, DayKind.WORKDAY, queue.pop(0).weekday() if queue else None, name)
    return found


@cache
def public_years() -> frozenset[int]:
    """The years that the public calendar knows."""
    return frozenset(day.year for day in public_days())


@dataclass(frozen=True)
class Calendar:
    """The calendar in force: the hospital's own days over the country's, and the years that are known."""

    own: dict[date, Day]
    years: frozenset[int]

    def day(self, day: date) -> Day:
        """What is known of a day. Raises UnknownYear."""
        if day in self.own:
            return self.own[day]
        if day.year not in self.years:
            raise UnknownYear(day.year)
        return public_days().get(day, Day(day))

    def works(self, day: date) -> bool:
        """Whether offices are open: holidays and make-up workdays heeded. Raises UnknownYear."""
        known = self.day(day)
        return day.isoweekday() <= FRIDAY if known.kind is None else known.kind is DayKind.WORKDAY

    def special(self, year: int) -> list[Day]:
        """The days of a year that are not as every week, in order."""
        country = {day: known for day, known in public_days().items() if day.year == year}
        return [known for _, known in sorted((country | {d: k for d, k in self.own.items() if d.year == year}).items())]

    def holds(self, roster: Roster, day: date) -> bool:
        """Whether a template is held on a day, by weekday and calendar. Raises UnknownYear."""
        if roster.on_holidays is OnHolidays.OPEN:
            return roster.weekday == day.weekday()
        known = self.day(day)
        if known.kind is DayKind.HOLIDAY:
            return False
        follows = roster.on_holidays is OnHolidays.AS_WORKDAYS and known.as_weekday is not None
        return roster.weekday == (known.as_weekday if follows else day.weekday())


def calendar(session: Session) -> Calendar:
    """The calendar in force."""
    own = {
        row.day: Day(row.day, row.kind, row.as_weekday, name=getattr(public_days().get(row.day), "name", ""), own=True)
        for row in session.scalars(select(CalendarDay))
    }
    return Calendar(own, public_years() | set(session.scalars(select(CalendarYear.year))))


def set_day(
    session: Session, day: date, kind: DayKind, as_weekday: int | None, *, by: UUID | None, now: datetime
) -> None:
    """Enter a day into the hospital's own table, or change it."""
    values = {"kind": kind, "as_weekday": as_weekday if kind is DayKind.WORKDAY else None}
    made = insert(CalendarDay).values(day=day, **values)
    session.execute(made.on_conflict_do_update(index_elements=["day"], set_=values))
    _audit(session, "set-calendar-day", by, now, day=day.isoformat(), kind=kind.value)


def forget_day(session: Session, day: date, *, by: UUID | None, now: datetime) -> None:
    """The hospital's own table says nothing of the day any more."""
    session.execute(delete(CalendarDay).where(CalendarDay.day == day))
    _audit(session, "forget-calendar-day", by, now, day=day.isoformat())


def complete_year(session: Session, year: int, *, by: UUID | None, now: datetime) -> None:
    """The hospital's own table of a year that the public calendar does not know is complete: it may be cut.

    Raises YearKnown.
    """
    if year in public_years():
        raise YearKnown(year=year)
    session.execute(insert(CalendarYear).values(year=year, author_id=by, at=now).on_conflict_do_nothing())
    tasks.settle(session, YEAR_TASK, year_id(year), why="year known", now=now)
    _audit(session, "complete-calendar-year", by, now, year=year)


def ask_for_years(session: Session, days: Collection[date], now: datetime) -> None:
    """A task for the administrators when these days, or the two months after them, reach into an unknown year."""
    known = calendar(session).years
    last = max(days) + timedelta(days=ASK_DAYS_AHEAD)
    careful = select(func.count()).where(
        Roster.on_holidays != OnHolidays.OPEN, Roster.valid_to.is_(None) | (Roster.valid_to >= min(days))
    )
    if not session.scalar(careful):
        return
    for year in range(min(days).year, last.year + 1):
        if year in known:
            tasks.settle(session, YEAR_TASK, year_id(year), why="year known", now=now)
        else:
            about = {"zh_CN": f"{year}年", "en": str(year)}
            deadline = max(now, at(date(year - 1, 12, 20), datetime.min.time()))
            tasks.open(
                session,
                kind=YEAR_TASK,
                subject_id=year_id(year),
                about=about,
                deadline=deadline,
                now=now,
                role=Role.ADMINISTRATOR,
            )


def first_unknown_year(session: Session, now: datetime) -> int:
    """The next year that nobody knows yet."""
    known = calendar(session).years
    year = today(now).year
    while year in known:
        year += 1
    return year


def year_asked(session: Session, year: int) -> bool:
    """Whether a task asks for the year."""
    return tasks.is_open(session, YEAR_TASK, year_id(year))


def year_id(year: int) -> UUID:
    """The year as the subject of a task."""
    return uuid5(NAMESPACE_OID, f"calendar-year:{year}")


def _audit(session: Session, action: str, by: UUID | None, now: datetime, **detail: Any) -> None:
    audit(session, action, at=now, entity="calendar", account_id=by, **detail)
