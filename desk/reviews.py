"""The pharmacists' review: the queue, and one prescription with everything that it is judged by; and its paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from consultation.encounters.rooms import seat
from desk.pages import bp, page, say
from desk.prescribing import signer, verified_only
from people.access import Member
from people.audit import record as audit
from people.models import Department, Role
from people.queries import practitioner_names
from prescriptions.formulary.amounts import number
from prescriptions.papers import paper
from prescriptions.papers.shown import Shown, names_of, often, shown
from prescriptions.review import actions, asking_doctor, queries
from prescriptions.review.reasons import GROUPS, reasons
from prescriptions.signing.verifying import verified
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import appointment_of, found
from wechat.signin import member, staff, viewer, visitor_locale

READERS = (Role.DOCTOR, Role.PHARMACIST, Role.DISPATCHER, Role.AUDITOR)
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


@bp.get("/reviews")
@staff(Role.PHARMACIST, Role.ADMINISTRATOR)
def reviews() -> ResponseReturnValue:
    """What waits, the most urgent first."""
    locale, at = visitor_locale(), now()
    with transaction() as session:
        waiting = queries.queue(session)
        names = practitioner_names(session, {one.taken_by for one in waiting if one.taken_by})
        rows = [(one, shown(one.read, {}, locale) if one.read else None) for one in waiting]
    return page("reviews.html", rows=rows, names=names, now=at, mine=member().practitioner.id)


@bp.get("/reviews/<uuid:prescription_id>")
@staff(Role.PHARMACIST, Role.ADMINISTRATOR)
def review(prescription_id: UUID) -> ResponseReturnValue:
    """One prescription, checked anew by the rules; that it was looked at is recorded."""
    return _review(prescription_id)


def _review(prescription_id: UUID, problem: Refused | None = None) -> ResponseReturnValue:
    at, who = now(), member()
    with transaction() as session:
        row = found(session, prescription_id)
        policy = current(session, at, session.get_one(Department, row.department_id).code)
        seen = queries.judged(session, row, at, policy, verified_only=verified_only())
        it = _values(session, seen, who)
        it |= {"now": at, "typed": request.form if request.method == "POST" else {}}
        _note(session, row, "see-prescription")
    if problem:
        it |= {"problem": say(problem.message, **problem.params), "wrong": problem.field}
    return page("review.html", problem.status if problem else 200, **it)


def _values(session: Session, seen: queries.Judged, who: Member) -> dict[str, Any]:
    locale, weight = visitor_locale(), seen.context.child.weight
    names = practitioner_names(session, {seen.taken_by} if seen.taken_by else set())
    questions = asking_doctor.asked(session, seen.row.id)
    return {
        "row": seen.row,
        "seen": shown(seen.read, names_of(session, seen.read), locale),
        "findings": [(one, one.say(locale)) for one in seen.findings],
        "blocked": any(one.severity == "block" for one in seen.findings),
        "doses": {n: _dose(one) for n, one in seen.doses.items()},
        "weight": weight,
        "kg": number(weight.grams, 1000) if weight else "",
        "running": _running(seen, locale),
        "allergies": seen.context.allergies,
        "doctor": seen.doctor,
        "questions": questions,
        "asked_by": practitioner_names(session, {one.asked_by_id for one in questions}),
        "taken": names.get(seen.taken_by) if seen.taken_by else None,
        "groups": [(label, [one for one in reasons().reason if one.group is group]) for group, label in GROUPS.items()],
        "waits": seen.row.status is PrescriptionStatus.IN_REVIEW and Role.PHARMACIST in who.roles,
        "own": seen.row.practitioner_id == who.practitioner.id,
        "locale": locale,
    }


def _dose(one: queries.Dose) -> tuple[str, str] | None:
    if one.mg_kg is None or one.mg_kg_day is None:
        return None
    return number(one.mg_kg), number(one.mg_kg_day)


def _running(seen: queries.Judged, locale: str) -> str:
    """What the child takes besides, in one line."""
    said = [f"{one.line.product.name.say(locale)} {often(one.line.times, one.line.interval, locale)}"
            for one in seen.context.still_running()]  # fmt: skip
    said += [one.name for one in seen.context.home]
    return "；".join(said)


def _note(session: Session, row: Prescription, action: str, **more: str) -> None:
    who = viewer().account_id
    audit(session, action, at=now(), entity="prescription", entity_id=row.id, account_id=who, **more)


Verb = Callable[[Session, Member, UUID], object]
VERBS: dict[str, Verb] = {
    "take": lambda session, who, one: actions.take(session, who, one, now()),
    "ask": lambda session, who, one: asking_doctor.ask(session, who, one, request.form.get("question", ""), now()),
    "accept": lambda session, who, one: actions.accept(
        session, who, one, signer(), now(), current(session, now()), verified_only=verified_only()
    ),
    "reject": lambda session, who, one: actions.reject(
        session, who, one, request.form.getlist("codes"), request.form.get("text", ""), signer(), now()
    ),
}


@bp.post("/reviews/<uuid:prescription_id>")
@staff(Role.PHARMACIST)
def decide_review(prescription_id: UUID) -> ResponseReturnValue:
    """One of the buttons: take it, ask the doctor, accept, send back."""
    do = request.form.get("do", "")
    if do not in VERBS:
        raise NotFound
    try:
        with transaction() as session:
            VERBS[do](session, member(), prescription_id)
    except NotFound:
        raise
    except Refused as refused:
        return _review(prescription_id, refused)
    if do in {"accept", "reject"}:
        return redirect(url_for("desk.reviews"), 303)
    return redirect(url_for("desk.review", prescription_id=prescription_id), 303)


@bp.get("/prescriptions/<uuid:prescription_id>.pdf")
@staff(*READERS)
def prescription_paper(prescription_id: UUID) -> ResponseReturnValue:
    """The form on paper, sealed: for the doctors of the visit, and for those who review and give out."""
    at, locale = now(), visitor_locale()
    with transaction() as session:
        row = found(session, prescription_id)
        reads_all = member().roles & {Role.PHARMACIST, Role.DISPATCHER, Role.AUDITOR}
        if not reads_all and not seat(session, viewer(), appointment_of(session, row)).is_doctor:
            raise NotFound
        seen, seal = _read(session, row, locale), paper.Seal.of(signer().seal(session, at))
        _note(session, row, "see-prescription", form="pdf")
    made = paper.pdf(seen, locale, seal, at)
    shown_here = {"Content-Disposition": f'inline; filename="{seen.number}.pdf"'}
    return Response(made, content_type="application/pdf", headers=HEADERS | shown_here)


def _read(session: Session, row: Prescription, locale: str) -> Shown:
    if row.digest is None:
        raise NotFound
    read = verified(session, row)
    return shown(read, names_of(session, read), locale)
