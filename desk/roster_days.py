"""The year's holidays and make-up workdays: the public calendar, and the hospital's own table over it."""

from __future__ import annotations

from datetime import date

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking.roster_models import DayKind
from booking.rosters import calendar as days
from booking.rosters import columns, cutting, words
from booking.rosters.columns import BadCell
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from desk.pages import bp, page, say
from desk.rosters import KEEPERS, typed
from people.models import Role
from wechat.signin import member, staff, viewer

YEARS_AHEAD = 2


@bp.get("/rosters/holidays")
@staff(*KEEPERS)
def holidays() -> ResponseReturnValue:
    """A year's special days; without one named, the year that nobody knows yet if it is near, else this one."""
    return _page(request.args.get("year", type=int), {})


@bp.post("/rosters/holidays")
@staff(Role.ADMINISTRATOR)
def set_holiday() -> ResponseReturnValue:
    """Enter a day into the hospital's own table."""
    kind = next((kind for kind in DayKind if kind == request.form.get("kind")), None)
    weekday = request.form.get("as_weekday", "")
    if kind is None or weekday not in {"", *map(str, range(7))}:
        raise NotFound
    try:
        day = columns.read_date(typed("day"))
    except BadCell as bad:
        return _page(request.form.get("year", type=int), {"day": say(bad.message, **bad.params)})
    with transaction() as session:
        days.set_day(session, day, kind, int(weekday) if weekday else None, by=viewer().account_id, now=now())
        cutting.cut_soon(session, [day], now(), current(session, now()))
    return redirect(url_for("desk.holidays", year=day.year), 303)


@bp.post("/rosters/holidays/<day>/forget")
@staff(Role.ADMINISTRATOR)
def forget_holiday(day: str) -> ResponseReturnValue:
    try:
        when = date.fromisoformat(day)
    except ValueError:
        raise NotFound from None
    with transaction() as session:
        days.forget_day(session, when, by=viewer().account_id, now=now())
        cutting.cut_soon(session, [when], now(), current(session, now()))
    return redirect(url_for("desk.holidays", year=when.year), 303)


@bp.post("/rosters/holidays/<int:year>/complete")
@staff(Role.ADMINISTRATOR)
def complete_year(year: int) -> ResponseReturnValue:
    """The table of a year that the public calendar does not know has every day: it may be cut."""
    if year not in _years():
        raise NotFound
    with transaction() as session:
        days.complete_year(session, year, by=viewer().account_id, now=now())
        policy = current(session, now())
        cutting.cut_soon(session, cutting.cut_days(now(), policy), now(), policy)
    return redirect(url_for("desk.holidays", year=year), 303)


def _years() -> range:
    this = today(now()).year
    return range(this, this + YEARS_AHEAD + 1)


def _page(year: int | None, problems: dict[str, str]) -> ResponseReturnValue:
    with transaction() as session:
        known = days.calendar(session)
        unknown = days.first_unknown_year(session, now())
        asked = days.year_asked(session, unknown)
    fallback = unknown if asked else today(now()).year
    shown = year if year is not None and year in _years() else fallback
    return page(
        "roster_days.html",
        422 if problems else 200,
        year=shown,
        years=_years(),
        known=shown in known.years,
        listed=known.special(shown),
        may_change=Role.ADMINISTRATOR in member().roles,
        problems=problems,
        sent=request.form,
        words=words,
    )
