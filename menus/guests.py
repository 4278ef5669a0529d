"""Others in the room, on the family's side: invite another guardian, join as one, let another doctor in, leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.ids import parse_id
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import OVER, seat
from consultation.talk import guests
from menus.room import Here, Part
from wechat.signin import signed_in, viewer

bp = Blueprint("guests", __name__)
PLACE = "/visits/<uuid:visit_id>"


def part(here: Here) -> dict[str, Any] | None:
    """Those invited, and whom to invite; for somebody invited the way in. None: there is nothing of it."""
    visit_id = here.visit.appointment.id
    if here.encounter is None or here.encounter.status in OVER:
        return None
    if guests.invitation(here.session, here.viewer, visit_id):
        return {"base": f"/visits/{visit_id}", "invited": True, "mine": False, "second": False}
    try:
        role = seat(here.session, here.viewer, visit_id).role
    except NotFound:
        return None
    mine = role is SeatRole.GUARDIAN
    return {  # without anybody, too: what comes later is shown in it
        "base": f"/visits/{visit_id}",
        "invited": False,
        "mine": mine,
        "second": role is SeatRole.SECOND_GUARDIAN,
        "guests": guests.guests(here.session, here.encounter),
        "others": guests.other_guardians(here.session, here.encounter) if mine else [],
    }


PART = Part("menus/guests.html", part)


@bp.post(f"{PLACE}/guests")
@signed_in
def invite(visit_id: UUID) -> ResponseReturnValue:
    """POST: another guardian of the child is invited."""
    with transaction() as session:
        here = seat(session, viewer(), visit_id, lock=True)
        guests.invite_guardian(session, here, parse_id(request.form.get("account")) or UUID(int=0), now())
    return _back(visit_id)


@bp.post(f"{PLACE}/guests/join")
@signed_in
def join(visit_id: UUID) -> ResponseReturnValue:
    """POST: whoever was invited joins."""
    with transaction() as session:
        guests.join(session, viewer(), visit_id, now())
    return _back(visit_id)


@bp.post(f"{PLACE}/guests/<uuid:guest_id>")
@signed_in
def decide(visit_id: UUID, guest_id: UUID) -> ResponseReturnValue:
    """POST: another doctor is let in, or an invitation is ended."""
    with transaction() as session:
        here = seat(session, viewer(), visit_id, lock=True)
        guests.decide(session, here, guest_id, request.form.get("agree") == "yes", now())
    return _back(visit_id)


@bp.post(f"{PLACE}/guests/leave")
@signed_in
def leave(visit_id: UUID) -> ResponseReturnValue:
    """POST: a second guardian leaves."""
    with transaction() as session:
        here = seat(session, viewer(), visit_id, lock=True)
        if here.is_doctor:
            raise NotFound
        guests.leave(session, here, now())
    return redirect(url_for("menus.visit", visit_id=visit_id), 303)


def _back(visit_id: UUID) -> ResponseReturnValue:
    return redirect(f"{url_for('menus.room', visit_id=visit_id)}#guests", 303)
