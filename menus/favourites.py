"""One doctor with the coming days, and the doctors that a parent has marked with a heart."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import choosing, rules
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from config.text import N_
from menus.pages import bp, lead_back, page
from people import favourites
from people.models import Department, Practitioner
from wechat.signin import account_id, public, signed_in, viewer


@bp.get("/doctors/<uuid:doctor_id>")
@public
def doctor(doctor_id: UUID) -> ResponseReturnValue:
    """Who the doctor is, what a visit costs, and the periods of the coming days."""
    with transaction() as session:
        at = now()
        chosen, department = _doctor(session, doctor_id)
        policy = current(session, at, department.code)
        shown = rules.shown_days(at, policy)
        offers = choosing.doctor_offers(session, doctor_id, shown[0], shown[-1]) if shown else []
        marked = account_id() is not None and favourites.is_marked(session, viewer(), doctor_id)
    return page(
        "doctor.html",
        doctor=chosen,
        department=department,
        offers=offers,
        open_days=rules.open_days(at, policy),
        opens_at={day: rules.released_at(day, policy) for day in shown},
        fees=sorted({offer.schedule.fee_fen for offer in offers}),
        signed_in=account_id() is not None,
        marked=marked,
        policy=policy,
    )


def _doctor(session: Session, doctor_id: UUID) -> tuple[Practitioner, Department]:
    """A doctor who works here. Raises NotFound; others of the staff have no page."""
    found = session.get(Practitioner, doctor_id)
    if found is None or not found.active or found.title is None or found.department_id is None:
        raise NotFound
    return found, session.get_one(Department, found.department_id)


@bp.post("/doctors/<uuid:doctor_id>/favourite")
@signed_in
def mark(doctor_id: UUID) -> ResponseReturnValue:
    lead_back(f"/doctors/{doctor_id}", N_("Back to the doctor"))
    with transaction() as session:
        _doctor(session, doctor_id)
        favourites.mark(session, viewer(), doctor_id, now(), wanted=request.form.get("wanted") == "yes")
    return redirect(url_for(".doctor", doctor_id=doctor_id), 303)


@bp.get("/favourites")
@signed_in
def my_doctors() -> ResponseReturnValue:
    with transaction() as session:
        mine = favourites.marked(session, viewer())
    return page("favourites.html", mine=mine)
