"""Records that wait for a signature, the doctor's own phrases, and the question whether a child arrived."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.policy import current
from consultation.encounters.rooms import known
from consultation.record import actions, queries
from consultation.record.content import LABELS, TEXT, TEXTS
from consultation.record.following import ARRIVAL
from consultation.record.library import outcomes
from consultation.record.refusals import BadPhrase
from desk.pages import LEADERS, bp, page, say
from people import tasks
from people.audit import record as audit
from people.models import Role
from wechat.signin import member, staff, viewer

LEADS = (Role.TEAM_LEAD, *LEADERS)


@bp.get("/records")
@staff(Role.DOCTOR, *LEADS)
def records() -> ResponseReturnValue:
    """The doctor's own unsigned records; for those who lead, how many each doctor of their departments has."""
    who, at = member(), now()
    with transaction() as session:
        own = queries.unsigned(session, who.practitioner.id) if Role.DOCTOR in who.roles else None
        counts = queries.unsigned_counts(session, who) if who.roles & set(LEADS) else None
        hours = current(session, at).record_hours
    return page("records.html", own=own, counts=counts, hours=hours, now=at)


@bp.get("/phrases")
@staff(Role.DOCTOR)
def phrases() -> ResponseReturnValue:
    """The doctor's own phrases."""
    return _phrases()


def _phrases(problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        own = queries.phrases(session, member().practitioner.id)
    fields = {name: LABELS[name] for name in TEXTS}
    return page("phrases.html", status, own=own, fields=fields, problem=problem, typed=request.form, limit=TEXT)


@bp.post("/phrases")
@staff(Role.DOCTOR)
def add_phrase() -> ResponseReturnValue:
    """One more; or one less, when ``remove`` names it."""
    typed = request.form
    try:
        with transaction() as session:
            actions.add_phrase(
                session, member().practitioner, typed.get("field", ""), typed.get("code", ""), typed.get("text", "")
            )
    except BadPhrase as refused:
        return _phrases(say(refused.message), refused.status)
    return redirect(url_for("desk.phrases"), 303)


@bp.post("/phrases/<uuid:phrase_id>/remove")
@staff(Role.DOCTOR)
def remove_phrase(phrase_id: UUID) -> ResponseReturnValue:
    """One less."""
    with transaction() as session:
        actions.remove_phrase(session, member().practitioner, phrase_id)
    return redirect(url_for("desk.phrases"), 303)


@bp.get("/arrivals/<uuid:visit_id>")
@staff(*LEADS)
def arrival(visit_id: UUID) -> ResponseReturnValue:
    """A child that was to come to the hospital, only while the task is open; whoever looks is recorded."""
    with transaction() as session:
        task = tasks.about(session, member(), ARRIVAL, visit_id)
        visit, encounter = whole(session, visit_id), known(session, visit_id)
        signed = queries.versions_of(session, visit_id)[-1]
        by = viewer().account_id
        audit(session, "see-arrival", at=now(), entity="appointment", entity_id=visit_id, account_id=by)
    reason = next((of.text.model_dump() for of in outcomes().reason if of.code == signed.record.reason), None)
    return page(
        "arrival.html", task=task, visit=visit, encounter=encounter, signed=signed, reason=reason, note=tasks.NOTE
    )
