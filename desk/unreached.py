"""A family that no message reached: whom to call, and what they have to be told."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from desk.pages import bp, page
from notifications.queries import missed
from notifications.unreached import FAMILY
from people import tasks
from people.audit import record as audit
from people.models import Role
from wechat.signin import member, staff, viewer


@bp.get("/families/<uuid:patient_id>")
@staff(Role.ADMINISTRATOR)
def family(patient_id: UUID) -> ResponseReturnValue:
    """Only while the task is open; whoever looks is recorded."""
    with transaction() as session:
        task, child = tasks.about_child(session, member(), FAMILY, patient_id)
        found = missed(session, patient_id)
        by = viewer().account_id
        audit(session, "see-unreached-family", at=now(), entity="patient", entity_id=patient_id, account_id=by)
    return page("family.html", task=task, child=child, missed=found, note=tasks.NOTE)
