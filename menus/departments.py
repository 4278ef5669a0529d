"""Choosing: the departments, one department with its days, and the doctors of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import request
from flask.typing import ResponseReturnValue

from booking import queries as bookings
from booking import rules
from booking.models import Period
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import Policy, current
from config.text import N_
from menus.pages import bp, lead_back, page
from people import departments as directory
from people import queries as people
from people.models import Department
from wechat.signin import public


@dataclass(frozen=True)
class Cell:
    """One period of one day: how many numbers are left, and why it can't be tapped when it can't."""

    period: Period
    state: str  # "free", "full", "unreleased" or "none"
    free: int = 0


@dataclass(frozen=True)
class Day:
    """One line of the department's calendar."""

    day: date
    opens_at: datetime
    cells: tuple[Cell, ...]


@bp.get("/internet-diagnosis")
@public
def departments() -> ResponseReturnValue:
    query = request.args.get("q", "").strip()[:50]
    with transaction() as session:
        at = now()
        days = rules.open_days(at, current(session, at))
        left = bookings.open_departments(session, days[0], days[-1]) if days else {}
        found = directory.search(people.departments(session), query)
    found.sort(key=lambda department: (department.id not in left, not left.get(department.id)))
    return page("departments.html", departments=found, left=left, query=query)


@bp.get("/internet-diagnosis/<code>")
@public
def department(code: str) -> ResponseReturnValue:
    with transaction() as session:
        at = now()
        chosen = people.department(session, code)
        policy = current(session, at, code)
        shown = rules.shown_days(at, policy)
        counts = bookings.period_counts(session, chosen.id, shown[0], shown[-1]) if shown else []
        fees = bookings.fees(session, chosen.id, shown[0], shown[-1]) if shown else None
    days = calendar(counts, at, policy)
    return page("department.html", department=chosen, policy=policy, days=days, fees=fees, periods=Period)


def calendar(counts: list[bookings.PeriodCount], at: datetime, policy: Policy) -> list[Day]:
    """The days a parent sees, each with its two periods."""
    by_period = {(count.day, count.period): count for count in counts}
    open_days = set(rules.open_days(at, policy))

    def cell(day: date, period: Period) -> Cell:
        count = by_period.get((day, period))
        if day not in open_days:
            return Cell(period, "unreleased")
        if count is None:
            return Cell(period, "none")
        return Cell(period, "free" if count.free else "full", count.free)

    return [
        Day(day, rules.released_at(day, policy), tuple(cell(day, period) for period in Period))
        for day in rules.shown_days(at, policy)
    ]


@bp.get("/internet-diagnosis/<code>/<day>/<period>")
@public
def doctors(code: str, day: str, period: str) -> ResponseReturnValue:
    chosen_day, chosen_period = _day(day), _period(period)
    with transaction() as session:
        at = now()
        chosen = people.department(session, code)
        _back_to(chosen)
        policy = current(session, at, code)
        if chosen_day not in rules.shown_days(at, policy):
            raise NotFound
        is_open = chosen_day in rules.open_days(at, policy)
        offers = bookings.offers(session, chosen.id, chosen_day, chosen_period)
    return page(
        "doctors.html",
        department=chosen,
        day=chosen_day,
        period=chosen_period,
        offers=offers,
        is_open=is_open,
        opens_at=rules.released_at(chosen_day, policy),
    )


def _back_to(department: Department) -> None:
    lead_back(f"/internet-diagnosis/{department.code}", N_("Other days"))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound from None


def _period(text: str) -> Period:
    try:
        return Period(text)
    except ValueError:
        raise NotFound from None
