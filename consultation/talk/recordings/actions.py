"""What changes about recordings: a piece is kept, a recording ends, nothing comes any more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.ids import new_id
from config.policy import Policy
from consultation.encounters.models import Encounter, Kind
from consultation.encounters.rooms import Seat
from consultation.talk.recordings.models import FAILED, Recording, RecordingChunk, Stopped
from consultation.talk.recordings.refusals import NoRecording, NotRecorded, RecordingTooLarge
from people import consents
from people.audit import record as audit
from people.files import new_name
from people.models import Decision

log = structlog.get_logger()

TYPE = re.compile(r'(video|audio)/(webm|mp4)(; ?codecs="?[\w.,\- ]{1,50}"?)?', re.ASCII)
BYTES = 2 * 1024 * 1024  # of a piece; four seconds have some 130 kB
ALL_BYTES = 2 * 1024**3  # of one person in one visit: more than ten hours
PIECES, PARTS = 20_000, 500  # of one recording; recordings of one person in one visit
LATE = timedelta(minutes=10)  # after the visit: what waited for the network still comes
LOST = timedelta(seconds=12)  # pieces come every four seconds
LEFT = timedelta(hours=1)  # after which a piece whose file was never known to be kept is given up


@dataclass(frozen=True)
class Piece:
    """A piece as a page sent it. ``age``: how long ago its recording began."""

    recording_id: UUID
    n: int
    content_type: str
    age: timedelta
    data: bytes


def is_recorded(session: Session, encounter: Encounter) -> bool:
    """Whether this visit may be recorded: those by video are, whose guardian in the room agrees to it."""
    return encounter.kind is Kind.VIDEO and consents.recording(session, encounter.account_id) is Decision.PERMIT


def prepare(session: Session, here: Seat, piece: Piece, now: datetime) -> RecordingChunk:
    """Note a piece, before its file is put; one that came before is returned as it is.

    Raises NotRecorded, NoRecording, RecordingTooLarge, NotFound (the recording is somebody else's).
    """
    _checked(piece)
    recording = _recording(session, here, piece.recording_id, piece.age, now)
    recording.content_type = recording.content_type or piece.content_type
    mine = (Recording.encounter_id == here.encounter.id) & (Recording.account_id == here.account_id)
    if (session.scalar(select(func.sum(Recording.size)).where(mine)) or 0) > ALL_BYTES:
        raise RecordingTooLarge
    values = {
        "id": new_id(),
        "recording_id": recording.id,
        "n": piece.n,
        "file_name": new_name(),
        "size": len(piece.data),
        "sha256": sha256(piece.data).digest(),
        "received_at": now,
    }
    session.execute(insert(RecordingChunk).values(values).on_conflict_do_nothing(index_elements=["recording_id", "n"]))
    chunk = select(RecordingChunk).where(RecordingChunk.recording_id == recording.id, RecordingChunk.n == piece.n)
    return session.scalars(chunk).one()


def _checked(piece: Piece) -> None:
    if len(piece.data) > BYTES:
        raise RecordingTooLarge
    if not piece.data or not 0 <= piece.n < PIECES or not TYPE.fullmatch(piece.content_type):
        raise NoRecording
    webm = "/webm" in piece.content_type
    begins = piece.data.startswith(b"\x1a\x45\xdf\xa3") if webm else piece.data[4:8] == b"ftyp"
    if piece.n == 0 and not begins:
        raise NoRecording


def _recording(session: Session, here: Seat, recording_id: UUID, age: timedelta, now: datetime) -> Recording:
    encounter = here.encounter
    late = encounter.ended_at is not None and encounter.ended_at < now - LATE
    if not is_recorded(session, encounter) or encounter.started_at is None or late:
        raise NotRecorded
    found = session.get(Recording, recording_id) or _begun(session, here, recording_id, age, now)
    if (found.encounter_id, found.account_id) != (encounter.id, here.account_id):
        raise NotFound
    return found


def _begun(session: Session, here: Seat, recording_id: UUID, age: timedelta, now: datetime) -> Recording:
    mine = (Recording.encounter_id == here.encounter.id) & (Recording.account_id == here.account_id)
    if (session.scalar(select(func.count()).where(mine)) or 0) >= PARTS:
        raise RecordingTooLarge
    values = {
        "id": recording_id,
        "encounter_id": here.encounter.id,
        "account_id": here.account_id,
        "role": here.role,
        "started_at": max(here.encounter.started_at or now, now - age),
    }
    session.execute(insert(Recording).values(values).on_conflict_do_nothing(index_elements=["id"]))
    return session.get_one(Recording, recording_id)


def expires(day: date, policy: Policy) -> date:
    """The first day on which what was recorded on ``day`` may be deleted."""
    year = day.year + policy.recordings_kept_years
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)


def completed(session: Session, chunk_id: UUID, now: datetime) -> None:
    """The piece's file is kept."""
    chunk = session.scalars(select(RecordingChunk).where(RecordingChunk.id == chunk_id).with_for_update()).one()
    if chunk.kept_at is not None:
        return
    chunk.kept_at = now
    recording = session.scalars(select(Recording).where(Recording.id == chunk.recording_id).with_for_update()).one()
    recording.last_at, recording.size = now, recording.size + chunk.size
    if recording.lost_at:
        recording.lost_at = None
        _noted(session, recording, "recording-back", now)


def ended(
    session: Session,
    here: Seat,
    recording_id: UUID,
    why: Stopped,
    now: datetime,
    *,
    pieces: int = 0,
    age: timedelta = timedelta(),
) -> None:
    """The page has sent ``pieces`` and sends no more, or could not record at all; a failure is logged and recorded.

    Raises NotRecorded, NoRecording, NotFound.
    """
    if not 0 <= pieces <= PIECES:
        raise NoRecording
    recording = _recording(session, here, recording_id, age, now)
    if recording.ended_at is not None:
        return
    recording.ended_at, recording.why, recording.pieces, recording.lost_at = now, why, pieces, None
    if why in FAILED:
        log.warning("recording-failed", why=str(why), encounter=str(recording.encounter_id))
        _noted(session, recording, "recording-failed", now, recording.account_id, why=str(why))


def watch(session: Session, now: datetime) -> None:
    """Note what should go on and does not; close what the pages of a visit that is over never closed."""
    going = select(Recording, Encounter).join(Encounter, Encounter.id == Recording.encounter_id)
    silent = func.coalesce(Recording.last_at, Recording.started_at) < now - LOST
    found = session.execute(
        going.where(Recording.ended_at.is_(None), silent).limit(500).with_for_update(of=Recording, skip_locked=True)
    )
    for recording, encounter in found:
        if recording.lost_at is None:
            recording.lost_at = recording.last_at or recording.started_at
            log.warning("recording-lost", encounter=str(encounter.id))
            _noted(session, recording, "recording-lost", now)
        if encounter.ended_at is not None and encounter.ended_at < now - LATE:
            recording.ended_at, recording.why = recording.lost_at, Stopped.LOST


def forget(session: Session, chunk_id: UUID) -> None:
    """The file of a piece that was never known to be kept is deleted."""
    chunk = session.get(RecordingChunk, chunk_id)
    if chunk is not None and chunk.kept_at is None:
        session.delete(chunk)


def seen(session: Session, recording: Recording, account_id: UUID, now: datetime) -> None:
    """Somebody plays a recording."""
    _noted(session, recording, "play-recording", now, account_id)


def _noted(
    session: Session, recording: Recording, action: str, now: datetime, account_id: UUID | None = None, **detail: str
) -> None:
    """``account_id`` empty: the clinic itself."""
    more = {"encounter": str(recording.encounter_id), **detail}
    audit(session, action, at=now, entity="recording", entity_id=recording.id, account_id=account_id, **more)
