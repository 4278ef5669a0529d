"""The doctor's past visits, from which children are invited to a follow-up."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import queries, rights
from config.clock import now, today
from config.database import transaction
from config.policy import current
from desk.pages import bp, page
from people.models import Role
from wechat.signin import member, staff, viewer

DAYS = 30  # how far back the list goes


@bp.get("/followups")
@staff(Role.DOCTOR)
def past_list() -> ResponseReturnValue:
    doctor = member().practitioner
    with transaction() as database:
        at = now()
        first = today(at) - timedelta(days=DAYS)
        visits = queries.practitioner_visits(database, viewer(), first, today(at))
        seen = [v for v in reversed(visits) if v.appointment.starts_at <= at and v.appointment.status in rights.SEEN]
        invited = rights.invited(database, doctor, [visit.patient.id for visit in seen], at)
        good_for = current(database, at).followup_days
    return page("followups.html", visits=seen, invited=invited, good_for=good_for, days=DAYS)


@bp.post("/followups/<uuid:visit_id>")
@staff(Role.DOCTOR)
def invite(visit_id: UUID) -> ResponseReturnValue:
    """Invite the child of an own past visit, or take the invitation back."""
    doctor = member().practitioner
    with transaction() as database:
        at = now()
        if request.form.get("invited") == "no":
            rights.withdraw(database, doctor, visit_id, at)
        else:
            rights.invite(database, doctor, visit_id, at, current(database, at))
    return redirect(url_for(".past_list", _anchor=f"visit-{visit_id}"), 303)
