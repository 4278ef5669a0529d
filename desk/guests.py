"""Others in the room, at the desk: ask for another doctor of the department, see who is there, leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.ids import parse_id
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import OVER, seat
from consultation.talk import guests
from desk.pages import HOME, bp
from desk.visit import Here, Part
from people.models import Role
from wechat.signin import staff, viewer


def part(here: Here) -> dict[str, Any] | None:
    """Those invited, and for the treating doctor whom to ask. None: the visit is over."""
    encounter = here.seat.encounter
    if encounter.status in OVER:
        return None
    treating = here.seat.role is SeatRole.PRACTITIONER
    return {
        "base": f"/desk/visits/{encounter.appointment_id}",
        "guests": guests.guests(here.session, encounter),
        "others": guests.other_doctors(here.session, encounter) if treating else [],
        "second": not treating,
    }


PART = Part("side", "desk/guests.html", part)


@bp.post("/visits/<uuid:visit_id>/guests")
@staff(Role.DOCTOR)
def ask_doctor(visit_id: UUID) -> ResponseReturnValue:
    """POST: the family is asked whether a colleague may join."""
    with transaction() as session:
        here = seat(session, viewer(), visit_id, lock=True)
        guests.ask_doctor(session, here, parse_id(request.form.get("practitioner")) or UUID(int=0), now())
    return redirect(f"{url_for('desk.visit', visit_id=visit_id)}#guests", 303)


@bp.post("/visits/<uuid:visit_id>/guests/leave")
@staff(Role.DOCTOR)
def leave_visit(visit_id: UUID) -> ResponseReturnValue:
    """POST: a second doctor leaves."""
    with transaction() as session:
        here = seat(session, viewer(), visit_id, lock=True)
        if not here.is_doctor:
            raise NotFound
        guests.leave(session, here, now())
    return redirect(HOME, 303)
