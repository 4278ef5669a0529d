"""The call and the chat at the doctor's desk: two parts of the visit's page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import Refused
from consultation.encounters.rooms import seat
from consultation.talk import actions
from consultation.talk.video import VideoRooms
from desk.pages import blueprint as pages
from desk.pages import refused, say
from desk.visit import Part
from live import parts
from live.views import Room
from people.files import FileStore
from people.models import Role
from wechat.signin import staff, viewer

CALL = Part("side", "live/call.html", lambda here: parts.call(here.session, here.seat, here.now))
CHAT = Part("side", "live/chat.html", lambda here: parts.chat(here.session, here.seat, here.now))


def blueprint(files: FileStore, video: VideoRooms) -> Blueprint:
    """The routes of the room on the doctor's side."""
    made = pages("desk_room")
    made.register_error_handler(Refused, _refused)
    Room(files, video, True, lambda visit_id: url_for("desk.visit", visit_id=visit_id)).join(made, staff(Role.DOCTOR))
    made.add_url_rule("/visits/<uuid:visit_id>/phoned", "phoned", staff(Role.DOCTOR)(phoned), methods=["POST"])
    return made


def phoned(visit_id: UUID) -> ResponseReturnValue:
    """POST: the doctor taps the family's number; kept in the audit record."""
    with transaction() as session:
        actions.phoned(session, seat(session, viewer(), visit_id), now())
    return jsonify(ok=True)


def _refused(error: Refused) -> ResponseReturnValue:
    """What is refused: in JSON to scripts, as a page otherwise."""
    if request.accept_mimetypes.best == "application/json":
        return jsonify(code=error.code, message=say(error.message, **error.params)), error.status
    return refused(error)
