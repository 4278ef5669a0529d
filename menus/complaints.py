"""A complaint about a visit: filed with a number and a day for the answer, read, closed."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import queries as bookings
from config.clock import now
from config.database import transaction
from config.policy import current
from config.text import N_
from consultation.after import actions, queries
from consultation.after.library import lists
from consultation.after.models import ComplaintStatus
from consultation.after.rules import TEXT
from menus.forms import BadForm, ComplaintForm, read
from menus.pages import bp, lead_back, page
from menus.ways import VISITS
from wechat.signin import signed_in, viewer


@bp.get("/visits/<uuid:visit_id>/complaint")
@signed_in
def complain(visit_id: UUID) -> ResponseReturnValue:
    """The form; while a complaint about the visit waits for its answer, that one."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    with transaction() as session:
        bookings.visit_of(session, viewer(), visit_id)
        waiting = queries.open_complaint(session, visit_id)
    if waiting:
        return redirect(url_for(".complaint", complaint_id=waiting.id))
    return _form(visit_id)


@bp.post("/visits/<uuid:visit_id>/complaint")
@signed_in
def file_complaint(visit_id: UUID) -> ResponseReturnValue:
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    try:
        form = read(ComplaintForm, request.form)
    except BadForm as bad:
        return _form(visit_id, bad.problems)
    at, who = now(), viewer()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        policy = current(session, at, visit.department.code)
        filed = actions.file(session, who, visit_id, form.category, form.text, at, policy)
    return redirect(url_for(".complaint", complaint_id=filed.id), 303)


@bp.get("/complaints/<uuid:complaint_id>")
@signed_in
def complaint(complaint_id: UUID) -> ResponseReturnValue:
    """Where it stands, until when it is answered, and the answer; that this was read is kept."""
    with transaction() as session:
        found, visit = queries.complaint_of(session, viewer(), complaint_id)
        if found.status is ComplaintStatus.ANSWERED and found.read_at is None:
            found.read_at = now()
    category = lists().category_of(found.category)
    about = category.text.model_dump() if category else None
    return page("complaint.html", tab=VISITS, visit=visit, found=found, about=about)


@bp.post("/complaints/<uuid:complaint_id>/close")
@signed_in
def close_complaint(complaint_id: UUID) -> ResponseReturnValue:
    """The family has nothing more to say."""
    lead_back(f"/complaints/{complaint_id}", N_("Back"))
    with transaction() as session:
        actions.close_by_family(session, viewer(), complaint_id, now())
    return redirect(url_for(".complaint", complaint_id=complaint_id), 303)


def _form(visit_id: UUID, problems: dict[str, str] | None = None) -> ResponseReturnValue:
    at = now()
    with transaction() as session:
        visit = bookings.visit_of(session, viewer(), visit_id)
        policy = current(session, at, visit.department.code)
    categories = [(one.code, one.text.model_dump()) for one in lists().category]
    return page(
        "complain.html", tab=VISITS, status=422 if problems else 200, visit=visit, policy=policy,
        categories=categories, problems=problems or {}, typed=request.form, most=TEXT,
    )  # fmt: skip
