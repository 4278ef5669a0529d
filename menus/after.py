"""After a visit, on the family's side: how it was, and the one question about the advice."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.models import COMING
from booking.queries import Visit
from config.clock import now
from config.database import transaction
from config.policy import Policy, current
from config.text import N_
from consultation.after import actions, queries
from consultation.after.library import lists
from consultation.after.queries import After
from consultation.after.refusals import AlreadyAsked, NotOver, QuestionClosed
from consultation.after.rules import TEXT
from menus.forms import BadForm, QuestionForm, read
from menus.pages import bp, lead_back, lead_on, page
from menus.room import Here, Part
from menus.ways import VISITS
from wechat.signin import signed_in, viewer


def after_of(session: Session, visit: Visit, at: datetime, policy: Policy) -> dict[str, Any]:
    """What the visit's page says afterwards: ``after`` is None before the visit is over."""
    coming = visit.appointment.status in COMING and visit.schedule.over_at > at
    return {"after": None if coming else queries.after(session, visit, policy), "asked_at": at}


def part(here: Here) -> dict[str, Any] | None:
    """The part of the room's page, once the visit took place."""
    policy = current(here.session, here.now, here.visit.department.code)
    found = after_of(here.session, here.visit, here.now, policy)
    return found if found["after"] and found["after"].over else None


PART = Part("menus/after_part.html", part)


@bp.post("/visits/<uuid:visit_id>/rating")
@signed_in
def rate(visit_id: UUID) -> ResponseReturnValue:
    """One tap: a score; or on the page after it, a reason that is given or taken back."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    at, who, reason = now(), viewer(), request.form.get("reason")
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        policy = current(session, at, visit.department.code)
        if reason:
            actions.give_reason(session, who, visit_id, reason, at, policy)
        else:
            actions.rate(session, who, visit_id, request.form.get("score", 0, type=int), at, policy)
    return redirect(url_for(".rating", visit_id=visit_id), 303)


@bp.get("/visits/<uuid:visit_id>/rating")
@signed_in
def rating(visit_id: UUID) -> ResponseReturnValue:
    """What was said, and why; a further tap changes it."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    visit, found, _ = _found(visit_id)
    if found.over is None:
        raise NotOver
    reasons = lists().reasons_at(found.rating.score) if found.rating else []
    return page("rating.html", tab=VISITS, visit=visit, after=found, asked_at=now(), reasons=reasons)


@bp.get("/visits/<uuid:visit_id>/question")
@signed_in
def question(visit_id: UUID) -> ResponseReturnValue:
    return _question_page(visit_id)


@bp.post("/visits/<uuid:visit_id>/question")
@signed_in
def ask(visit_id: UUID) -> ResponseReturnValue:
    """Send the question to the visit's doctor."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    try:
        form = read(QuestionForm, request.form)
    except BadForm as bad:
        return _question_page(visit_id, bad.problems)
    at, who = now(), viewer()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        lead_on(f"/internet-diagnosis/{visit.department.code}", N_("Book a visit"))
        actions.ask(session, who, visit_id, form.text, at, current(session, at, visit.department.code))
    return redirect(url_for(".visit", visit_id=visit_id, _anchor="question"), 303)


def _question_page(visit_id: UUID, problems: dict[str, str] | None = None) -> ResponseReturnValue:
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    visit, found, policy = _found(visit_id)
    lead_on(f"/internet-diagnosis/{visit.department.code}", N_("Book a visit"))
    if found.over is None:
        raise NotOver
    if found.question:
        raise AlreadyAsked
    if found.question_until is None or now() >= found.question_until:
        raise QuestionClosed(hours=policy.question_hours)
    return page(
        "question.html", tab=VISITS, status=422 if problems else 200, visit=visit, after=found, policy=policy,
        problems=problems or {}, typed=request.form.get("text", ""), most=TEXT,
    )  # fmt: skip


def _found(visit_id: UUID) -> tuple[Visit, After, Policy]:
    """The visit, what came after it, and the rules. Raises NotFound."""
    with transaction() as session:
        visit = bookings.visit_of(session, viewer(), visit_id)
        policy = current(session, now(), visit.department.code)
        return visit, queries.after(session, visit, policy), policy
