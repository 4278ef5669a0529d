"""Reactions to medicines at the desk: reported here too, watched by a pharmacist, and what the doctor reads of them and
of the course's end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import at, local, now, today
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from config.text import N_
from desk.pages import bp, page, say
from desk.visit import Here, Part
from people.access import Member
from people.audit import record as audit
from people.models import Department, Patient, Practitioner, Role
from prescriptions.after import actions, fhir, queries
from prescriptions.after.actions.reactions import Told
from prescriptions.after.library import reactions
from prescriptions.after.models import AdverseEvent, Causality, ReactionOutcome, Reporter
from prescriptions.after.refusals import (
    BeganUnreadable,
    LookUnreadable,
    MedicineUnknown,
    NoteMissing,
    OutcomeMissing,
    SignMissing,
    WordsMissing,
)
from prescriptions.after.rules import NOTE, TEXT
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import found as prescription_found
from prescriptions.writing.queries import medicines
from wechat.signin import member, staff

NO_SUCH = N_("There is no signed prescription with this number.")
OUTCOMES = {
    ReactionOutcome.RESOLVED: N_("Over, without consequences"),
    ReactionOutcome.RECOVERING: N_("Getting better"),
    ReactionOutcome.ONGOING: N_("Not better"),
    ReactionOutcome.SEQUELAE: N_("Over, with consequences"),
    ReactionOutcome.FATAL: N_("Died"),
    ReactionOutcome.UNKNOWN: N_("Not known"),
}
CAUSALITIES = {
    Causality.CERTAIN: N_("Certain"),
    Causality.PROBABLE: N_("Probable"),
    Causality.POSSIBLE: N_("Possible"),
    Causality.UNLIKELY: N_("Unlikely"),
    Causality.UNASSESSED: N_("To be assessed"),
    Causality.UNASSESSABLE: N_("Can't be assessed"),
}
REPORTED = (SignMissing, WordsMissing, MedicineUnknown, BeganUnreadable)
WORK = (NoteMissing, LookUnreadable, OutcomeMissing)


def values(here: Here) -> dict[str, Any] | None:
    """The part of the visit's page: how the child was at the course's end, and what did not agree with it. None without
    a signed prescription."""
    where = here.seat.encounter.id
    signed = select(Prescription).where(Prescription.encounter_id == where, Prescription.content.is_not(None))
    found = here.session.scalars(signed.order_by(Prescription.id.desc())).all()
    if not found:
        return None
    told = [one for each in found for one in queries.reactions(here.session, prescription_id=each.id)]
    courses = queries.courses(here.session, where)
    given = [one for one in found if one.accepted]
    return {"given": given, "courses": courses, "reactions": told, "signs": _signs(told)}


PART = Part("main", "desk/medicines_after.html", values)


@bp.get("/reactions")
@staff(Role.PHARMACIST, Role.DOCTOR)
def reaction_list() -> ResponseReturnValue:
    """Those that wait, the most urgent first, and the latest closed ones."""
    return _list()


@bp.post("/reactions")
@staff(Role.PHARMACIST)
def find_prescription() -> ResponseReturnValue:
    """A pharmacist reports one to the prescription with this number."""
    number = request.form.get("number", "").strip()
    with transaction() as session:
        wanted = Prescription.number == number, Prescription.content.is_not(None)
        found = session.scalar(select(Prescription.id).where(*wanted))
    if found is None:
        return _list(number, NO_SUCH)
    return redirect(url_for("desk.new_reaction", prescription_id=found), 303)


def _list(number: str = "", problem: str | None = None) -> ResponseReturnValue:
    with transaction() as session:
        waiting, past = queries.reactions_for(session, member())
        names = {one.patient_id: session.get_one(Patient, one.patient_id).name for one in (*waiting, *past)}
    return page(
        "reactions.html", 422 if problem else 200, waiting=waiting, past=past, names=names, now=now(),
        signs=_signs([*waiting, *past]), outcomes=OUTCOMES, number=number, problem=problem,
        may_find=Role.PHARMACIST in member().roles,
    )  # fmt: skip


@bp.get("/prescriptions/<uuid:prescription_id>/reaction")
@staff(Role.PHARMACIST, Role.DOCTOR)
def new_reaction(prescription_id: UUID) -> ResponseReturnValue:
    return _form(prescription_id)


@bp.post("/prescriptions/<uuid:prescription_id>/reaction")
@staff(Role.PHARMACIST, Role.DOCTOR)
def report_reaction(prescription_id: UUID) -> ResponseReturnValue:
    """What somebody of the staff heard or saw."""
    by = Reporter.PHARMACIST if Role.PHARMACIST in member().roles else Reporter.DOCTOR
    account_id = member().practitioner.account_id
    assert account_id  # noqa: S101 - they are signed in
    try:
        with transaction() as session:
            found = _prescription(session, prescription_id, member())
            policy = current(session, now(), session.get_one(Department, found.department_id).code)
            kept = actions.report(session, found, account_id, by, _told(), now(), policy)
    except REPORTED as bad:
        return _form(prescription_id, bad)
    return redirect(url_for("desk.reaction", reaction_id=kept.id), 303)


def _prescription(session: Session, prescription_id: UUID, who: Member) -> Prescription:
    """A signed one: any for a pharmacist, their own for a doctor. Raises NotFound."""
    found = prescription_found(session, prescription_id)
    mine = found.practitioner_id == who.practitioner.id
    if found.content is None or not (mine or Role.PHARMACIST in who.roles):
        raise NotFound
    return found


def _told() -> Told:
    line = request.form.get("line", "")
    return Told(
        signs=request.form.getlist("signs"),
        line=None if not line else int(line) if line.isdecimal() and len(line) < 4 else -1,
        began_at=_moment(request.form.get("began", "")),
        text=request.form.get("text", ""),
        stopped={"yes": True, "no": False}.get(request.form.get("stopped", "")),
    )


def _moment(typed: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(typed)
        return at(found.date(), found.time())
    except (ValueError, OverflowError):
        return None


def _form(prescription_id: UUID, bad: Refused | None = None) -> ResponseReturnValue:
    with transaction() as session:
        found = _prescription(session, prescription_id, member())
        child = session.get_one(Patient, found.patient_id)
        given = medicines(session, found.id)
    return page(
        "reaction_new.html", bad.status if bad else 200, prescription=found, child=child, given=given,
        known=reactions().sign, problems=_problems(bad), typed=request.form, chosen=request.form.getlist("signs"),
        latest=f"{local(now()):%Y-%m-%dT%H:%M}", most=TEXT,
    )  # fmt: skip


@bp.get("/reactions/<uuid:reaction_id>")
@staff(Role.PHARMACIST, Role.DOCTOR)
def reaction(reaction_id: UUID) -> ResponseReturnValue:
    """One, with everything that was found and done; whoever looks is recorded."""
    return _one(reaction_id)


@bp.post("/reactions/<uuid:reaction_id>/note")
@staff(Role.PHARMACIST, Role.DOCTOR)
def note_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """What was found or done."""
    words = request.form.get("note", "")
    return _work(reaction_id, lambda session: actions.note(session, member(), reaction_id, words, now()))


@bp.post("/reactions/<uuid:reaction_id>/watch")
@staff(Role.PHARMACIST)
def watch_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """What was found or done, and when it is looked at again."""
    words, look = request.form.get("note", ""), _day(request.form.get("look", ""))
    return _work(reaction_id, lambda session: actions.watch(session, member(), reaction_id, words, look, now()))


@bp.post("/reactions/<uuid:reaction_id>/close")
@staff(Role.PHARMACIST)
def close_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """How it ended."""
    words = request.form.get("note", "")
    return _work(reaction_id, lambda session: actions.close(session, member(), reaction_id, words, *_ended(), now()))


def _work(reaction_id: UUID, do: Callable[[Session], None]) -> ResponseReturnValue:
    try:
        with transaction() as session:
            do(session)
    except WORK as bad:
        return _one(reaction_id, bad)
    return redirect(url_for("desk.reaction", reaction_id=reaction_id), 303)


def _ended() -> tuple[ReactionOutcome, Causality]:
    """How it ended and what was the cause. Raises OutcomeMissing with its field."""
    try:
        outcome = ReactionOutcome(request.form.get("outcome", ""))
    except ValueError:
        raise OutcomeMissing(field="outcome") from None
    try:
        return outcome, Causality(request.form.get("causality", ""))
    except ValueError:
        raise OutcomeMissing(field="causality") from None


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _one(reaction_id: UUID, bad: Refused | None = None) -> ResponseReturnValue:
    with transaction() as session:
        found = queries.reaction_for(session, member(), reaction_id)
        prescription = session.get_one(Prescription, found.prescription_id)
        notes = queries.notes(session, found.id)
        people = {one.practitioner_id for one in notes} | {prescription.practitioner_id}
        shown: dict[str, Any] = {
            "found": found,
            "prescription": prescription,
            "child": session.get_one(Patient, found.patient_id),
            "notes": notes,
            "names": {id_: session.get_one(Practitioner, id_).name for id_ in people},
            "suspected": [product for _, product in queries.suspected(session, found)],
        }
        who = member().practitioner.account_id
        audit(session, "see-reaction", at=now(), entity="adverse_event", entity_id=found.id, account_id=who)
    return page(
        "reaction.html", bad.status if bad else 200, problems=_problems(bad), typed=request.form, most=NOTE,
        signs=queries.signs_of(found), outcomes=OUTCOMES, causalities=CAUSALITIES, today=today(now()),
        severity=reactions().severity(found.signs), watches=Role.PHARMACIST in member().roles, **shown,
    )  # fmt: skip


@bp.get("/reactions/<uuid:reaction_id>/report.json")
@staff(Role.PHARMACIST)
def reaction_report(reaction_id: UUID) -> ResponseReturnValue:
    """As data for the national monitoring system (FHIR AdverseEvent)."""
    with transaction() as session:
        found = queries.reaction_for(session, member(), reaction_id)
        made = fhir.adverse_event(session, found)
        who = member().practitioner.account_id
        audit(session, "export-reaction", at=now(), entity="adverse_event", entity_id=found.id, account_id=who)
    name = f"reaction-{found.reported_at:%Y%m%d}-{str(found.id)[-8:]}.json"
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(json.dumps(made, ensure_ascii=False, indent=1), content_type="application/json", headers=headers)


def _problems(bad: Refused | None) -> dict[str, str]:
    return {bad.field or "": say(bad.message, **bad.params)} if bad else {}


def _signs(found: list[AdverseEvent]) -> dict[UUID, list[Any]]:
    return {one.id: queries.signs_of(one) for one in found}
