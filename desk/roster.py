"""My roster: the doctor's periods of the coming days with how many numbers are taken, and the week as it repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask.typing import ResponseReturnValue

from booking import queries
from booking.models import Period, ScheduleStatus
from booking.queries import Offer
from booking.roster_models import Roster
from config.clock import now, today
from config.database import transaction
from config.policy import current
from desk.pages import bp, page
from people.models import Department, Role
from wechat.signin import member, staff, viewer

WEEK = 7


@dataclass(frozen=True)
class Row:
    """One day with what each period brings; a period without anything is free."""

    day: date
    offers: dict[Period, Offer]


@dataclass(frozen=True)
class WeekRow:
    """One weekday, by the next date that falls on it, with the rosters of each period (several: one is to follow)."""

    day: date
    rosters: dict[Period, list[tuple[Roster, Department]]]


@bp.get("/roster")
@staff(Role.DOCTOR)
def my_roster() -> ResponseReturnValue:
    who, first = viewer(), today(now())
    with transaction() as database:
        last = first + timedelta(days=current(database, now()).horizon_last_day)
        offers = queries.practitioner_offers(database, who, first, last, stopped=True)
        week = queries.practitioner_week(database, who, first)
    return page(
        "roster.html",
        doctor=member().practitioner,
        days=by_day(offers, first, last) if offers else [],
        week=by_weekday(week, first) if week else [],
        today=first,
        several=len({offer.department.id for offer in offers} | {department.id for _, department in week}) > 1,
        stopped=ScheduleStatus.SUSPENDED,
        periods=list(Period),
    )


def by_day(offers: list[Offer], first: date, last: date) -> list[Row]:
    """Every day from the first to the last."""
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    return [Row(day, {offer.schedule.period: offer for offer in offers if offer.schedule.day == day}) for day in days]


def by_weekday(week: list[tuple[Roster, Department]], first: date) -> list[WeekRow]:
    """Monday to Sunday."""
    monday = first - timedelta(days=first.weekday())
    return [
        WeekRow(
            monday + timedelta(days=weekday),
            {
                period: [row for row in week if (row[0].weekday, row[0].period) == (weekday, period)]
                for period in Period
            },
        )
        for weekday in range(WEEK)
    ]
