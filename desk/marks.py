"""The doctor's own list: the child came, or did not; one tap, and one to take it back."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking.queries import own_appointment
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from consultation.line.actions import mark, unmark
from desk.pages import bp
from people.models import Department, Role
from wechat.signin import staff, viewer


@bp.post("/visits/<uuid:visit_id>/mark")
@staff(Role.DOCTOR)
def mark_visit(visit_id: UUID) -> ResponseReturnValue:
    said = request.form.get("mark")
    if said not in {"came", "missed", "undo"}:
        raise NotFound
    with transaction() as session:
        at = now()
        appointment, _ = own_appointment(session, viewer(), visit_id)
        if said == "undo":
            unmark(session, viewer(), visit_id, at)
        else:
            policy = current(session, at, session.get_one(Department, appointment.department_id).code)
            mark(session, viewer(), visit_id, came=said == "came", now=at, policy=policy)
    return redirect(url_for("desk.my_list") + f"#visit-{visit_id}", 303)
