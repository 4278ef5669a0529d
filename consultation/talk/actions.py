"""What changes in a room: something is written, read, signalled; a link is made and used."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Kind, RoomEvent
from consultation.encounters.rooms import DOCTORS, GUARDIANS, OVER, Seat, happened, seat
from consultation.models import Media, MediaStatus
from consultation.pictures import CONTENT_TYPE, Checked
from consultation.talk.models import CallLink, Message
from consultation.talk.refusals import (
    BadSignal,
    EnoughPictures,
    LinkOver,
    MessageTooLong,
    NothingSaid,
    RoomClosed,
    TooFast,
)
from people.access import Viewer
from people.audit import record as audit
from people.files import new_name

OPEN = (EncounterStatus.ARRIVED, EncounterStatus.IN_PROGRESS)
SIGNAL_BYTES = 16_000  # a description of sound and picture has 3,000 to 8,000
BURST, BURST_OF = timedelta(seconds=10), 120  # a call that begins sends some twenty signals from each side
EVENTS_KEPT = timedelta(hours=1)  # after the visit
LINK_FOR, LINK_ENDS = timedelta(minutes=10), timedelta(hours=4)


def is_open(encounter: Encounter) -> bool:
    """Whether something can be written in the room now."""
    return encounter.status in OPEN


def can_call(encounter: Encounter) -> bool:
    """Whether sound and picture can go between the two sides now: the doctor has called, the visit is not over."""
    return encounter.kind is Kind.VIDEO and encounter.status is EncounterStatus.IN_PROGRESS


def prepare(session: Session, here: Seat, picture: Checked, now: datetime, policy: Policy) -> Media:
    """Note a picture for the chat, before its file is put; one that the visit has already is returned as it is.

    ``here`` is a locked seat. Raises RoomClosed, EnoughPictures.
    """
    if not is_open(here.encounter):
        raise RoomClosed
    appointment_id = here.encounter.appointment_id
    kept = (Media.appointment_id == appointment_id) & (Media.status != MediaStatus.ENTERED_IN_ERROR)
    if found := session.scalar(select(Media).where(kept, Media.sha256 == picture.sha256)):
        return found
    sent = select(func.count()).where(Message.encounter_id == here.encounter.id, Message.media_id.is_not(None))
    if (session.scalar(sent) or 0) >= policy.message_pictures:
        raise EnoughPictures(limit=policy.message_pictures)
    media = Media(
        appointment_id=appointment_id,
        patient_id=here.encounter.patient_id,
        account_id=here.account_id,
        status=MediaStatus.PREPARATION,
        file_name=new_name(),
        content_type=CONTENT_TYPE,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
        sha256=picture.sha256,
        received_at=now,
    )
    session.add(media)
    session.flush()
    return media


def sent(session: Session, here: Seat, key: UUID) -> Message | None:
    """The message that this seat has sent under this key already."""
    ours = (Message.encounter_id == here.encounter.id) & (Message.account_id == here.account_id)
    return session.scalar(select(Message).where(ours, Message.key == key))


def write(
    session: Session, here: Seat, text: str, key: UUID, now: datetime, policy: Policy, media_id: UUID | None = None
) -> Message:
    """Write in the room; the same key again is the message that is there. ``here`` is a locked seat.

    Raises RoomClosed, NothingSaid, MessageTooLong, TooFast.
    """
    if found := sent(session, here, key):
        return found
    said = text.replace("\r\n", "\n").strip()
    if not is_open(here.encounter):
        raise RoomClosed
    if not said and media_id is None:
        raise NothingSaid
    if len(said) > policy.message_characters:
        raise MessageTooLong(limit=policy.message_characters, field="text")
    _not_too_fast(session, here, now)
    message = Message(
        encounter_id=here.encounter.id,
        account_id=here.account_id,
        role=here.role,
        key=key,
        text=said or None,
        media_id=media_id,
        sent_at=now,
    )
    session.add(message)
    session.flush()
    happened(session, here.encounter, "message", now, by=here.account_id, message=str(message.id))
    return message


def read(session: Session, here: Seat, now: datetime) -> None:
    """This seat has on the screen what the other side wrote."""
    theirs = GUARDIANS if here.is_doctor else DOCTORS
    marked = session.execute(
        update(Message)
        .where(Message.encounter_id == here.encounter.id, Message.role.in_(theirs), Message.read_at.is_(None))
        .values(read_at=now)
        .returning(Message.id)
    ).all()
    if marked:
        happened(session, here.encounter, "read", now, by=here.account_id)


def signal(session: Session, here: Seat, to: UUID | None, data: Any, now: datetime) -> None:
    """Pass a signal of the call on to one account in the room, or to everybody there. Raises NotFound when that account
    has no seat, RoomClosed, BadSignal, TooFast."""
    if not can_call(here.encounter):
        raise RoomClosed
    if not isinstance(data, dict) or len(json.dumps(data, ensure_ascii=False).encode()) > SIGNAL_BYTES:
        raise BadSignal
    if to is not None:
        seat(session, Viewer(to, ""), here.encounter.appointment_id)
    _not_too_fast(session, here, now)
    happened(session, here.encounter, "signal", now, by=here.account_id, to=to, signal=data)


def _not_too_fast(session: Session, here: Seat, now: datetime) -> None:
    lately = select(func.count()).where(
        RoomEvent.encounter_id == here.encounter.id,
        RoomEvent.n > here.encounter.events - 4 * BURST_OF,
        RoomEvent.by_id == here.account_id,
        RoomEvent.at > now - BURST,
    )
    if (session.scalar(lately) or 0) >= BURST_OF:
        raise TooFast


def phoned(session: Session, here: Seat, now: datetime) -> None:
    """A doctor taps the family's phone number."""
    audit(session, "phone-family", at=now, entity="encounter", entity_id=here.encounter.id, account_id=here.account_id)


