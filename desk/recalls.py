"""Recalls at the desk: whom one would touch, the recall itself, and each family until it has been reached."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.policy import current
from desk.pages import bp, page, say
from desk.stock import KEEPERS, LONGEST, LOOKERS, NO_NOTE
from people.audit import record as audit
from people.models import Patient, Role
from people.queries import practitioner_names
from prescriptions.stock import queries, recalling
from prescriptions.stock.refusals import Recalled
from wechat.signin import member, staff, visitor_locale


@bp.get("/stock/lots/<uuid:lot_id>/recall")
@staff(*LOOKERS)
def recall_of(lot_id: UUID) -> ResponseReturnValue:
    """Before: whom it would touch. After: who has been reached."""
    return _recall(lot_id)


def _recall(lot_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    at = now()
    with transaction() as session:
        lot = queries.lot(session, lot_id)
        found = queries.stocked(session, at, current(session, at), lot.medication_id)[0]
        touched = {
            "children": len(queries.given_of(session, lot_id)),
            "orders": len(queries.waiting_for(session, lot_id)),
        }
        concerned = queries.recalled(session, lot_id)
    return page(
        "recall.html",
        status,
        lot=lot,
        found=found,
        touched=touched,
        concerned=concerned,
        may=bool(member().roles & set(KEEPERS)),
        sees=Role.PHARMACIST in member().roles,
        locale=visitor_locale(),
        problem=problem,
        typed=request.form.get("reason", "")[:LONGEST],
    )


@bp.post("/stock/lots/<uuid:lot_id>/recall")
@staff(*KEEPERS)
def recall_lot(lot_id: UUID) -> ResponseReturnValue:
    """It is stopped at once, and everybody who got it is told."""
    reason = request.form.get("reason", "").strip()[:LONGEST]
    if len(reason) < 2:
        return _recall(lot_id, say(NO_NOTE), 422)
    try:
        with transaction() as session:
            recalling.recall(session, lot_id, reason, by=member().practitioner, now=now())
    except Recalled:
        pass  # a second tap changes nothing
    return redirect(url_for("desk.recall_of", lot_id=lot_id), 303)


@bp.get("/recalls/<uuid:recalled_id>")
@staff(Role.PHARMACIST)
def recalled_family(recalled_id: UUID) -> ResponseReturnValue:
    """A family that has to be reached; whoever looks is recorded."""
    return _family(recalled_id)


def _family(recalled_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    at, locale = now(), visitor_locale()
    with transaction() as session:
        concerned, lot = queries.recalled_one(session, recalled_id)
        child = session.get_one(Patient, concerned.patient_id)
        found = queries.stocked(session, at, current(session, at), lot.medication_id)[0]
        names = practitioner_names(session, {concerned.practitioner_id} if concerned.practitioner_id else set())
        by = member().practitioner.account_id
        audit(session, "see-recalled-family", at=at, entity="patient", entity_id=child.id, account_id=by)
    return page(
        "recall_family.html",
        status,
        concerned=concerned,
        lot=lot,
        child=child,
        found=found,
        names=names,
        locale=locale,
        problem=problem,
    )


@bp.post("/recalls/<uuid:recalled_id>")
@staff(Role.PHARMACIST)
def reached_family(recalled_id: UUID) -> ResponseReturnValue:
    """Somebody has spoken with them."""
    note = request.form.get("note", "").strip()[:LONGEST]
    if len(note) < 2:
        return _family(recalled_id, say(NO_NOTE), 422)
    with transaction() as session:
        recalling.reached(session, recalled_id, now(), by=member().practitioner, note=note)
    return redirect(url_for("desk.recalled_family", recalled_id=recalled_id), 303)
