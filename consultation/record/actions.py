"""What a doctor does with a record: write, sign, amend. The caller locked the seat's encounter (rooms.seat)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from consultation.encounters.models import Encounter, Ending, SeatRole
from consultation.encounters.rooms import OVER, Seat
from consultation.record import queries, signing
from consultation.record.content import TEXT, TEXTS, Content, missing, settled
from consultation.record.events import RecordSigned
from consultation.record.following import follow
from consultation.record.models import Composition, CompositionStatus, CompositionVersion, Phrase
from consultation.record.refusals import BadPhrase, Incomplete, NoReason, NotBegun, NotOpen, OldVersion
from people.audit import record as audit
from people.models import Practitioner

CODE = re.compile(r"[a-z0-9]{1,12}")


class Finish(Protocol):
    """Ends an encounter and its appointment (consultation/line has the clinic's own)."""

    def __call__(
        self, session: Session, encounter: Encounter, ending: Ending, now: datetime, policy: Policy, by: str
    ) -> None: ...


def save(session: Session, seat: Seat, version: int, content: Content, now: datetime) -> Composition:
    """Keep a draft; ``version`` is the one that the page was showing.

    Raises OldVersion when another page saved something else meanwhile, NotOpen for a signed record, NotFound for
    everybody but the treating doctor.
    """
    _treating(seat)
    text = content.model_dump_json()
    found = queries.composition(session, seat.encounter.id)
    if found is None:
        found = Composition(
            encounter_id=seat.encounter.id,
            patient_id=seat.encounter.patient_id,
            status=CompositionStatus.PRELIMINARY,
            version=1,
            draft=text,
            signed=0,
            saved_at=now,
        )
        session.add(found)
        session.flush()
        return found
    if found.draft is None:
        raise NotOpen
    if queries.draft(found) == content:
        return found
    if found.version != version:
        raise OldVersion
    found.draft, found.version, found.saved_at = text, version + 1, now
    return found


def sign(
    session: Session, seat: Seat, visit: Visit, version: int, now: datetime, policy: Policy, finish: Finish
) -> CompositionVersion:
    """Sign the draft as it was last saved: it can't be changed any more, the visit ends, what follows is set going.

    Raises Incomplete with the fields that are missing, NotBegun, NotOpen, OldVersion, NotFound, Damaged.
    """
    _treating(seat)
    encounter, found = seat.encounter, queries.composition(session, seat.encounter.id)
    if found is None or found.draft is None:
        raise NotOpen if found else Incomplete(missing(Content()))
    if found.version != version:
        raise OldVersion
    if encounter.started_at is None:
        raise NotBegun
    content = settled(queries.draft(found))
    if fields := missing(content):
        raise Incomplete(fields)
    made = signing.version(session, found, visit, encounter, content, now)
    moved = CompositionStatus.AMENDED if found.signed else CompositionStatus.FINAL
    by = f"practitioner:{made.practitioner_id}"
    advance(found, moved, by=by, why="signed", now=now)
    found.draft = found.reason = None
    found.signed, found.version, found.saved_at = made.n, found.version + 1, now
    follow(session, visit, encounter, content, now, policy)
    if encounter.status not in OVER:
        finish(session, encounter, content.ending, now, policy, by)
    by_id = seat.account_id
    audit(session, "sign-record", at=now, entity="composition", entity_id=found.id, account_id=by_id, n=made.n)
    emit(session, RecordSigned(composition_id=found.id, version_id=made.id))
    return made


def amend(session: Session, seat: Seat, reason: str, now: datetime) -> Composition:
    """Open a signed record for a new version. Raises NoReason, NotFound, Damaged."""
    found = _signed(session, seat)
    if not reason.strip():
        raise NoReason(field="amend_reason")
    if found.draft is None:
        found.draft = queries.versions(session, found)[-1].record.model_dump_json()
        found.version += 1
    found.reason, found.saved_at = reason.strip()[:TEXT], now
    audit(session, "amend-record", at=now, entity="composition", entity_id=found.id, account_id=seat.account_id)
    return found


def leave_as_signed(session: Session, seat: Seat, now: datetime) -> None:
    """Give up an amendment: what was signed stands. Raises NotFound."""
    found = _signed(session, seat)
    found.draft = found.reason = None
    found.version, found.saved_at = found.version + 1, now


def _signed(session: Session, seat: Seat) -> Composition:
    _treating(seat)
    found = queries.composition(session, seat.encounter.id)
    if found is None or not found.signed:
        raise NotFound
    return found


def _treating(seat: Seat) -> None:
    """The record is written by the treating doctor alone (internet diagnosis rules 2018, art. 17)."""
    if seat.role is not SeatRole.PRACTITIONER:
        raise NotFound


def add_phrase(session: Session, doctor: Practitioner, field: str, code: str, text: str) -> None:
    """A phrase of the doctor's own. Raises BadPhrase."""
    code, text = code.strip().lower(), text.strip()
    taken = select(Phrase.id).where(Phrase.practitioner_id == doctor.id, Phrase.code == code)
    if field not in TEXTS or not CODE.fullmatch(code) or not 0 < len(text) <= TEXT or session.scalar(taken):
        raise BadPhrase
    session.add(Phrase(practitioner_id=doctor.id, code=code, field=field, text=text))


def remove_phrase(session: Session, doctor: Practitioner, phrase_id: UUID) -> None:
    """The doctor's own phrase goes. Raises NotFound for anybody else's."""
    found = session.get(Phrase, phrase_id)
    if found is None or found.practitioner_id != doctor.id:
        raise NotFound
    session.delete(found)
