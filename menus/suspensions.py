"""Booking is closed for a while: until when, which visits were missed, and the appeal."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions, suspension
from booking.fair_models import APPEAL
from config.clock import now
from config.database import transaction
from config.text import N_
from menus.forms import AppealForm, BadForm, read
from menus.pages import bp, lead_back, page
from menus.ways import VISITS
from wechat.signin import signed_in, viewer


@bp.get("/suspensions")
@signed_in
def suspensions() -> ResponseReturnValue:
    return _page()


@bp.post("/suspensions/<uuid:suspension_id>/appeal")
@signed_in
def appeal(suspension_id: UUID) -> ResponseReturnValue:
    lead_back(url_for(".suspensions"), N_("Back"))
    try:
        form = read(AppealForm, request.form)
    except BadForm as bad:
        return _page(suspension_id, bad.problems, request.form.get("text", ""))
    with transaction() as session:
        actions.appeal(session, viewer(), suspension_id, form.text, now())
    return redirect(url_for(".suspensions"), 303)


def _page(about: UUID | None = None, problems: dict[str, str] | None = None, typed: str = "") -> ResponseReturnValue:
    with transaction() as session:
        found = suspension.mine(session, viewer(), now())
    return page(
        "suspensions.html",
        tab=VISITS,
        status=422 if problems else 200,
        found=found,
        about=about,
        problems=problems or {},
        typed=typed,
        most=APPEAL,
    )
