"""What families say: how visits were, by department and month, and complaints, for those who lead."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking.queries import visit as whole
from config.clock import now, today
from config.database import transaction
from config.text import N_
from consultation.after import actions, queries
from consultation.after.library import lists
from consultation.after.refusals import NoText
from consultation.after.rules import FEWEST, REPLY
from desk.clinics import departments_of
from desk.pages import LEADERS, bp, page
from people.audit import record as audit
from people.models import Practitioner
from wechat.signin import member, staff, viewer

NO_MONTH = N_("This is no month: write it like 2026-11.")


@bp.get("/feedback")
@staff(*LEADERS)
def feedback() -> ResponseReturnValue:
    """Complaints that wait, then the answers of a month; nothing is counted under five answers."""
    at = now()
    typed = request.args.get("month", f"{today(at):%Y-%m}")
    first = _month(typed)
    shown: dict[str, Any] = {}
    with transaction() as session:
        departments = departments_of(session, member())
        waiting, past = queries.complaints_for(session, member())
        if first:
            last = first.replace(day=monthrange(first.year, first.month)[1])
            ids = [department.id for department in departments]
            shown = {
                "counts": queries.satisfaction(session, ids, first, last),
                "before": first - timedelta(days=1),
                "next": last + timedelta(days=1),
            }
    return page(
        "feedback.html", 200 if first else 422, now=at, today=today(at), typed=typed, first=first,
        problem=None if first else NO_MONTH, departments=departments, waiting=waiting, past=past, fewest=FEWEST,
        names={department.id: department.name for department in departments}, reasons=_texts(), **shown,
    )  # fmt: skip


def _month(typed: str) -> date | None:
    """The first day of a month written like 2026-11."""
    try:
        first = date.fromisoformat(f"{typed}-01")
    except ValueError:
        return None
    return first if date(2000, 1, 1) <= first < date(2100, 1, 1) else None


def _texts() -> dict[str, dict[str, str]]:
    """Reasons in words, by code."""
    return {one.code: one.text.model_dump() for one in lists().reason}


@bp.get("/feedback/complaints/<uuid:complaint_id>")
@staff(*LEADERS)
def complaint(complaint_id: UUID) -> ResponseReturnValue:
    return _complaint(complaint_id)


@bp.post("/feedback/complaints/<uuid:complaint_id>")
@staff(*LEADERS)
def see_to_complaint(complaint_id: UUID) -> ResponseReturnValue:
    """Look into it, answer it, close it."""
    answer, verb = request.form.get("answer", ""), request.form.get("do")
    try:
        with transaction() as session:
            if verb == "close":
                actions.close(session, member(), complaint_id, now())
            elif verb == "take":
                actions.take(session, member(), complaint_id, now())
            else:
                actions.reply(session, member(), complaint_id, answer, now())
    except NoText as refused:
        return _complaint(complaint_id, refused.message, answer)
    return redirect(url_for(".complaint", complaint_id=complaint_id), 303)


def _complaint(complaint_id: UUID, problem: str | None = None, typed: str = "") -> ResponseReturnValue:
    at = now()
    with transaction() as session:
        found = queries.complaint_for(session, member(), complaint_id)
        shown = {"visit": whole(session, found.appointment_id)}
        doctor = session.get_one(Practitioner, found.practitioner_id)
        by = viewer().account_id
        audit(session, "see-complaint", at=at, entity="complaint", entity_id=found.id, account_id=by)
    category = lists().category_of(found.category)
    about = category.text.model_dump() if category else None
    return page(
        "complaint.html", 422 if problem else 200, found=found, doctor=doctor, about=about, problem=problem,
        typed=typed, most=REPLY, now=at, **shown,
    )  # fmt: skip
