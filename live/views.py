"""What the pages of a room ask and send, for both faces: events without a stream, signals, messages, their pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from config.clock import now
from config.database import transaction
from config.ids import new_id, parse_id
from config.policy import current
from consultation import actions as pictures_kept
from consultation import pictures
from consultation.encounters.rooms import OVER, Seat
from consultation.line.queries import department_code
from consultation.models import MediaStatus
from consultation.talk import actions, queries
from consultation.talk.refusals import BadSignal, RoomClosed
from consultation.talk.video import VideoRooms
from consultation.written import actions as written
from consultation.written.queries import left
from live import after
from live.passes import room_viewer, seat_of
from live.recording import Recorder
from people.files import FileStore

# Families and staff share devices: nothing of a child stays in the browser.
PICTURE = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}

Guard = Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]


@dataclass(frozen=True)
class Room:
    """The views of one face. ``doctors``: for doctors' seats, or for the family's; ``page`` is the room's page."""

    files: FileStore
    video: VideoRooms
    doctors: bool
    page: Callable[[UUID], str]

    def _seat(self, session: Session, visit_id: UUID, *, lock: bool = False) -> Seat:
        return seat_of(session, visit_id, self.doctors, lock=lock)

    def events(self, visit_id: UUID) -> ResponseReturnValue:
        """GET: what happened after ``?after=``, and where the visit stands."""
        with transaction() as session:
            here = self._seat(session, visit_id)
            found = queries.news(session, here.place, after(), room_viewer().locale)
            status = here.encounter.status
        return jsonify(events=found, status=status, over=status in OVER)

    def signal(self, visit_id: UUID) -> ResponseReturnValue:
        """POST of JSON ``{"to": account or null, "signal": {...}}``."""
        sent: Any = request.get_json(silent=True)
        to = parse_id(sent.get("to")) if isinstance(sent, dict) else None
        if not isinstance(sent, dict) or (sent.get("to") and to is None):
            raise BadSignal
        with transaction() as session:
            actions.signal(session, self._seat(session, visit_id, lock=True), to, sent.get("signal"), now())
        return jsonify(ok=True)

    def call(self, visit_id: UUID) -> ResponseReturnValue:
        """GET: what the browser needs to join the call."""
        with transaction() as session:
            here = self._seat(session, visit_id)
            if not actions.can_call(here.encounter):
                raise RoomClosed
            return jsonify(self.video.enter(here, now()))

    def write(self, visit_id: UUID) -> ResponseReturnValue:
        """POST of a message: ``text``, ``picture``, and the page's ``key`` for it. Scripts get JSON."""
        at, key = now(), parse_id(request.form.get("key")) or new_id()
        sent = request.files.get("picture")
        media_id = self._kept(visit_id, sent, key, at) if sent and sent.filename else None
        with transaction() as session:
            here = self._seat(session, visit_id, lock=True)
            policy = current(session, at, department_code(session, here.encounter))
            message = written.write(session, here, request.form.get("text", ""), key, at, policy, media_id)
            more = left(session, here.encounter, policy) if here.encounter.written_at and not here.is_doctor else None
        if request.accept_mimetypes.best == "application/json":
            return jsonify(id=message.id, left=more), 201
        return redirect(f"{self.page(visit_id)}#chat", 303)

    def _kept(self, visit_id: UUID, sent: FileStorage, key: UUID, at: datetime) -> UUID:
        """The row of a picture whose file is kept: row, file, row (docs/house.md)."""
        with transaction() as session:
            here = self._seat(session, visit_id)
            if not actions.sent(session, here, key):
                written.admit(session, here, current(session, at, department_code(session, here.encounter)))
        picture = pictures.checked(sent.read())
        with transaction() as session:
            media = actions.prepare(
                session, self._seat(session, visit_id, lock=True), picture, at, current(session, at)
            )
        if media.status is MediaStatus.PREPARATION:
            self.files.put(media.file_name, picture.data)
            with transaction() as session:
                pictures_kept.completed(session, media.id, now())
        return media.id

    def read(self, visit_id: UUID) -> ResponseReturnValue:
        """POST: what the other side wrote is on the screen."""
        with transaction() as session:
            actions.read(session, self._seat(session, visit_id, lock=True), now())
        return jsonify(ok=True)

    def picture(self, visit_id: UUID, message_id: UUID) -> ResponseReturnValue:
        """GET: the picture of a message; a small one with ``?small=1``."""
        with transaction() as session:
            name = queries.picture(session, self._seat(session, visit_id), message_id).file_name
        data = self.files.get(name)
        data = pictures.small(data) if request.args.get("small") else data
        return Response(data, content_type=pictures.CONTENT_TYPE, headers=PICTURE)

    def join(self, made: Blueprint, guard: Guard) -> Blueprint:
        """Put the views under ``/visits/<visit_id>/`` of a face's blueprint."""
        place = "/visits/<uuid:visit_id>"
        made.add_url_rule(f"{place}/events", "events", guard(self.events))
        made.add_url_rule(f"{place}/signals", "signal", guard(self.signal), methods=["POST"])
        made.add_url_rule(f"{place}/call/servers", "call", guard(self.call))
        made.add_url_rule(f"{place}/messages", "write", guard(self.write), methods=["POST"])
        made.add_url_rule(f"{place}/messages/read", "read", guard(self.read), methods=["POST"])
        made.add_url_rule(f"{place}/messages/<uuid:message_id>/picture", "picture", guard(self.picture))
        Recorder(self.files, self.doctors).join(made, guard)
        return made
