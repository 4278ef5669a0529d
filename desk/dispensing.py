"""The pharmacy: what waits, the oldest promise first; picked by one, checked by another with the packages in hand."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.text import CHINESE
from desk.pages import bp, page, say
from desk.prescribing import SIGNER
from people.audit import record as audit
from people.models import Role
from people.queries import practitioner_names
from prescriptions.dispensing import actions, paper, queries
from prescriptions.dispensing.labels import labels
from prescriptions.dispensing.models import DispenseStatus
from prescriptions.dispensing.queries import Work
from prescriptions.dispensing.rules import DECLINES
from prescriptions.formulary.knowledge import knowledge
from prescriptions.writing.models import Prescription
from wechat.signin import member, staff, visitor_locale

PICKERS = (Role.PHARMACIST, Role.DISPATCHER)
CHECKERS = (Role.PHARMACIST,)
MOST = 99  # packages of a lot
REASON = 200


@bp.get("/dispensing")
@staff(*PICKERS)
def dispensing() -> ResponseReturnValue:
    """What waits; ``show`` names the half that is looked at: ``pick`` or ``check``."""
    show = request.args.get("show")
    with transaction() as session:
        found = queries.waiting(session)
        sizes = queries.sizes(session, [work.order.id for work in found])
    halves = {
        "pick": [work for work in found if work.dispense.status is DispenseStatus.PREPARATION],
        "check": [work for work in found if work.dispense.status is DispenseStatus.IN_PROGRESS],
    }
    shown = halves.get(show or "", found)
    by = member().practitioner.id
    return page("dispensing.html", found=shown, all=len(found), halves=halves, show=show, sizes=sizes, by=by, now=now())


@bp.get("/dispensing/<uuid:dispense_id>")
@staff(*PICKERS)
def dispense(dispense_id: UUID) -> ResponseReturnValue:
    """The sheet: to be picked, to be checked, or what was given out. That it was looked at is recorded."""
    return _sheet(dispense_id)


@bp.post("/dispensing/<uuid:dispense_id>/pick")
@staff(*PICKERS)
def pick(dispense_id: UUID) -> ResponseReturnValue:
    """What was taken out of the shelves, signed by whoever took it."""

    def do(session: Session) -> None:
        work = queries.work(session, dispense_id)
        lines = queries.sheet(session, work.order)
        picks = {
            one.line.id: {
                lot.id: _count(f"take-{one.line.id}-{lot.id}") for lot in (*(lot for lot, _ in one.kept), *one.others)
            }
            for one in lines
        }
        reasons = {one.line.id: request.form.get(f"reason-{one.line.id}", "")[:REASON] for one in lines}
        signer = current_app.extensions[SIGNER]
        actions.pick(session, dispense_id, picks, reasons, member().practitioner, signer, now())

    return _done(dispense_id, do)


def _count(field: str) -> int:
    text = request.form.get(field, "").strip()
    return min(int(text), MOST) if text.isascii() and text.isdigit() and len(text) < 4 else 0


@bp.post("/dispensing/<uuid:dispense_id>/scan")
@staff(*CHECKERS)
def scan(dispense_id: UUID) -> ResponseReturnValue:
    """One package's code: scanners type it and press Enter."""
    code = request.form.get("code", "")
    return _done(dispense_id, lambda session: actions.scan(session, dispense_id, code, member().practitioner, now()))


@bp.post("/dispensing/<uuid:dispense_id>/complete")
@staff(*CHECKERS)
def complete(dispense_id: UUID) -> ResponseReturnValue:
    """Checked, signed, given out."""

    def do(session: Session) -> None:
        actions.complete(session, dispense_id, member().practitioner, current_app.extensions[SIGNER], now())

    return _done(dispense_id, do)


@bp.post("/dispensing/<uuid:dispense_id>/send-back")
@staff(*CHECKERS)
def send_back(dispense_id: UUID) -> ResponseReturnValue:
    """What was picked is not right."""
    reason = request.form.get("reason", "")
    return _done(
        dispense_id, lambda session: actions.send_back(session, dispense_id, reason, member().practitioner, now())
    )


@bp.post("/dispensing/<uuid:dispense_id>/decline")
@staff(*CHECKERS)
def decline(dispense_id: UUID) -> ResponseReturnValue:
    """The pharmacy can't give it out."""
    reason = request.form.get("reason", "")
    return _done(
        dispense_id, lambda session: actions.decline(session, dispense_id, reason, member().practitioner, now())
    )


@bp.get("/dispensing/<uuid:dispense_id>/labels.pdf")
@staff(*PICKERS)
def label_sheet(dispense_id: UUID) -> ResponseReturnValue:
    """The labels to be stuck on, in Chinese: 60 mm by 40 mm each."""
    with transaction() as session:
        work = queries.work(session, dispense_id)
        if work.dispense.status not in {DispenseStatus.IN_PROGRESS, DispenseStatus.COMPLETED}:
            raise NotFound
        given = queries.given(session, work.dispense)
        number = session.get_one(Prescription, work.order.prescription_id).number
        _note(session, work, "labels")
    made = paper.pdf(labels(given, work.patient.name, number, knowledge(), CHINESE), now(), CHINESE)
    shown = {"Content-Disposition": f'inline; filename="labels-{work.order.number}.pdf"'}
    return Response(made, content_type="application/pdf", headers={"Cache-Control": "private, no-store"} | shown)


def _done(dispense_id: UUID, do: Callable[[Session], object]) -> ResponseReturnValue:
    """Do it, and go back to the sheet; what is refused stands on it, with what was typed."""
    try:
        with transaction() as session:
            do(session)
    except NotFound:
        raise
    except Refused as refused:
        return _sheet(dispense_id, refused)
    return redirect(url_for("desk.dispense", dispense_id=dispense_id), 303)


def _sheet(dispense_id: UUID, refused: Refused | None = None) -> ResponseReturnValue:
    with transaction() as session:
        work = queries.work(session, dispense_id)
        status = work.dispense.status
        lines = queries.sheet(session, work.order) if status is DispenseStatus.PREPARATION else []
        picked = queries.picked(session, work.dispense)
        people = {one for one in (work.dispense.picker_id, work.dispense.checker_id) if one}
        names = practitioner_names(session, people)
        back = queries.sent_back(session, work.dispense) if status is DispenseStatus.PREPARATION else ""
        number = session.get_one(Prescription, work.order.prescription_id).number
        if refused is None:
            _note(session, work, "sheet")
    return page(
        "dispense.html",
        refused.status if refused else 200,
        work=work,
        number=number,
        lines=lines,
        picked=picked,
        missing=sum(one.item.quantity - one.item.scanned for one in picked),
        names=names,
        returned=back,
        mine=work.dispense.picker_id == member().practitioner.id,
        checks=bool(member().roles & set(CHECKERS)),
        declines=DECLINES,
        problem=say(refused.message, **refused.params) if refused else None,
        field=refused.field if refused else None,
        typed=request.form,
        most=REASON,
        locale=visitor_locale(),
        now=now(),
    )


def _note(session: Session, work: Work, what: str) -> None:
    who, about = member().practitioner.account_id, work.dispense.id
    audit(session, "look-dispense", at=now(), entity="dispense", entity_id=about, account_id=who, what=what)
