"""By what right a browser is in a room: its sign-in, or the link that let it into that one. Asked anew each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec
from uuid import UUID

from flask import g
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.ids import parse_id
from config.policy import current
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import Place, Seat, place_of, seat
from consultation.talk.queries import holder
from people import sessions
from people.access import Viewer, works_as
from people.models import Role
from people.sessions import Known, SignInKind
from wechat.refusals import NotSignedIn
from wechat.signin import SIGN_IN, signed_in, viewer, visitor_locale

LINK = "call"  # in the cookie: the link that let this browser into one room

P = ParamSpec("P")


@dataclass(frozen=True)
class Pass:
    """What a browser's cookie holds, for a stream that outlives its request."""

    sign_in_id: UUID | None
    link_id: UUID | None
    locale: str

    def place(self, session: Session, visit_id: UUID, at: datetime) -> Place:
        """The seat in a room. Raises NotSignedIn, NotFound, NotStaff, RoleMissing; a computer opens doctors' seats.

        A stream during the visit counts as use: nobody is signed out in the middle of a call.
        """
        account_id = self.link_id and holder(session, self.link_id, visit_id, at)
        if account_id:
            return place_of(session, Viewer(account_id, self.locale), visit_id)
        signed = self.sign_in(session, at)
        who = Viewer(signed.account_id, self.locale)
        found = place_of(session, who, visit_id)
        if found.is_doctor:
            works_as(session, who, Role.DOCTOR)
        elif signed.kind is not SignInKind.WECHAT:
            raise NotFound
        if found.status is EncounterStatus.IN_PROGRESS:
            sessions.seen(session, signed, at, current(session, at))
        return found

    def sign_in(self, session: Session, at: datetime) -> Known:
        """The sign-in while it holds; looking does not count as use. Raises NotSignedIn."""
        found = sessions.known(session, self.sign_in_id) if self.sign_in_id else None
        if found is None or not sessions.holds(found, at, current(session, at)):
            raise NotSignedIn
        return found


def here() -> Pass:
    """The pass of this request's browser."""
    return Pass(parse_id(cookie.get(SIGN_IN)), parse_id(cookie.get(LINK)), visitor_locale())


def seated(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Mark a view of a room (it takes ``visit_id``) for the family: signed in through WeChat, or let in by a link."""

    usual = signed_in(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        link_id, visit_id = here().link_id, kwargs.get("visit_id")
        if link_id and isinstance(visit_id, UUID):
            with transaction() as session:
                account_id = holder(session, link_id, visit_id, now())
            if account_id:
                g.guest = Viewer(account_id, visitor_locale())
                return view(*args, **kwargs)
        return usual(*args, **kwargs)

    guarded.__dict__["guard"] = "signed-in"
    return guarded


def watching(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Mark a stream: for whoever is signed in, in whatever way, or has a link; its Pass asks for more. No redirects,
    which a stream can't follow. Raises NotSignedIn."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        right = here()
        if right.sign_in_id is None and right.link_id is None:
            raise NotSignedIn
        return view(*args, **kwargs)

    guarded.__dict__["guard"] = "signed-in"
    return guarded


def room_viewer() -> Viewer:
    """Who looks at a room, in a view marked ``seated`` or ``staff``. Raises NotSignedIn."""
    guest: Viewer | None = g.get("guest")
    return guest or viewer()


def seat_of(session: Session, visit_id: UUID, doctors: bool, *, lock: bool = False) -> Seat:
    """The seat of who looks at a room from this face: a doctor's, or the family's. Raises NotFound, NotSignedIn."""
    found = seat(session, room_viewer(), visit_id, lock=lock)
    if found.is_doctor != doctors:
        raise NotFound
    return found


def is_guest() -> bool:
    """Whether a link let this browser in, so that it sees nothing but this room."""
    return "guest" in g
