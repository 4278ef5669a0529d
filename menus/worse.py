"""The child got worse after a visit: one tap tells the team; then how the child is now, and what to do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions as booking
from booking import queries as bookings
from booking.admission import PASSING, Admission, Age, Screen, Unanswered
from booking.queries import Visit
from booking.refusals import ScreenUnavailable
from config.clock import now, today
from config.database import transaction
from config.policy import current
from config.text import N_
from consultation.after import actions, queries
from menus.pages import lead_back, page
from menus.screening import FIELD, advice_at, answers_to
from menus.ways import VISITS
from wechat.signin import signed_in, viewer


def blueprint(admission: Admission) -> Blueprint:
    """The pages; the questions are those that come before a number."""
    bp = Blueprint("worse", __name__)

    @bp.post("/visits/<uuid:visit_id>/worse")
    @signed_in
    def tell(visit_id: UUID) -> ResponseReturnValue:
        """The one tap."""
        lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
        at, who = now(), viewer()
        with transaction() as session:
            visit = bookings.visit_of(session, who, visit_id)
            actions.worse(session, who, visit_id, at, current(session, at, visit.department.code))
        return redirect(url_for(".show", visit_id=visit_id), 303)

    @bp.get("/visits/<uuid:visit_id>/worse")
    @signed_in
    def show(visit_id: UUID) -> ResponseReturnValue:
        """What to do now: help first, then the questions, or what follows from their answers."""
        return _page(admission, visit_id)

    @bp.post("/visits/<uuid:visit_id>/worse/answers")
    @signed_in
    def answer(visit_id: UUID) -> ResponseReturnValue:
        """How the child is now; a warning sign is told to the team at once."""
        lead_back(f"/visits/{visit_id}/worse", N_("What to do now"))
        at, who = now(), viewer()
        with transaction() as session:
            visit = bookings.visit_of(session, who, visit_id)
        try:
            asked = admission.questions(_age(visit))
            answers = answers_to(asked)
            verdict = admission.judge(_age(visit), answers)
        except Unanswered as missing:
            return _page(admission, visit_id, missing.ids)
        except ScreenUnavailable:
            return redirect(url_for(".show", visit_id=visit_id), 303)
        with transaction() as session:
            visit = bookings.visit_of(session, who, visit_id)
            policy = current(session, at, visit.department.code)
            kept = booking.keep_answers(session, visit.patient, who.account_id, asked, answers, verdict, at, policy)
            actions.answered(session, who, visit_id, kept)
        return redirect(url_for(".show", visit_id=visit_id), 303)

    return bp


def _page(admission: Admission, visit_id: UUID, missing: Collection[str] = ()) -> ResponseReturnValue:
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    with transaction() as session:
        visit = bookings.visit_of(session, viewer(), visit_id)
        found = queries.after(session, visit, current(session, now(), visit.department.code))
        kept = queries.screen_of(session, found.worsening) if found.worsening else None
    if found.worsening is None:
        return redirect(url_for("menus.visit", visit_id=visit_id))
    shown: dict[str, Any] = {"kept": kept, "stop": kept is not None and kept.level not in PASSING, "advice": ()}
    if kept and not missing and "again" not in request.args:
        shown["advice"] = advice_at(admission, kept.level)
    else:
        shown |= {"kept": None, "stop": False, "asked": _asked(admission, visit), "missing": missing, "typed": _typed()}
    return page("worse.html", tab=VISITS, status=422 if missing else 200, visit=visit, after=found, **shown)


def _asked(admission: Admission, visit: Visit) -> Screen | None:
    """The questions; None while the hospital's rules can't be read: help is shown all the same."""
    try:
        return admission.questions(_age(visit))
    except ScreenUnavailable:
        return None


def _age(visit: Visit) -> Age:
    return Age.of(visit.patient.birth_date, today(now()))


def _typed() -> dict[str, str]:
    return {name.removeprefix(FIELD): value for name, value in request.form.items() if name.startswith(FIELD)}
