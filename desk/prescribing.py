"""Prescribing at the desk: a part of the visit's page beside the record, made the same way. One form whose buttons all
work without a script; the script (static/prescription.js) puts the part that comes back in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.ids import parse_id
from config.policy import Policy, current
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import Seat, seat
from consultation.line.refusals import CheckNeeded
from consultation.record.refusals import Damaged as RecordDamaged
from desk import prescribing_search as finding
from desk.pages import bp, page, say
from desk.prescribing_form import Typed, read, with_unread
from desk.visit import Here, Part
from desk.visit import visit as visit_page
from people.models import Role
from prescriptions.formulary.amounts import number
from prescriptions.formulary.queries import Entry
from prescriptions.papers.shown import STATES, names_of, shown
from prescriptions.review import asking_doctor
from prescriptions.review.reasons import reasons
from prescriptions.rules.finding import REASON
from prescriptions.signing.keys import Signer
from prescriptions.signing.refusals import Damaged
from prescriptions.signing.verifying import verified
from prescriptions.writing import actions, case, queries, submitting
from prescriptions.writing.draft import LINES, Draft, unknown, without
from prescriptions.writing.models import Prescription
from prescriptions.writing.refusals import OldVersion, ReasonsMissing
from wechat.signin import member, staff, viewer, visitor_locale

SIGNER = "prescriptions.signer"  # where the application keeps them
VERIFIED_ONLY = "prescriptions.verified-only"


@dataclass
class Answer:
    """What this request has to say beside the prescription itself."""

    typed: Typed | None = None
    problem: Refused | None = None
    needed: tuple[str, ...] = ()
    query: str = ""
    found: list[Entry] = field(default_factory=list)
    searched: bool = False


def _answer() -> Answer:
    if "prescription" not in g:
        g.prescription = Answer()
    found: Answer = g.prescription
    return found


def signer() -> Signer:
    """Who signs here."""
    found: Signer = current_app.extensions[SIGNER]
    return found


def verified_only() -> bool:
    """Whether only what a pharmacist has verified can be prescribed."""
    return bool(current_app.extensions[VERIFIED_ONLY])


def values(here: Here) -> dict[str, Any] | None:
    """What the part shows: what is written and signed to the treating doctor, what is signed to others in the room;
    None before the child was called."""
    session, encounter = here.session, here.seat.encounter
    policy = current(session, here.now, here.visit.department.code)
    mine = here.seat.role is SeatRole.PRACTITIONER
    kept = [_kept(session, row) for row in queries.of_encounter(session, encounter.id)]
    writes = mine and case.may_write(encounter, here.now, policy)
    if not writes and not kept:
        return None
    problem = _answer().problem
    it: dict[str, Any] = {
        "mine": mine,
        "writes": writes,
        "kept": kept,
        "states": STATES,
        "problem": say(problem.message, **problem.params) if problem else None,
    }
    return it | (_writing(here, policy) if writes else {"mode": "read"})


def _kept(session: Session, row: Prescription) -> dict[str, Any]:
    """One that was signed, in words; without them when it is not what was signed."""
    locale = visitor_locale()
    it = {"row": row, "replaced": queries.replaced(session, row.id), "questions": asking_doctor.asked(session, row.id)}
    try:
        seen = verified(session, row)
    except Damaged as damaged:
        return it | {"damaged": say(damaged.message)}
    said = reasons().named(row.codes, locale)
    return it | {"seen": shown(seen, names_of(session, seen), locale), "codes": said, "text": row.review_text}


def _writing(here: Here, policy: Policy) -> dict[str, Any]:
    answer, session, encounter = _answer(), here.session, here.seat.encounter
    row = queries.draft_row(session, encounter.id)
    draft = case.draft_of(row)
    if answer.typed:
        draft = with_unread(answer.typed, draft)
    try:
        seen = _judged(here.session, here.seat, here.visit, draft, policy)
    except RecordDamaged as damaged:
        return {"mode": "read", "problem": say(damaged.message)}
    locale, texts = visitor_locale(), answer.typed.texts if answer.typed else {}
    problems = answer.typed.problems if answer.typed else {}
    weight = seen.context.child.weight
    return {
        "mode": "write" if row or answer.typed or answer.searched else "begin",
        "row": row,
        "version": queries.version(session, encounter.id),
        "draft": draft,
        "lines": [finding.line(one.code, seen.entries.get(one.code), one, locale) for one in draft.lines],
        "full": len(draft.lines) >= LINES,
        "unknown": unknown(draft, seen.entries),
        "findings": [(one, one.say(locale)) for one in seen.findings],
        "asked": {one.key for one in seen.findings if one.severity is REASON},
        "needed": answer.needed,
        "texts": texts,
        "problems": {name: say(message, **params) for name, (message, params) in problems.items()},
        "weight": weight,
        "kg": number(weight.grams, 1000) if weight else "",
        "conditions": seen.conditions,
        "templates": case.templates(session, member().practitioner),
        "query": answer.query,
        "found": answer.found,
        "searched": answer.searched,
        "groups": [(code, label) for code, (label, _) in finding.GROUPS.items()],
        "locale": locale,
    }


def _judged(session: Session, mine: Seat, about: Visit, draft: Draft, policy: Policy) -> case.Judged:
    return case.judged(session, about, mine.encounter, draft, now(), policy, verified_only=verified_only())


PART = Part("main", "desk/prescription.html", values)


@bp.get("/visits/<uuid:visit_id>/prescription")
@staff(Role.DOCTOR)
def prescription_part(visit_id: UUID) -> ResponseReturnValue:
    """The part alone, for the script: the record beside it has changed."""
    return _show(visit_id)


@bp.post("/visits/<uuid:visit_id>/prescription")
@staff(Role.DOCTOR)
def write_prescription(visit_id: UUID) -> ResponseReturnValue:
    """The form's buttons, ``do``: save, a medicine, a template, again, find, sign, give up. All keep what is typed."""
    typed, answer = read(request.form), _answer()
    do, _, which = request.form.get("do", "save").partition(":")
    if typed.problems and do not in {"drop", "give-up"}:
        answer.typed = typed
        return _show(visit_id, 422)
    try:
        _do(visit_id, typed, do, which)
    except (NotFound, CheckNeeded):
        raise
    except Refused as refused:
        answer.problem = refused
        answer.typed = None if isinstance(refused, OldVersion) else answer.typed
        answer.needed = refused.keys if isinstance(refused, ReasonsMissing) else ()
        return _show(visit_id, refused.status)
    return _show(visit_id)


