"""Today in figures, or another day: each department that the member leads, and all of them together."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from booking.figures import figures, total
from booking.models import AppointmentStatus
from config.clock import now, today
from config.database import transaction
from desk.appointments import NO_DAY, parsed_day
from desk.clinics import departments_of
from desk.pages import LEADERS, bp, page
from wechat.signin import member, staff


@bp.get("/today")
@staff(*LEADERS)
def day_in_figures() -> ResponseReturnValue:
    here = today(now())
    typed = request.args.get("day", here.isoformat())
    day = parsed_day(typed)
    with transaction() as session:
        departments = departments_of(session, member())
        found = figures(session, [department.id for department in departments], day) if day else {}
    return page(
        "figures.html",
        200 if day else 422,
        day=day,
        today=here,
        typed=typed,
        problem=None if day else NO_DAY,
        departments=[department for department in departments if department.id in found],
        figures=found,
        total=total(found.values()),
        statuses=list(AppointmentStatus),
    )