def make_link(session: Session, here: Seat, now: datetime) -> str:
    """A link's token, by which this person opens the call in another browser: once, within ten minutes.

    Raises RoomClosed.
    """
    if here.encounter.status in OVER:
        raise RoomClosed
    token = secrets.token_urlsafe(24)
    made = CallLink(
        encounter_id=here.encounter.id,
        account_id=here.account_id,
        token_hash=_hash(token),
        created_at=now,
        expires_at=now + LINK_FOR,
    )
    session.add(made)
    session.flush()
    audit(session, "call-link", at=now, entity="encounter", entity_id=here.encounter.id, account_id=here.account_id)
    return token


def link_of(session: Session, token: str, now: datetime, *, lock: bool = False) -> tuple[CallLink, Encounter]:
    """An unused link and its encounter. Raises LinkOver."""
    wanted = select(CallLink).where(CallLink.token_hash == _hash(token))
    link = session.scalar(wanted.with_for_update() if lock else wanted)
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise LinkOver
    encounter = session.get_one(Encounter, link.encounter_id)
    if encounter.status in OVER:
        raise LinkOver
    return link, encounter


def use_link(session: Session, token: str, now: datetime) -> tuple[CallLink, Encounter]:
    """Use a link: whoever holds its id now sits in that one room. Raises LinkOver."""
    link, encounter = link_of(session, token, now, lock=True)
    link.used_at, link.ends_at = now, now + LINK_ENDS
    audit(session, "call-link-used", at=now, entity="encounter", entity_id=encounter.id, account_id=link.account_id)
    return link, encounter


def forget(session: Session, now: datetime) -> None:
    """Delete the events of rooms whose visit ended an hour ago: nobody replays them, and signals hold addresses."""
    over = select(Encounter.id).where(Encounter.ended_at < now - EVENTS_KEPT)
    session.execute(delete(RoomEvent).where(RoomEvent.encounter_id.in_(over)))


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
