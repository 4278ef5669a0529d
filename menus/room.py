"""The room of a visit, on the family's side: one page whose parts depend on where the visit stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask import current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from config.clock import now
from config.database import transaction
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import known
from menus.pages import bp, lead_back, page
from menus.ways import VISITS
from people.access import Viewer
from wechat.signin import signed_in, viewer


class Here(NamedTuple):
    """What a part of the page is asked with. ``encounter`` is None until somebody needed one."""

    session: Session
    viewer: Viewer
    visit: Visit
    encounter: Encounter | None
    now: datetime


class Part(NamedTuple):
    """A part of the page: its template, and what it shows as ``it`` (None: it is not there now)."""

    template: str
    values: Callable[[Here], dict[str, Any] | None]


PARTS = "room.parts"  # where the application keeps them, in the order of the page


@bp.get("/visits/<uuid:visit_id>/room")
@signed_in
def room(visit_id: UUID) -> ResponseReturnValue:
    """The page; for every active guardian of the child."""
    lead_back(f"/visits/{visit_id}", "Visit")
    who, at = viewer(), now()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        encounter = known(session, visit_id)
        here = Here(session, who, visit, encounter, at)
        parts = [
            (part.template, values)
            for part in current_app.extensions[PARTS]
            if (values := part.values(here)) is not None
        ]
    return page("room.html", tab=VISITS, visit=visit, encounter=encounter, shown=parts)
