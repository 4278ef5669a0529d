"""An appeal against a closed booking: what was missed, what the parent says, and the decision with its reason."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions, suspension
from booking.fair_models import APPEAL
from config.clock import now
from config.database import transaction
from config.text import N_
from desk.pages import bp, page
from people.models import Role
from wechat.signin import member, staff

MISSING = N_("Please write the reason: the family reads it.")
UNDECIDED = N_("Please choose one of the two.")


@bp.get("/suspensions/<uuid:suspension_id>")
@staff(Role.ADMINISTRATOR)
def suspended(suspension_id: UUID) -> ResponseReturnValue:
    return _page(suspension_id)


@bp.post("/suspensions/<uuid:suspension_id>")
@staff(Role.ADMINISTRATOR)
def decide(suspension_id: UUID) -> ResponseReturnValue:
    answer, decision = request.form.get("answer", "").strip(), request.form.get("decision")
    if decision not in {"lift", "uphold"} or not answer:
        return _page(suspension_id, UNDECIDED if answer else MISSING, answer)
    with transaction() as session:
        actions.decide(session, member(), suspension_id, lift=decision == "lift", answer=answer, now=now())
    return redirect(url_for(".suspended", suspension_id=suspension_id), 303)


def _page(suspension_id: UUID, problem: str | None = None, typed: str = "") -> ResponseReturnValue:
    with transaction() as session:
        found = suspension.one(session, suspension_id)
    return page("suspension.html", 422 if problem else 200, one=found, problem=problem, typed=typed, most=APPEAL)
