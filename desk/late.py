"""A child that waits too long: who leads the team hands it over, or the colleague to whom it was offered takes it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import visit
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import known
from consultation.line import actions, queries
from consultation.line.actions.watching import offered_to
from consultation.line.refusals import DoctorNotThere
from desk.pages import bp, page
from people.access import leads
from people.models import Practitioner, Role
from wechat.signin import member, staff

WHO = (Role.DOCTOR, Role.TEAM_LEAD, Role.DEPARTMENT_HEAD, Role.ADMINISTRATOR)


@bp.get("/late/<uuid:visit_id>")
@staff(*WHO)
def late(visit_id: UUID) -> ResponseReturnValue:
    at = now()
    with transaction() as session:
        encounter, leading = _found(session, visit_id)
        there = queries.doctors_there(session, encounter.department_id, at, but=encounter.practitioner_id)
        asked = queries.asked(session, encounter)
        shown: dict[str, Any] = {
            "visit": visit(session, visit_id),
            "encounter": encounter,
            "treating": session.get_one(Practitioner, encounter.practitioner_id),
            "doctors": there if leading else [],
            "asked": session.get_one(Practitioner, asked.to_id) if asked else None,
            "myself": any(doctor.id == member().practitioner.id for doctor, _ in there),
            "leading": leading,
            "me": member().practitioner.id,
        }
    return page("late.html", **shown)


@bp.post("/late/<uuid:visit_id>")
@staff(*WHO)
def late_hand_over(visit_id: UUID) -> ResponseReturnValue:
    """The parent is asked whether the colleague may see the child."""
    chosen = request.form.get("practitioner", type=UUID)
    with transaction() as session:
        encounter, leading = _found(session, visit_id)
        if chosen is None or (chosen != member().practitioner.id and not leading):
            raise DoctorNotThere(field="practitioner")
        actions.offer(session, encounter, chosen, member().practitioner, now())
    return redirect(url_for("desk.late", visit_id=visit_id), 303)


def _found(session: Session, visit_id: UUID) -> tuple[Encounter, bool]:
    """The encounter, and whether the member leads its team; the colleague to whom it was offered may see it, too.

    Raises NotFound for everybody else.
    """
    encounter, who = known(session, visit_id), member()
    if encounter is None:
        raise NotFound
    leading = (Role.TEAM_LEAD, encounter.department_id) in who.departments or leads(who, encounter.department_id)
    if not leading and not offered_to(session, visit_id, who.practitioner.id):
        raise NotFound
    return encounter, leading
