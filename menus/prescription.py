"""A prescription on the family's side: that it is being reviewed, then what to give, when and for how long; the green
form as PDF and as pictures. What a pharmacist sent back is never shown: it is being reviewed until it is corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import Response, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from consultation.encounters.rooms import known as encounter_known
from menus.medicines import next_step
from menus.pages import bp, lead_back, locale, page
from menus.room import Here, Part
from menus.ways import VISITS
from people.access import Viewer
from people.audit import record as audit
from prescriptions import standing
from prescriptions.papers import paper
from prescriptions.papers.shown import Shown, names_of, shown
from prescriptions.signing.keys import Signer
from prescriptions.signing.verifying import verified
from prescriptions.standing import Known, Stands
from prescriptions.writing import queries
from prescriptions.writing.models import Prescription, PrescriptionStatus
from wechat.signin import signed_in, viewer

SIGNER = "prescriptions.seal"  # where the application keeps it
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


class State(StrEnum):
    """Where it stands, as far as a family needs to know."""

    REVIEWED = "being-reviewed"
    READY = "ready"
    ENDED = "ended"  # approved, but too old to be ordered
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Seen:
    """A prescription of the viewer's child; without ``shown`` there is nothing to read yet, or any more."""

    row: Prescription
    visit: Visit
    state: State
    shown: Shown | None
    known: Known  # what came of it: its order, parcel, course
    stands: Stands
    next: tuple[str, str] | None  # path and button of what is done next


def state(row: Prescription, at: datetime) -> State:
    """Where a signed prescription stands for its family."""
    if row.status is PrescriptionStatus.APPROVED:
        return State.READY if queries.orderable(row, at) else State.ENDED
    return State.CANCELLED if row.status is PrescriptionStatus.CANCELLED else State.REVIEWED


Link = tuple[Known, Stands, tuple[str, str] | None]  # with the path and the button of what is done next


def of_visit(session: Session, appointment_id: UUID, at: datetime) -> list[Link]:
    """The prescriptions of a visit to which the viewer was let, newest first; none that was corrected."""
    encounter = encounter_known(session, appointment_id)
    rows = queries.of_encounter(session, encounter.id) if encounter else []
    current = [row for row in rows if not queries.replaced(session, row.id)]
    return [_link(one, at) for one in standing.known(session, current)]


def _link(one: Known, at: datetime) -> Link:
    where = standing.stands(one, at)
    return one, where, next_step(one, where)


def values(here: Here) -> dict[str, Any] | None:
    """The part of the room's page: that there is a prescription. None while nothing is signed."""
    found = of_visit(here.session, here.visit.appointment.id, here.now)
    return {"links": found} if found else None


PART = Part("menus/prescription_part.html", values)


@bp.get("/prescriptions/<uuid:prescription_id>")
@signed_in
def prescription(prescription_id: UUID) -> ResponseReturnValue:
    """The page, for every active guardian of the child."""
    seen = _read(viewer(), prescription_id)
    lead_back(f"/visits/{seen.visit.appointment.id}", "Visit")
    return page("prescription.html", tab=VISITS, it=seen, states=State)


@bp.get("/prescriptions/<uuid:prescription_id>.pdf")
@signed_in
def prescription_paper(prescription_id: UUID) -> ResponseReturnValue:
    """The form, sealed by the clinic; once it is approved."""
    lead_back(f"/prescriptions/{prescription_id}", "Prescription")
    at = now()
    signer: Signer = current_app.extensions[SIGNER]
    with transaction() as session:
        seal = paper.Seal.of(signer.seal(session, at))
    found = _approved(viewer(), prescription_id, "pdf")
    made = paper.pdf(found, locale(), seal, at)
    shown_here = {"Content-Disposition": f'inline; filename="{found.number}.pdf"'}
    return Response(made, content_type="application/pdf", headers=HEADERS | shown_here)


@bp.get("/prescriptions/<uuid:prescription_id>/<int:sheet>.png")
@signed_in
def prescription_picture(prescription_id: UUID, sheet: int) -> ResponseReturnValue:
    """A page of the form as a picture: not every phone opens a PDF in WeChat; a picture is saved by a long press."""
    lead_back(f"/prescriptions/{prescription_id}", "Prescription")
    made = paper.pictures(_approved(viewer(), prescription_id, "picture"), locale())
    if not 1 <= sheet <= len(made):
        raise NotFound
    return Response(made[sheet - 1], content_type="image/png", headers=HEADERS)


@bp.get("/prescriptions/<uuid:prescription_id>/pages")
@signed_in
def prescription_pictures(prescription_id: UUID) -> ResponseReturnValue:
    """All pages of the form as pictures to be saved."""
    lead_back(f"/prescriptions/{prescription_id}", "Prescription")
    found = _approved(viewer(), prescription_id, "pictures")
    pages = len(paper.pictures(found, locale()))
    return page("prescription_pages.html", tab=VISITS, prescription_id=prescription_id, pages=pages)


def _approved(who: Viewer, prescription_id: UUID, form: str) -> Shown:
    """What a pharmacist has accepted. Raises NotFound for everything else."""
    seen = _read(who, prescription_id, form)
    if seen.shown is None:
        raise NotFound
    return seen.shown


def _read(who: Viewer, prescription_id: UUID, form: str = "page") -> Seen:
    """One prescription; that it was read is recorded. Nothing is rendered while the transaction is open."""
    at = now()
    with transaction() as session:
        row = queries.for_family(session, who, prescription_id)
        about = whole(session, queries.appointment_of(session, row))
        read = verified(session, row)
        stands = state(row, at)
        shows = stands in {State.READY, State.ENDED}
        audit(
            session,
            "read-prescription",
            at=at,
            entity="prescription",
            entity_id=row.id,
            account_id=who.account_id,
            form=form,
        )
        found = shown(read, names_of(session, read), locale()) if shows else None
        (known,) = standing.known(session, [row])
        return Seen(row, about, stands, found, *_link(known, at))
