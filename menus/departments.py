"""Choosing: the departments, one department with its days, the doctors of a period, the earliest number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import choosing, rules
from booking import queries as bookings
from booking.choosing import Wanted
from booking.models import Period
from booking.refusals import NothingFree
from booking.rights import controlled_areas
from booking.waiting_queries import waiting_counts
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound
from config.formats import clock, short_day
from config.ids import parse_id
from config.policy import Policy, current
from config.text import N_
from menus.kept import Shown, shared
from menus.pages import bp, lead_back, locale, page
from people import departments as directory
from people import queries as people
from people.models import Department, Title
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
    """What is typed into the search is for its writer alone; the whole list is the same for everybody."""
    query = request.args.get("q", "").strip()[:50]
    if query:
        return page("departments.html", **_departments(query, now()))
    return shared(("departments",), lambda: request.path, lambda at: Shown("departments.html", _departments("", at)))


def _departments(query: str, at: datetime) -> dict[str, Any]:
    with transaction() as session:
        days = rules.open_days(at, current(session, at))
        left = bookings.open_departments(session, days[0], days[-1]) if days else {}
        found = directory.search(people.departments(session), query)
    found.sort(key=lambda department: (department.id not in left, not left.get(department.id)))
    return {"departments": found, "left": left, "query": query}


@bp.get("/internet-diagnosis/<code>")
@public
def department(code: str) -> ResponseReturnValue:
    wanted = _wanted()
    return shared(("department", code, wanted), lambda: _here(wanted), lambda at: _department(code, wanted, at))


def _department(code: str, wanted: Wanted, at: datetime) -> Shown:
    with transaction() as session:
        chosen = people.department(session, code)
        policy = current(session, at, code)
        shown = rules.shown_days(at, policy)
        counts = _counts(session, chosen.id, shown, wanted)
        fees = bookings.fees(session, chosen.id, shown[0], shown[-1]) if shown else None
        doctors = choosing.doctors(session, chosen.id, shown[0], shown[-1]) if shown else []
    days = calendar(counts, at, policy)
    context = {
        "department": chosen,
        "days": days,
        "fees": fees,
        "doctors": doctors,
        "periods": [wanted.period] if wanted.period else list(Period),
        "areas": controlled_areas(policy),
        "part_query": query_of(_whole_day(wanted)),
        "any_free": any(cell.free for day in days for cell in day.cells),
        **_choice(wanted, policy),
    }
    return Shown("department.html", context, _next_release(days, at))


def _counts(session: Session, department_id: UUID, shown: list[date], wanted: Wanted) -> list[bookings.PeriodCount]:
    if not shown:
        return []
    return bookings.period_counts(session, department_id, shown[0], shown[-1], *wanted.conditions())


def _choice(wanted: Wanted, policy: Policy) -> dict[str, Any]:
    """What the filters and the rules show."""
    return {"wanted": wanted, "query": query_of(wanted), "titles": list(Title), "policy": policy}


def _next_release(days: Iterable[Day], at: datetime) -> datetime | None:
    """When the page stops being true by itself: at the release it must show the new day in the same second."""
    return min((day.opens_at for day in days if day.opens_at > at), default=None)


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
    wanted = _whole_day(_wanted())  # the period stands in the path
    key = ("doctors", code, chosen_day, chosen_period, wanted)
    return shared(key, lambda: _here(wanted), lambda at: _doctors(code, chosen_day, chosen_period, wanted, at))


def _doctors(code: str, day: date, period: Period, wanted: Wanted, at: datetime) -> Shown:
    with transaction() as session:
        chosen = people.department(session, code)
        _back_to(chosen)
        policy = current(session, at, code)
        shown = rules.shown_days(at, policy)
        if day not in shown:
            raise NotFound
        offers = bookings.offers(session, chosen.id, day, period, *wanted.conditions())
        everyone = choosing.doctors(session, chosen.id, day, day)
        is_open = rules.is_open(day, at, policy)
        full = [offer.schedule for offer in offers if is_open and not offer.free]
        open_lists = [schedule.id for schedule in full if rules.list_closes_at(schedule, policy) > at]
        lists = dict.fromkeys(open_lists, 0) | waiting_counts(session, open_lists)
        days = calendar(_counts(session, chosen.id, shown, wanted), at, policy)
    opens_at = rules.released_at(day, policy)
    context = {
        "department": chosen,
        "day": day,
        "period": period,
        "days": days,
        "offers": offers,
        "doctors": everyone,
        "is_open": is_open,
        "lists": lists,
        "opens_at": opens_at,
        **_choice(wanted, policy),
    }
    return Shown("doctors.html", context, _next_release(days, at))


@bp.get("/internet-diagnosis/<code>/earliest")
@public
def earliest(code: str) -> ResponseReturnValue:
    """The soonest free number of the department, any doctor, in one tap: on to confirming it."""
    wanted = _wanted()
    with transaction() as session:
        at = now()
        chosen = people.department(session, code)
        _back_to(chosen)
        policy = current(session, at, code)
        found = choosing.earliest(session, chosen.id, rules.open_days(at, policy), at, wanted)
    if found is None:
        opens_at = rules.next_release(at, policy)
        raise NothingFree(day=short_day(today(opens_at), locale()), clock=clock(opens_at))
    return redirect(url_for(".confirm", schedule_id=found))


@bp.get("/clock")
@public
def time_now() -> ResponseReturnValue:
    """The clinic's clock in milliseconds, for the countdown to a release: the phone's own may be wrong."""
    return jsonify(now=int(now().timestamp() * 1000))


def _back_to(department: Department) -> None:
    lead_back(f"/internet-diagnosis/{department.code}", N_("Other days"))


def _wanted() -> Wanted:
    """The filters of this address; what is no doctor, title or period narrows nothing."""
    if not request.query_string:
        return ALL
    sent = request.args
    titles, periods = {title.value: title for title in Title}, {period.value: period for period in Period}
    return Wanted(parse_id(sent.get("doctor")), titles.get(sent.get("title", "")), periods.get(sent.get("time", "")))


ALL = Wanted()


def _whole_day(wanted: Wanted) -> Wanted:
    return Wanted(wanted.practitioner_id, wanted.title)


def query_of(wanted: Wanted) -> dict[str, str]:
    """The filters as they stand in an address."""
    named = {"doctor": wanted.practitioner_id, "title": wanted.title, "time": wanted.period}
    return {name: str(value) for name, value in named.items() if value is not None}


def _here(wanted: Wanted) -> str:
    """This page's address with nothing in it but what the page depends on."""
    query = urlencode(query_of(wanted))
    return f"{request.path}?{query}" if query else request.path


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
