"""A visit at the doctor's desk: one page with everything about it side by side, made of parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask import current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from consultation.encounters.rooms import Seat, encounter_of, seat
from consultation.queries import practitioner_visit
from desk.pages import bp, page
from people.models import Role
from wechat.signin import staff, viewer


class Here(NamedTuple):
    """What a part of the page is asked with."""

    session: Session
    seat: Seat
    visit: Visit
    now: datetime


class Part(NamedTuple):
    """A part of the page: in which column (``side``: video, chat and line; ``main``: what is read and written), its
    template, and what it shows as ``it`` (None: it is not there now)."""

    column: str
    template: str
    values: Callable[[Here], dict[str, Any] | None]


PARTS = "visit.parts"  # where the application keeps them, in the order of the page


@bp.get("/visits/<uuid:visit_id>")
@staff(Role.DOCTOR)
def visit(visit_id: UUID) -> ResponseReturnValue:
    """The page, for the doctor whose list the child is on, who treats it now, or who was invited."""
    at = now()
    with transaction() as session:
        here = Here(session, *_let_in(session, visit_id, at), at)
        shown = [
            (part.column, part.template, values)
            for part in current_app.extensions[PARTS]
            if (values := part.values(here)) is not None
        ]
    return page("visit.html", visit=here.visit, encounter=here.seat.encounter, seat=here.seat, shown=shown)


def _let_in(session: Session, visit_id: UUID, at: datetime) -> tuple[Seat, Visit]:
    """The doctor's seat, made for the doctor of the list when nobody has needed it yet. Raises NotFound."""
    who = viewer()
    try:
        found = seat(session, who, visit_id)
    except NotFound:
        encounter_of(session, practitioner_visit(session, who, visit_id), at)
        found = seat(session, who, visit_id)
    if not found.is_doctor:
        raise NotFound
    return found, whole(session, visit_id)
