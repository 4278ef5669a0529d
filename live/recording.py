"""What the pages of a room send of their own recording, for both faces; at the desk also how everybody's stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from consultation.talk.recordings import actions, queries
from consultation.talk.recordings.actions import Piece
from consultation.talk.recordings.models import Stopped
from consultation.talk.recordings.refusals import NoRecording, RecordingTooLarge
from live.passes import seat_of
from people.files import FileStore

Guard = Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]
TOLD = tuple(why for why in Stopped if why is not Stopped.LOST)  # what a page says of itself
HOURS = 12  # no recording is older while its pieces come


@dataclass(frozen=True)
class Recorder:
    """The views of one face. ``doctors``: for doctors' seats, or for the family's."""

    files: FileStore
    doctors: bool

    def piece(self, visit_id: UUID, recording_id: UUID, n: int) -> ResponseReturnValue:
        """POST of a piece as it is, by its number; ``?age=`` are the milliseconds since its recording began.

        Row, file, row (docs/house.md); what came before is not kept twice.
        """
        if (request.content_length or 0) > actions.BYTES:
            raise RecordingTooLarge
        piece = Piece(recording_id, n, request.content_type or "", _age(request.args.get("age")), request.get_data())
        with transaction() as session:
            at, here = now(), seat_of(session, visit_id, self.doctors)
            chunk = actions.prepare(session, here, piece, at)
            kept, name, chunk_id = chunk.kept_at, chunk.file_name, chunk.id
        if kept is None:
            self.files.put(name, piece.data)
            with transaction() as session:
                actions.completed(session, chunk_id, now())
        return jsonify(ok=True)

    def over(self, visit_id: UUID, recording_id: UUID) -> ResponseReturnValue:
        """POST of JSON ``{"why", "pieces", "age"}``: no more pieces come, or none could be made."""
        sent: Any = request.get_json(silent=True)
        with transaction() as session:
            at, here = now(), seat_of(session, visit_id, self.doctors)
            why, pieces, age = _told(sent)
            actions.ended(session, here, recording_id, why, at, pieces=pieces, age=age)
        return jsonify(ok=True)

    def standing(self, visit_id: UUID) -> ResponseReturnValue:
        """GET: by account, whether it is recorded now, else since when not."""
        with transaction() as session:
            here = seat_of(session, visit_id, self.doctors)
            found = queries.standing(session, here.encounter, now())
        return jsonify({str(account): stands for account, stands in found.items()})

    def join(self, made: Blueprint, guard: Guard) -> None:
        """Put the views under ``/visits/<visit_id>/recordings`` of a face's blueprint."""
        place = "/visits/<uuid:visit_id>/recordings"
        piece = f"{place}/<uuid:recording_id>/<int:n>"
        made.add_url_rule(piece, "recording_piece", guard(self.piece), methods=["POST"])
        made.add_url_rule(f"{place}/<uuid:recording_id>/over", "recording_over", guard(self.over), methods=["POST"])
        if self.doctors:
            made.add_url_rule(f"{place}/standing", "recording_standing", guard(self.standing))


def _told(sent: Any) -> tuple[Stopped, int, timedelta]:
    """Why, how many pieces, and how long ago the recording began. Raises NoRecording."""
    if not isinstance(sent, dict) or sent.get("why") not in TOLD or type(sent.get("pieces")) is not int:
        raise NoRecording
    return Stopped(sent["why"]), sent["pieces"], _age(sent.get("age"))


def _age(sent: object) -> timedelta:
    """Milliseconds as a page counts them; what is none counts as none."""
    text = str(sent)
    milliseconds = int(text) if text.isdecimal() and len(text) < 10 else 0
    return min(timedelta(milliseconds=milliseconds), timedelta(hours=HOURS))
