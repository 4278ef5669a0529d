"""The doctor's own list: who is booked with them today and on the coming days, and nothing to change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from booking import queries
from booking.models import Schedule
from booking.queries import Offer, Visit
from config.clock import now, today
from config.database import transaction
from config.policy import current
from desk.pages import bp, page
from people.models import Role
from wechat.signin import member, staff, viewer


@dataclass(frozen=True)
class Session:
    """One period of the doctor: its children in order, and how many numbers it has (None: the clinic is stopped)."""

    schedule: Schedule
    total: int | None
    visits: list[Visit]


@dataclass(frozen=True)
class Day:
    """One day with its periods."""

    day: date
    sessions: list[Session]


@bp.get("")
@staff(*Role)
def my_list() -> ResponseReturnValue:
    """The list for doctors; others of the staff begin with their tasks."""
    if Role.DOCTOR not in member().roles:
        return redirect(url_for("desk.task_list"))
    who = viewer()
    with transaction() as database:
        first = today(now())
        last = first + timedelta(days=current(database, now()).horizon_last_day)
        visits = queries.practitioner_visits(database, who, first, last)
        offers = queries.practitioner_offers(database, who, first, last)
    return page("list.html", doctor=member().practitioner, days=by_day(visits, offers), today=first, booked=len(visits))


def by_day(visits: list[Visit], offers: list[Offer]) -> list[Day]:
    """The doctor's periods by day; a stopped period still shows the children who are booked in it."""
    sessions = {offer.schedule.id: Session(offer.schedule, offer.total, []) for offer in offers}
    for visit in visits:
        stopped = Session(visit.schedule, None, [])
        sessions.setdefault(visit.schedule.id, stopped).visits.append(visit)
    ordered = sorted(sessions.values(), key=lambda session: session.schedule.starts_at)
    return [Day(day, list(group)) for day, group in groupby(ordered, key=lambda session: session.schedule.day)]
