"""The call and the chat on the family's side: parts of the room's page, and the link into the phone's own browser."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, redirect, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.settings import Settings
from consultation.encounters.rooms import Seat, seat
from consultation.talk import actions
from consultation.talk.video import VideoRooms
from live import parts
from live.passes import LINK, is_guest, room_viewer, seated
from live.views import Room
from menus.pages import page
from menus.room import Here, Part
from menus.ways import VISITS
from people.access import Viewer
from people.files import FileStore
from wechat.signin import public, signed_in, viewer

MINUTES = int(actions.LINK_FOR.total_seconds() // 60)


def _seat(session: Session, who: Viewer, visit_id: UUID) -> Seat | None:
    try:
        return seat(session, who, visit_id)
    except NotFound:
        return None


def call_part(here: Here) -> dict[str, Any] | None:
    """The call, for who sits in the room."""
    found = here.encounter and _seat(here.session, here.viewer, here.visit.appointment.id)
    return parts.call(here.session, found, here.now) if found else None


def chat_part(here: Here) -> dict[str, Any] | None:
    """The chat, for who sits in the room."""
    found = here.encounter and _seat(here.session, here.viewer, here.visit.appointment.id)
    return parts.chat(here.session, found, here.now) if found else None


CALL = Part("live/call.html", call_part)
CHAT = Part("live/chat.html", chat_part)


def blueprint(settings: Settings, files: FileStore, video: VideoRooms) -> Blueprint:
    """The routes of the room on the family's side."""
    made = Blueprint("room", __name__)
    views = Room(files, video, False, lambda visit_id: url_for(_page_of_room(), visit_id=visit_id))
    views.join(made, seated)

    @made.get("/visits/<uuid:visit_id>/call")
    @seated
    def only(visit_id: UUID) -> ResponseReturnValue:
        """The call and the chat alone: all that a browser sees that was let in by a link."""
        with transaction() as session:
            found, visit = seat(session, room_viewer(), visit_id), whole(session, visit_id)
            if found.is_doctor:
                raise NotFound
            both = [
                (CALL.template, parts.call(session, found, now())),
                (CHAT.template, parts.chat(session, found, now())),
            ]
        shown = [(template, values) for template, values in both if values is not None]
        return page("call_alone.html", tab=VISITS, visit=visit, shown=shown)

    @made.post("/visits/<uuid:visit_id>/call/link")
    @signed_in
    def link(visit_id: UUID) -> ResponseReturnValue:
        """POST: a link that opens the call in the phone's own browser."""
        with transaction() as session:
            found = seat(session, viewer(), visit_id)
            if found.is_doctor:
                raise NotFound
            token = actions.make_link(session, found, now())
        url = settings.clinic_origin + url_for("room.enter", token=token)
        code = segno.make(url, error="m", micro=False).svg_data_uri(scale=5, border=3, dark="#000", light="#fff")
        return page("call_link.html", tab=VISITS, visit_id=visit_id, url=url, code=code, minutes=MINUTES)

    made.add_url_rule("/call/<token>", "enter", public(enter))
    made.add_url_rule("/call/<token>", "entered", public(entered), methods=["POST"])
    return made


def _page_of_room() -> str:
    return "room.only" if is_guest() else "menus.room"


def enter(token: str) -> ResponseReturnValue:
    """GET of a link: a page with one button, since chats open links by themselves to show a preview."""
    with transaction() as session:
        actions.link_of(session, token, now())
    return page("call_enter.html", tab=VISITS, token=token)


def entered(token: str) -> ResponseReturnValue:
    """POST: the link is used; this browser is let into that one room."""
    with transaction() as session:
        link, encounter = actions.use_link(session, token, now())
    cookie[LINK] = str(link.id)
    return redirect(url_for("room.only", visit_id=encounter.appointment_id), 303)
