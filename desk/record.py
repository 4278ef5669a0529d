"""The medical record at the desk: a part of the visit's page. One form, whose buttons all work without a script; the
script (static/record.js) sends the same form and puts the part that comes back in its place, so that a call goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import g, jsonify, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.formats import clock
from config.policy import current
from config.text import N_
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import seat
from consultation.intake.queries import weights
from consultation.line.actions import finish
from consultation.record import actions, growth, icd10, library, queries, writing
from consultation.record.content import LABELS, TEXTS, Content
from consultation.record.icd10 import Entry
from consultation.record.models import Composition
from consultation.record.refusals import Damaged, Incomplete, NoReason, OldVersion
from consultation.record.shown import shown
from desk.pages import bp, page, say
from desk.record_form import Typed, differences, done, read
from desk.told import against, for_record
from desk.visit import Here, Part
from desk.visit import visit as visit_page
from people.audit import record as audit
from people.looking import visits_of
from people.models import Department, Role
from wechat.signin import staff, viewer, visitor_locale

NEEDED = N_("This is needed to sign.")


@dataclass
class Answer:
    """What this request has to say beside the record itself."""

    typed: Typed | None = None
    problem: Refused | None = None
    needed: tuple[str, ...] = ()
    theirs: list[tuple[str, str]] = field(default_factory=list)
    query: str = ""
    found: list[Entry] = field(default_factory=list)


def _answer() -> Answer:
    if "record" not in g:
        g.record = Answer()
    found: Answer = g.record
    return found


def values(here: Here) -> dict[str, Any] | None:
    """What the part shows: the form for the treating doctor, what is signed for every doctor in the room."""
    encounter, locale = here.seat.encounter, visitor_locale()
    known = queries.composition(here.session, encounter.id)
    try:
        versions = queries.versions(here.session, known) if known and known.signed else []
    except Damaged as damaged:
        return {"damaged": say(damaged.message), "mode": "damaged"}
    mine = here.seat.role is SeatRole.PRACTITIONER
    writes = mine and (known is None or known.draft is not None)
    it: dict[str, Any] = {
        "mode": "write" if writes else "signed" if versions else "read",
        "mine": mine,
        "known": known,
        "versions": [(one, shown(one, locale)) for one in versions],
        "content": queries.draft(known),
        "labels": LABELS,
        **_history(here, locale),
    }
    if writes:
        it |= _writing(here, known, locale)
    elif problem := _answer().problem:
        it["problem"] = say(problem.message, **problem.params)
    return it


def _writing(here: Here, known: Composition | None, locale: str) -> dict[str, Any]:
    answer = _answer()
    content = queries.draft(known) if known else writing.begun(for_record(here.session, here.visit, here.now, locale))
    problems = {name: say(NEEDED) for name in answer.needed}
    days = str(content.days or "")
    if answer.typed:
        content, days = answer.typed.content, answer.typed.days
        problems |= {name: say(message, **params) for name, (message, params) in answer.typed.problems.items()}
    main = content.conditions[0].code if content.conditions else None
    given, codes = library.templates(), library.outcomes()
    return {
        "content": content,
        "days": days,
        "version": known.version if known else 0,
        "problems": problems,
        "problem": say(answer.problem.message, **answer.problem.params) if answer.problem else None,
        "theirs": answer.theirs,
        "against": against(here.session, here.visit, content, here.now, locale),
        "query": answer.query,
        "found": answer.found,
        "templates": given.template,
        "phrases": _phrases(here.session, here.seat.encounter.practitioner_id, locale),
        "reasons": library.coded(codes.reason, locale),
        "tests": library.coded(codes.test, locale),
        "net_verified": library.safety_net(main).verified,
        "leaflet": library.leaflet(main, _months(here)),
    }


def _history(here: Here, locale: str) -> dict[str, Any]:
    """What was before: earlier records here, visits that the hospital's index knows, the child's weight."""
    child, encounter = here.visit.patient, here.seat.encounter
    before = queries.earlier(here.session, child.id, encounter.id)
    if before and request.method == "GET":
        _note(here)
    names = {found.code: found.name for found in here.session.query(Department)}
    weighed = [(one.measured_on, one.grams) for one in weights(here.session, child.id)]
    return {
        "earlier": [(one, shown(one, locale) if one else None) for one in before],
        "seen": [(names.get(code, {"zh_CN": code}), day) for code, day in visits_of(child) or ()],
        "chart": growth.chart(weighed, child.birth_date, child.sex),
    }


def _note(here: Here) -> None:
    """That earlier records were opened is recorded."""
    by, child = here.seat.account_id, here.visit.patient.id
    audit(here.session, "see-earlier-records", at=here.now, entity="patient", entity_id=child, account_id=by)


def _months(here: Here) -> int:
    born, on = here.visit.patient.birth_date, here.visit.appointment.day
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def _phrases(session: Session, practitioner_id: UUID, locale: str) -> dict[str, list[tuple[str, str]]]:
    """Code and text by field: the doctor's own first, then the department's."""
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in TEXTS}
    own = queries.phrases(session, practitioner_id)
    for phrase in own:
        found[phrase.field].append((phrase.code, phrase.text))
    for given in library.templates().phrase:
        if given.code not in {phrase.code for phrase in own}:
            found[given.field].append((given.code, given.text.say(locale)))
    return found


PART = Part("main", "desk/record.html", values)


@bp.post("/visits/<uuid:visit_id>/record")
@staff(Role.DOCTOR)
def write_record(visit_id: UUID) -> ResponseReturnValue:
    """The form's buttons, ``do``: save, a template, a phrase, a diagnosis, an outcome, sign. All keep what is typed."""
    typed, do, answer = read(request.form), request.form.get("do", "save"), _answer()
    if do == "take":
        return _show(visit_id)
    if typed.problems:
        answer.typed = typed
        return _show(visit_id, 422)
    try:
        version = _save(visit_id, typed, do)
        if do == "sign":
            _sign(visit_id, version)
    except NotFound:
        raise
    except Refused as refused:
        _explain(visit_id, typed, refused)
        return _show(visit_id, refused.status)
    if do == "autosave":
        return jsonify(version=version, saved=clock(now()), against=_against(visit_id, typed.content))
    if do == "find":
        answer.query = request.form.get("query", "")[:60]
        answer.found = icd10.search(answer.query)
    return _show(visit_id, signed=do == "sign")


