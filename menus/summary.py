"""The family's side of the record: what the doctor found, what to do, what to watch; as a page, as PDF, as pictures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.hospital import hospital
from consultation.record import paper, queries
from consultation.record.refusals import Damaged
from consultation.record.shown import Shown, shown, slip
from menus import prescription
from menus.pages import bp, lead_back, locale, page
from menus.room import Here, Part
from menus.ways import VISITS
from people.access import Viewer
from people.audit import record as audit
from wechat.signin import signed_in, viewer

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def values(here: Here) -> dict[str, Any] | None:
    """The part of the room's page: that there is something to read. None while nothing is signed."""
    if here.encounter is None:
        return None
    try:
        _, versions = queries.summary(here.session, here.viewer, here.visit.appointment.id)
    except (NotFound, Damaged):
        return None
    return {"seen": shown(versions[-1], locale())}


PART = Part("menus/summary_part.html", values)


@bp.get("/visits/<uuid:visit_id>/summary")
@signed_in
def summary(visit_id: UUID) -> ResponseReturnValue:
    """The page, for every active guardian of the child."""
    lead_back(f"/visits/{visit_id}", "Visit")
    visit, seen = _read(viewer(), visit_id)
    with transaction() as session:
        prescribed = prescription.of_visit(session, visit_id, now())
    slip_ = slip(seen, hospital(), locale())
    return page("summary.html", tab=VISITS, visit=visit, seen=seen, slip=slip_, prescribed=prescribed)


@bp.get("/visits/<uuid:visit_id>/summary.pdf")
@signed_in
def summary_paper(visit_id: UUID) -> ResponseReturnValue:
    """The same on paper."""
    lead_back(f"/visits/{visit_id}/summary", "Visit summary")
    _, seen = _read(viewer(), visit_id, "pdf")
    name = f"summary-{seen.signed_at:%Y%m%d}.pdf"
    shown_here = {"Content-Disposition": f'inline; filename="{name}"'}
    made = paper.pdf(seen, hospital(), locale())
    return Response(made, content_type="application/pdf", headers=HEADERS | shown_here)


@bp.get("/visits/<uuid:visit_id>/summary/<int:sheet>.png")
@signed_in
def summary_picture(visit_id: UUID, sheet: int) -> ResponseReturnValue:
    """A page of the paper as a picture: not every phone opens a PDF in WeChat; a picture is saved by a long press."""
    lead_back(f"/visits/{visit_id}/summary", "Visit summary")
    _, seen = _read(viewer(), visit_id, "picture")
    made = paper.pictures(seen, hospital(), locale())
    if not 1 <= sheet <= len(made):
        raise NotFound
    return Response(made[sheet - 1], content_type="image/png", headers=HEADERS)


@bp.get("/visits/<uuid:visit_id>/summary/pages")
@signed_in
def summary_pictures(visit_id: UUID) -> ResponseReturnValue:
    """All pages of the paper as pictures to be saved."""
    lead_back(f"/visits/{visit_id}/summary", "Visit summary")
    visit, seen = _read(viewer(), visit_id)
    return page("summary_pages.html", tab=VISITS, visit=visit, pages=len(paper.pictures(seen, hospital(), locale())))


def _read(who: Viewer, visit_id: UUID, form: str = "page") -> tuple[Visit, Shown]:
    """The newest version; that it was read is recorded. Nothing is rendered while the transaction is open."""
    with transaction() as session:
        visit, versions = queries.summary(session, who, visit_id)
        _note(session, who, visit, form)
        return visit, shown(versions[-1], locale())


def _note(session: Session, who: Viewer, visit: Visit, form: str) -> None:
    audit(
        session,
        "read-summary",
        at=now(),
        entity="appointment",
        entity_id=visit.appointment.id,
        account_id=who.account_id,
        form=form,
    )
