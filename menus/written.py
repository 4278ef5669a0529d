"""A visit in writing on the family's page: chosen, begun; and a call that can't be, which goes on in writing."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from config.text import N_
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import GUARDIANS, known, seat
from consultation.written import actions
from consultation.written.rules import offered
from menus.forms import BadForm, read
from menus.line import PresentForm, asked_again, show_again
from menus.pages import bp, lead_back
from wechat.signin import signed_in, viewer


@bp.post("/visits/<uuid:visit_id>/write")
@signed_in
def begin_writing(visit_id: UUID) -> ResponseReturnValue:
    """The guardian with the child begins to write to the doctor."""
    lead_back(_room(visit_id), N_("Back to the visit"))
    try:
        form = read(PresentForm, request.form)
    except BadForm as bad:
        return show_again(visit_id, bad)
    who, at = viewer(), now()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        policy = current(session, at, visit.department.code)
        actions.begin(session, visit, who.account_id, form.phone, at, policy)
        strict = asked_again(session, visit, at, f"account:{who.account_id}")
    return redirect(url_for("menus.intake_now", visit_id=visit_id) if strict else _room(visit_id), 303)


@bp.post("/visits/<uuid:visit_id>/in-writing")
@signed_in
def in_writing(visit_id: UUID) -> ResponseReturnValue:
    """Rather in writing: before the visit where its clinic offers that, in the room whenever the call can't be."""
    lead_back(_room(visit_id), N_("Back to the visit"))
    with transaction() as session:
        visit, found = bookings.visit_of(session, viewer(), visit_id), known(session, visit_id)
        if found is None or found.status is EncounterStatus.PLANNED:
            if not choose(session, visit):
                raise NotFound
        else:
            here, at = seat(session, viewer(), visit_id), now()
            if here.role not in GUARDIANS:
                raise NotFound
            actions.switch(session, here, at, current(session, at, visit.department.code))
    return redirect(_room(visit_id), 303)


def choose(session: Session, visit: Visit) -> bool:
    """The viewer's visit is to be held in writing, if its clinic offers that. Returns whether it does."""
    at = now()
    may = offered(visit.schedule.clinic_type, current(session, at, visit.department.code))
    if may:
        actions.choose(session, visit, viewer().account_id, at)
    return may


def _room(visit_id: UUID) -> str:
    return url_for("menus.room", visit_id=visit_id)
