"""Recordings of visits: for the treating doctor those of the visit, for auditors all by day. Each look is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from config.clock import now, today
from config.database import transaction
from config.policy import current
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import OVER
from consultation.talk.recordings import actions, queries
from consultation.talk.recordings.models import FAILED, RecordingChunk
from desk.appointments import NO_DAY, mark, parsed_day, place
from desk.pages import blueprint as pages
from desk.pages import page
from desk.visit import Here, Part
from people.audit import record as audit
from people.files import FileStore
from people.models import Role
from wechat.signin import member, staff, viewer

# Staff share computers: nothing of a child stays in the browser.
HEADERS = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}


def part_values(here: Here) -> dict[str, Any] | None:
    """Where the recordings of a visit that is over are, for its treating doctor; None: there are none."""
    encounter = here.seat.encounter
    if here.seat.role is not SeatRole.PRACTITIONER or encounter.status not in OVER:
        return None
    found = queries.of_visit(here.session, encounter)
    return {"parts": found, "failed": any(map(queries.has_failed, found))} if found else None


PART = Part("side", "desk/recordings_part.html", part_values)


@dataclass(frozen=True)
class Player:
    """The views and what they need."""

    files: FileStore

    def of_day(self) -> ResponseReturnValue:
        """GET: the visits recorded on a day, for auditors."""
        typed = request.args.get("day", today(now()).isoformat())
        day, following = parsed_day(typed), None
        found: list[queries.Recorded] = []
        if day:
            with transaction() as session:
                found, following = queries.of_day(session, day, place(request.args.get("after", "")))
                by = viewer().account_id
                audit(session, "see-recordings", at=now(), entity="recording", account_id=by, day=day.isoformat())
        problem = None if day else NO_DAY
        after = mark(following) if following else None
        status = 200 if day else 422
        return page("recordings_day.html", status, typed=typed, problem=problem, found=found, after=after)

    def of_visit(self, visit_id: UUID) -> ResponseReturnValue:
        """GET: what was recorded of one visit, to be played."""
        with transaction() as session:
            encounter, visit = queries.heard_by(session, viewer(), visit_id)
            found, by = queries.of_visit(session, encounter), viewer().account_id
            last = max((one.recording.started_at for one in found), default=now())
            until = actions.expires(today(last), current(session, now()))
            audit(session, "see-recordings", at=now(), entity="encounter", entity_id=encounter.id, account_id=by)
        treats = encounter.practitioner_id == member().practitioner.id
        return page("recordings.html", visit=visit, parts_found=found, failed=FAILED, treats=treats, until=until)

    def file(self, recording_id: UUID) -> ResponseReturnValue:
        """GET: one recording as one file, piece after piece; browsers ask for ranges of it."""
        at, who = now(), viewer()
        with transaction() as session:
            recording, chunks = queries.playable(session, who, recording_id)
            if not queries.looked_lately(session, recording, who.account_id, at):
                actions.seen(session, recording, who.account_id, at)
            content_type = recording.content_type or "application/octet-stream"
        size = sum(chunk.size for chunk in chunks)
        first, end = _range(size)
        if first is None:
            return Response(status=416, headers={**HEADERS, "Content-Range": f"bytes */{size}"})
        headers = {**HEADERS, "Accept-Ranges": "bytes", "Content-Length": str(end - first)}
        partly = request.range is not None
        if partly:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
        told = self._bytes(chunks, first, end)
        return Response(told, 206 if partly else 200, content_type=content_type, headers=headers)

    def _bytes(self, chunks: Sequence[RecordingChunk], first: int, end: int) -> Iterator[bytes]:
        """The bytes from ``first`` up to ``end``; only the pieces that hold them are opened."""
        begins = 0
        for chunk in chunks:
            if begins < end and begins + chunk.size > first:
                yield self.files.get(chunk.file_name)[max(0, first - begins) : end - begins]
            begins += chunk.size


def _range(size: int) -> tuple[int | None, int]:
    """What the browser asks for: the first byte (None: there is no such) and the one after the last."""
    if request.range is None:
        return 0, size
    asked = request.range.range_for_length(size)
    return asked or (None, 0)


def blueprint(files: FileStore) -> Blueprint:
    """The routes."""
    player, made = Player(files), pages("desk_recordings")
    made.add_url_rule("/recordings", "of_day", staff(Role.AUDITOR)(player.of_day))
    made.add_url_rule("/visits/<uuid:visit_id>/recordings", "of_visit", staff(*queries.HEARS)(player.of_visit))
    made.add_url_rule("/recordings/<uuid:recording_id>/file", "file", staff(*queries.HEARS)(player.file))
    return made