def _do(visit_id: UUID, typed: Typed, do: str, which: str) -> None:
    """Do what a button says, after what is typed was saved."""
    with transaction() as session:
        mine, at = seat(session, viewer(), visit_id, lock=True), now()
        about = whole(session, visit_id)
        policy = current(session, at, about.department.code)
        if do == "give-up":
            actions.drop(session, mine, at)
            return
        draft = _changed(session, mine, about, typed.draft, do, which, policy)
        row = actions.save(session, mine, typed.version, draft, at, policy)
        version = row.version
        if do == "keep":
            actions.keep_template(session, member().practitioner, request.form.get("template", ""), draft)
        if do == "forget":
            actions.forget_template(session, member().practitioner, _uuid(which))
    if do == "sign":
        _sign(visit_id, version)
    if do in {"find", "group"}:
        _find(do, which)


def _changed(session: Session, mine: Seat, about: Visit, draft: Draft, do: str, which: str, policy: Policy) -> Draft:
    """What a button makes of the draft."""
    if do == "drop":
        return without(draft, which)
    if do not in {"add", "template", "repeat"}:
        return draft
    seen = _judged(session, mine, about, draft, policy)
    if do == "add":
        return actions.added(draft, which, seen)
    if do == "template":
        codes = actions.template_codes(session, member().practitioner, _uuid(which))
        return actions.filled(draft, codes, seen)
    return actions.repeat(session, mine, draft, seen)


def _uuid(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound
    return found


def _find(do: str, which: str) -> None:
    """Medicines by what was typed, or of a group."""
    answer = _answer()
    answer.searched, answer.query = True, request.form.get("query", "").strip()[:60] if do == "find" else ""
    with transaction() as session:
        answer.found = finding.found(session, answer.query, which if do == "group" else "")


def _sign(visit_id: UUID, version: int) -> None:
    with transaction() as session:
        at, mine = now(), seat(session, viewer(), visit_id, lock=True)
        about = whole(session, visit_id)
        policy = current(session, at, about.department.code)
        submitting.sign(session, mine, about, version, signer(), at, policy, verified_only=verified_only())


@bp.post("/visits/<uuid:visit_id>/prescription/<uuid:prescription_id>")
@staff(Role.DOCTOR)
def handle_prescription(visit_id: UUID, prescription_id: UUID) -> ResponseReturnValue:
    """A signed one: taken back with a reason, or, after a pharmacist sent it back, corrected as a new one."""
    try:
        with transaction() as session:
            mine, at = seat(session, viewer(), visit_id, lock=True), now()
            policy = current(session, at, whole(session, visit_id).department.code)
            if request.form.get("do") == "correct":
                actions.correct(session, mine, prescription_id, at, policy)
            else:
                reason = request.form.get("withdraw_reason", "")
                submitting.withdraw(session, mine, prescription_id, reason, at)
    except NotFound:
        raise
    except Refused as refused:
        _answer().problem = refused
        return _show(visit_id, refused.status)
    return _show(visit_id)


@bp.post("/visits/<uuid:visit_id>/prescription/answer")
@staff(Role.DOCTOR)
def answer_pharmacist(visit_id: UUID) -> ResponseReturnValue:
    """The doctor answers a pharmacist's question."""
    try:
        with transaction() as session:
            mine = seat(session, viewer(), visit_id, lock=True)
            asking_doctor.answer(
                session, mine, _uuid(request.form.get("id", "")), request.form.get("answer", ""), now()
            )
    except NotFound:
        raise
    except Refused as refused:
        _answer().problem = refused
        return _show(visit_id, refused.status)
    return _show(visit_id)


def _show(visit_id: UUID, status: int = 200) -> ResponseReturnValue:
    """The part alone for the script, else the whole page; after a success without more to say the page anew."""
    if request.headers.get("X-Part"):
        with transaction() as session:
            mine = seat(session, viewer(), visit_id)
            if not mine.is_doctor:
                raise NotFound
            about = whole(session, visit_id)
            it = values(Here(session, mine, about, now()))
        return make_response(page("prescription.html", status, it=it, visit=about, encounter=mine.encounter, seat=mine))
    if request.method == "GET" or (status == 200 and not _answer().searched):
        return redirect(f"{url_for('desk.visit', visit_id=visit_id)}#rx", 303)
    made = make_response(visit_page(visit_id))
    made.status_code = status
    return made
