"""After a visit, at the desk: the family's question is answered, and a child that got worse is seen to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking.queries import visit as whole
from booking.screen_models import ScreenResult
from config.clock import now
from config.database import transaction
from consultation.after import actions, queries
from consultation.after.models import Worsening
from consultation.after.rules import REPLY, TEXT
from consultation.encounters.models import SeatRole
from desk.pages import LEADERS, bp, page
from desk.visit import Here, Part
from people.audit import record as audit
from people.models import Practitioner, Role
from wechat.signin import member, staff, viewer

Worse = list[tuple[Worsening, ScreenResult | None]]


def values(here: Here) -> dict[str, Any] | None:
    """The part of the visit's page: only when the family said something after it."""
    appointment_id = here.visit.appointment.id
    question, worse = queries.question(here.session, appointment_id), queries.worsenings(here.session, appointment_id)
    if question is None and not worse:
        return None
    return {
        "question": question,
        "may_answer": here.seat.role is SeatRole.PRACTITIONER,
        "worse": [(one, queries.screen_of(here.session, one)) for one in worse],
        "most": REPLY,
    }


PART = Part("main", "desk/after.html", values)


@bp.post("/visits/<uuid:visit_id>/question")
@staff(Role.DOCTOR)
def answer_question(visit_id: UUID) -> ResponseReturnValue:
    """The treating doctor answers; the family is told."""
    with transaction() as session:
        actions.answer(session, viewer(), visit_id, request.form.get("answer", ""), now())
    return redirect(url_for("desk.visit", visit_id=visit_id) + "#question", 303)


@bp.get("/worse/<uuid:visit_id>")
@staff(Role.DOCTOR, Role.TEAM_LEAD, *LEADERS)
def worse(visit_id: UUID) -> ResponseReturnValue:
    """A child that got worse: its doctor, and who leads the team while the task is open; whoever looks is recorded."""
    with transaction() as session:
        encounter = queries.worse_for(session, member(), visit_id)
        shown: dict[str, Any] = {
            "visit": whole(session, visit_id),
            "encounter": encounter,
            "treating": session.get_one(Practitioner, encounter.practitioner_id),
            "worse": [(one, queries.screen_of(session, one)) for one in queries.worsenings(session, visit_id)],
        }
        by = viewer().account_id
        audit(session, "see-worse", at=now(), entity="appointment", entity_id=visit_id, account_id=by)
    return page("worse.html", mine=encounter.practitioner_id == member().practitioner.id, note=TEXT, **shown)


@bp.post("/worse/<uuid:visit_id>")
@staff(Role.DOCTOR, Role.TEAM_LEAD, *LEADERS)
def see_to_worse(visit_id: UUID) -> ResponseReturnValue:
    """Somebody has seen to it; the family's page says so."""
    with transaction() as session:
        actions.seen(session, member(), visit_id, request.form.get("note", ""), now())
    return redirect(url_for("desk.task_list"), 303)
