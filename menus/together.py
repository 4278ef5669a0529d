"""Siblings back to back: several children in one go, one confirmation, all of them or none."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions
from booking import queries as bookings
from config.clock import now
from config.database import transaction
from config.policy import current
from config.text import N_
from menus.pages import bp, lead_back, page
from menus.visits import choices, confirmation
from menus.ways import screen_first
from people import access
from wechat.signin import signed_in, viewer

CHOOSE = N_("Please choose at least two children.")


@bp.get("/schedules/<uuid:schedule_id>/together")
@signed_in
def choose_together(schedule_id: UUID) -> ResponseReturnValue:
    return _page(schedule_id)


@bp.post("/schedules/<uuid:schedule_id>/together")
@signed_in
def book_together(schedule_id: UUID) -> ResponseReturnValue:
    """Both or none. What costs something is held for each child, and paid for each by itself."""
    lead_back(url_for(".choose_together", schedule_id=schedule_id), N_("Choose again"))
    chosen = _children()
    if len(chosen) < 2:
        return _page(schedule_id, chosen=chosen, problem=CHOOSE, status=422)
    who = viewer()
    with transaction() as session:
        at = now()
        offer = bookings.offer(session, schedule_id)
        patients = [access.patient_of(session, who, child) for child in chosen]
        policy = current(session, at, offer.department.code)
        unasked = choices(session, who, offer, at, policy)["unasked"] & set(chosen)
        if unasked:  # the questions first, one child after the other
            here = url_for(".choose_together", schedule_id=schedule_id)
            return redirect(screen_first(next(child for child in chosen if child in unasked), here), 303)
        actions.book_together(session, schedule_id, patients, who.account_id, at, policy)
    return redirect(url_for(".visits", note="together"), 303)


def _children() -> list[UUID]:
    """The children ticked, each once, in the order of the page."""
    found: dict[UUID, None] = {}
    for text in request.form.getlist("patient"):
        try:
            found[UUID(text)] = None
        except ValueError:
            continue
    return list(found)


def _page(schedule_id: UUID, status: int = 200, **more: Any) -> ResponseReturnValue:
    with transaction() as session:
        shown = confirmation(session, viewer(), schedule_id, now())
    free = [child for child in shown["children"] if child.patient.id not in shown["reasons"]]
    context = {"chosen": [], "problem": None, **more, **shown}
    return page("together.html", status=status, possible=len(free) > 1, **context)
