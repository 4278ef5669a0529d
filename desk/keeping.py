"""How long records are kept: what is due, what was removed, children on hold, and families' wishes to erase."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import Refused
from config.policy import current
from config.text import N_
from desk.pages import READERS, bp, page, say
from people.audit import record as audit
from people.keeping import holds, purging, wishes
from people.keeping.models import REASON, WORDS
from people.keeping.refusals import AnswerEmpty
from people.models import Role
from wechat.signin import member, staff, viewer
from worker import keeping

LENGTH = 40  # of a patient number
KINDS = {
    "notifications": N_("Messages in WeChat"),
    "messages": N_("Chat messages"),
    "call_links": N_("Links into a call"),
    "encounters": N_("Encounters"),
    "triage_results": N_("Triage results"),
    "questionnaire_responses": N_("Answers before a visit"),
    "weight_observations": N_("Weights"),
    "compositions": N_("Records"),
    "composition_versions": N_("Signed versions"),
    "media": N_("Pictures"),
    "suspensions": N_("Closed bookings"),
    "waiting_entries": N_("Waiting lists"),
    "tasks": N_("Tasks"),
    "audit_events": N_("Audit events"),
    "appointments": N_("Appointments"),
    "screen_results": N_("Health questions"),
    "bind_tries": N_("Tries to bind"),
    "file_copies": N_("Copies of the file"),
    "related_persons": N_("Guardians"),
    "patients": N_("Children"),
    "files": N_("Files"),
}  # what an administrator looks for; the rest is shown by the name of its table


@bp.get("/keeping")
@staff(*READERS)
def kept() -> ResponseReturnValue:
    return _page({}, {})


@bp.post("/keeping/holds")
@staff(Role.ADMINISTRATOR)
def hold() -> ResponseReturnValue:
    typed = {name: request.form.get(name, "").strip() for name in ("number", "reason")}
    try:
        with transaction() as session:
            number, reason = typed["number"][:LENGTH], typed["reason"][:REASON]
            holds.hold(session, number, reason, now(), by=_me(), account_id=viewer().account_id)
    except Refused as refusal:
        return _page(typed, {refusal.field or "": say(refusal.message, **refusal.params)}, refusal.status)
    return redirect(url_for(".kept", _anchor="holds"), 303)


@bp.post("/keeping/holds/<uuid:hold_id>/lift")
@staff(Role.ADMINISTRATOR)
def lift(hold_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        holds.lift(session, hold_id, now(), by=_me(), account_id=viewer().account_id)
    return redirect(url_for(".kept", _anchor="holds"), 303)


@bp.get("/wishes/<uuid:wish_id>")
@staff(Role.ADMINISTRATOR)
def wish(wish_id: UUID) -> ResponseReturnValue:
    return _wish(wish_id)


@bp.post("/wishes/<uuid:wish_id>")
@staff(Role.ADMINISTRATOR)
def answer_wish(wish_id: UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            wishes.answer(session, member(), wish_id, request.form.get("answer", ""), now())
    except AnswerEmpty as empty:
        return _wish(wish_id, say(empty.message), 422)
    return redirect(url_for(".wish", wish_id=wish_id), 303)


def _me() -> str:
    return f"practitioner:{member().practitioner.id}"


def _page(typed: dict[str, str], problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The counts read whole tables, so they are made when somebody asks for them."""
    counts = [one for one in keeping.due() if one.rows or one.held] if "count" in request.args else None
    with transaction() as session:
        past = [(one, purging.protocol(session, one.id)) for one in purging.latest(session)]
        more = {"holds": holds.listed(session), "wishes": wishes.waiting(session), "policy": current(session, now())}
    more |= {"past": past, "counts": counts, "kinds": KINDS, "most": REASON, "length": LENGTH}
    may = Role.ADMINISTRATOR in member().roles
    return page("keeping.html", status, typed=typed, problems=problems, may=may, **more)


def _wish(wish_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    """Whoever looks is recorded."""
    with transaction() as session:
        found, child = wishes.one(session, wish_id)
        policy, by = current(session, now()), viewer().account_id
        audit(session, "see-wish", at=now(), entity="patient", entity_id=child.id, account_id=by, wish=str(wish_id))
    return page("wish.html", status, wish=found, child=child, policy=policy, problem=problem, most=WORDS)
