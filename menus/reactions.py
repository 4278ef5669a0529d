"""A medicine did not agree with the child: what was seen, since when, and what to do now."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import local, now
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from menus.medicines import back_to, began, let_in
from menus.pages import bp, locale, page, say
from menus.ways import VISITS
from people.models import Department, Patient
from prescriptions.after import actions, queries
from prescriptions.after.actions.reactions import Told
from prescriptions.after.library import reactions
from prescriptions.after.models import Reporter
from prescriptions.after.refusals import BeganUnreadable, MedicineUnknown, SignMissing, WordsMissing
from prescriptions.after.rules import TEXT
from wechat.signin import signed_in, viewer

BAD = (SignMissing, WordsMissing, MedicineUnknown, BeganUnreadable)


@bp.get("/prescriptions/<uuid:prescription_id>/reaction")
@signed_in
def reaction(prescription_id: UUID) -> ResponseReturnValue:
    """The form; help for danger stands first."""
    return _form(prescription_id)


@bp.post("/prescriptions/<uuid:prescription_id>/reaction")
@signed_in
def report_reaction(prescription_id: UUID) -> ResponseReturnValue:
    """Keep it, and say at once what to do."""
    back_to(prescription_id)
    at, who = now(), viewer()
    try:
        with transaction() as session:
            found, _ = let_in(session, prescription_id)
            policy = current(session, at, session.get_one(Department, found.department_id).code)
            kept = actions.report(session, found, who.account_id, Reporter.FAMILY, told(), at, policy)
    except BAD as bad:
        return _form(prescription_id, {bad.field or "": say(bad.message)}, bad.status)
    return redirect(url_for(".reacted", prescription_id=prescription_id, reaction_id=kept.id), 303)


@bp.get("/prescriptions/<uuid:prescription_id>/reaction/<uuid:reaction_id>")
@signed_in
def reacted(prescription_id: UUID, reaction_id: UUID) -> ResponseReturnValue:
    """What to do now, and that it was passed on."""
    back_to(prescription_id)
    with transaction() as session:
        found, _ = let_in(session, prescription_id)
        kept = next(
            (one for one in queries.reactions(session, prescription_id=found.id) if one.id == reaction_id), None
        )
        child = session.get_one(Patient, found.patient_id)
    if kept is None:
        raise NotFound
    severity = reactions().severity(kept.signs)
    return page(
        "reacted.html", tab=VISITS, prescription=found, child=child, kept=kept, severity=severity,
        todo=reactions().to_do(severity, locale()), signs=queries.signs_of(kept),
    )  # fmt: skip


def told() -> Told:
    """What was sent; what can't be read is left to the action to name."""
    line, stopped = request.form.get("line", ""), request.form.get("stopped", "")
    return Told(
        signs=request.form.getlist("signs"),
        line=None if not line else int(line) if line.isdecimal() and len(line) < 4 else -1,
        began_at=began(request.form.get("began", "")),
        text=request.form.get("text", ""),
        stopped={"yes": True, "no": False}.get(stopped),
    )


def _form(prescription_id: UUID, problems: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    back_to(prescription_id)
    with transaction() as session:
        found, given = let_in(session, prescription_id)
        child = session.get_one(Patient, found.patient_id)
        before = queries.reactions(session, prescription_id=found.id)
    return page(
        "reaction.html", tab=VISITS, status=status, prescription=found, child=child, given=given, before=before,
        known=reactions().sign, problems=problems or {}, typed=request.form, chosen=request.form.getlist("signs"),
        latest=f"{local(now()):%Y-%m-%dT%H:%M}", most=TEXT,
    )  # fmt: skip
