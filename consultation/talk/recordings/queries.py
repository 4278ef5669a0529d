"""Reads about recordings: whether everybody's goes on, what there is of a visit, the pieces of one in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.queries import visit as whole
from config import clock
from config.database import Json
from config.errors import NotFound
from consultation.encounters.models import Encounter
from consultation.talk.queries import Person, people
from consultation.talk.recordings.actions import LEFT, LOST
from consultation.talk.recordings.models import FAILED, Recording, RecordingChunk, Stopped
from people.access import Member, Viewer, member_of
from people.models import AuditEvent, Practitioner, Role

HEARS = (Role.DOCTOR, Role.AUDITOR)  # who may play recordings: doctors their own visits', auditors all
PAGE = 50
LOOK = timedelta(minutes=10)  # a browser asks for a recording in many ranges, which are one look
Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class Part:
    """One recording of a visit: who, and how many of its pieces are missing."""

    recording: Recording
    person: Person | None
    kept: int
    missing: int

    @property
    def sound_only(self) -> bool:
        """Whether there is no picture in it: sound was chosen, or the call fell back to it."""
        return (self.recording.content_type or "").startswith("audio/")

    @property
    def until(self) -> datetime | None:
        """When its last piece was kept."""
        return self.recording.last_at


def standing(session: Session, encounter: Encounter, now: datetime) -> dict[UUID, Json]:
    """For everybody who was in the call: ``ok`` (recorded now, or nothing is to be) or ``since`` when not any more,
    by the hospital's wall clock, and ``why``."""
    newest = (
        select(Recording)
        .ext(distinct_on(Recording.account_id))
        .where(Recording.encounter_id == encounter.id)
        .order_by(Recording.account_id, Recording.started_at.desc(), Recording.id.desc())
    )
    return {one.account_id: _stands(one, now) for one in session.scalars(newest)}


def _stands(recording: Recording, now: datetime) -> Json:
    heard = recording.last_at or recording.started_at
    if recording.why is Stopped.NOTHING or (recording.ended_at is None and heard >= now - LOST):
        return {"ok": True}
    since = recording.ended_at or heard
    return {"ok": False, "since": clock.local(since).strftime("%H:%M"), "why": recording.why or Stopped.LOST}


def of_visit(session: Session, encounter: Encounter) -> list[Part]:
    """What was recorded of a visit, in order."""
    names = people(session, encounter)
    counted = (
        select(Recording, func.count(RecordingChunk.kept_at), func.max(RecordingChunk.n))
        .outerjoin(RecordingChunk, RecordingChunk.recording_id == Recording.id)
        .where(Recording.encounter_id == encounter.id, Recording.why.is_distinct_from(Stopped.NOTHING))
        .group_by(Recording.id)
        .order_by(Recording.started_at, Recording.id)
    )
    found = []
    for recording, kept, last in session.execute(counted):
        sent = max(recording.pieces or 0, 0 if last is None else last + 1)
        found.append(Part(recording, names.get(recording.account_id), kept, sent - kept))
    return found


def has_failed(part: Part) -> bool:
    """Whether something of it is missing."""
    return part.missing > 0 or part.recording.why in FAILED or part.recording.lost_at is not None


def heard_by(session: Session, viewer: Viewer, appointment_id: UUID) -> tuple[Encounter, Visit]:
    """The encounter of a visit whose recordings the viewer may play: its treating doctor, or an auditor.

    Raises NotFound, NotStaff, RoleMissing.
    """
    who = member_of(session, viewer, HEARS)
    encounter = session.scalar(select(Encounter).where(Encounter.appointment_id == appointment_id))
    if encounter is None or not _may(who, encounter):
        raise NotFound
    return encounter, whole(session, appointment_id)


def _may(who: Member, encounter: Encounter) -> bool:
    treats = Role.DOCTOR in who.roles and encounter.practitioner_id == who.practitioner.id
    return treats or Role.AUDITOR in who.roles


def playable(session: Session, viewer: Viewer, recording_id: UUID) -> tuple[Recording, Sequence[RecordingChunk]]:
    """A recording that the viewer may play, and its kept pieces in order. Raises NotFound, NotStaff, RoleMissing."""
    who = member_of(session, viewer, HEARS)
    recording = session.get(Recording, recording_id)
    if recording is None or not _may(who, session.get_one(Encounter, recording.encounter_id)):
        raise NotFound
    chunks = select(RecordingChunk).where(
        RecordingChunk.recording_id == recording_id, RecordingChunk.kept_at.is_not(None)
    )
    return recording, session.scalars(chunks.order_by(RecordingChunk.n)).all()


def looked_lately(session: Session, recording: Recording, account_id: UUID, now: datetime) -> bool:
    """Whether this look is recorded already."""
    lately = select(AuditEvent.id).where(
        AuditEvent.entity_id == recording.id,
        AuditEvent.action == "play-recording",
        AuditEvent.account_id == account_id,
        AuditEvent.at > now - LOOK,
    )
    return session.scalar(lately.limit(1)) is not None


@dataclass(frozen=True)
class Recorded:
    """A recorded visit in the auditors' list."""

    encounter: Encounter
    doctor: Practitioner
    began: datetime


def of_day(session: Session, day: date, after: Place | None = None) -> tuple[list[Recorded], Place | None]:
    """The visits recorded on a day, in order of their beginning, after a place of the list; and where to go on."""
    first, end = clock.at(day, time()), clock.at(day + timedelta(days=1), time())
    began = func.min(Recording.started_at)
    wanted = (
        select(Encounter, Practitioner, began)
        .join(Recording, Recording.encounter_id == Encounter.id)
        .join(Practitioner, Practitioner.id == Encounter.practitioner_id)
        .where(Recording.started_at >= first, Recording.started_at < end)
        .group_by(Encounter.id, Practitioner.id)
        .order_by(began, Encounter.id)
        .limit(PAGE + 1)
    )
    if after:
        wanted = wanted.having(tuple_(began, Encounter.id) > tuple_(*after))
    found = [Recorded(*row) for row in session.execute(wanted)]
    there = found[:PAGE]
    return there, (there[-1].began, there[-1].encounter.id) if len(found) > PAGE else None


def left_behind(session: Session, now: datetime) -> list[tuple[UUID, str]]:
    """Ids and file names of pieces whose files were never known to be kept."""
    left = (RecordingChunk.kept_at.is_(None), RecordingChunk.received_at < now - LEFT)
    rows = session.execute(select(RecordingChunk.id, RecordingChunk.file_name).where(*left).limit(500))
    return [(id_, name) for id_, name in rows]