def _explain(visit_id: UUID, typed: Typed, refused: Refused) -> None:
    """What the part says of a refusal: the fields that are missing, or both texts when two pages wrote at once."""
    answer = _answer()
    answer.problem = refused
    if isinstance(refused, Incomplete):
        answer.needed = refused.fields
    if isinstance(refused, OldVersion):
        answer.typed, answer.theirs = typed, _theirs(visit_id, typed.content)


def _save(visit_id: UUID, typed: Typed, do: str) -> int:
    locale = visitor_locale()
    with transaction() as session:
        mine = seat(session, viewer(), visit_id, lock=True)
        phrases = {
            code: (name, text)
            for name, found in _phrases(session, mine.encounter.practitioner_id, locale).items()
            for code, text in found
        }
        content = done(typed.content, do, locale, phrases)
        return actions.save(session, mine, typed.version, content, now()).version


def _against(visit_id: UUID, content: Content) -> Mapping[str, str]:
    with transaction() as session:
        visit = whole(session, seat(session, viewer(), visit_id).encounter.appointment_id)
        return against(session, visit, content, now(), visitor_locale())


def _sign(visit_id: UUID, version: int) -> None:
    with transaction() as session:
        at, mine = now(), seat(session, viewer(), visit_id, lock=True)
        visit = whole(session, visit_id)
        policy = current(session, at, visit.department.code)
        actions.sign(session, mine, visit, version, at, policy, finish)


def _theirs(visit_id: UUID, typed: Content) -> list[tuple[str, str]]:
    with transaction() as session:
        mine = seat(session, viewer(), visit_id)
        theirs = queries.draft(queries.composition(session, mine.encounter.id))
    return differences(typed, theirs, visitor_locale())


def _show(visit_id: UUID, status: int = 200, *, signed: bool = False) -> ResponseReturnValue:
    """The part alone for the script, else the whole page; after a success without more to say the page anew."""
    answer = _answer()
    if request.headers.get("X-Part"):
        with transaction() as session:
            mine = seat(session, viewer(), visit_id)
            visit = whole(session, visit_id)
            it = values(Here(session, mine, visit, now()))
        made = make_response(page("record.html", status, it=it, visit=visit, encounter=mine.encounter, seat=mine))
        made.headers["X-Part"] = "signed" if signed else "record"
        return made
    if status == 200 and not answer.found and not answer.query:
        return redirect(f"{url_for('desk.visit', visit_id=visit_id)}#record", 303)
    made = make_response(visit_page(visit_id))
    made.status_code = status
    return made


@bp.post("/visits/<uuid:visit_id>/record/amend")
@staff(Role.DOCTOR)
def amend_record(visit_id: UUID) -> ResponseReturnValue:
    """Open the signed record for a new version, with the reason; or leave it as it is signed."""
    try:
        with transaction() as session:
            mine = seat(session, viewer(), visit_id, lock=True)
            if request.form.get("do") == "leave":
                actions.leave_as_signed(session, mine, now())
            else:
                actions.amend(session, mine, request.form.get("amend_reason", ""), now())
    except NoReason as refused:
        _answer().problem = refused
        return _show(visit_id, refused.status)
    return _show(visit_id)


@bp.get("/icd10")
@staff(Role.DOCTOR)
def find_condition() -> ResponseReturnValue:
    """Diagnoses as JSON, for the script: code, Chinese and English name."""
    found = icd10.search(request.args.get("q", "")[:60])
    return jsonify([{"code": entry.code, "zh": entry.zh, "en": entry.en} for entry in found])
