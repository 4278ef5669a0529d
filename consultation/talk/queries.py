"""Reads about the talk: what was written, by whom, and events as pages get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.database import Json
from config.errors import NotFound
from consultation.encounters.models import Encounter, Participant, RoomEvent, SeatRole
from consultation.encounters.rooms import DOCTORS, OVER, Seat, events_after, has_seat
from consultation.models import Media, MediaStatus
from consultation.talk.actions import can_call
from consultation.talk.models import CallLink, Message
from people.models import Practitioner, RelatedPerson


@dataclass(frozen=True)
class Person:
    """Somebody in the room: their seat's role, and their own name (of doctors in both languages)."""

    role: SeatRole
    name: str | Json

    def called(self, locale: str) -> str:
        """The name in a language."""
        return self.name if isinstance(self.name, str) else str(self.name.get(locale) or next(iter(self.name.values())))


@dataclass(frozen=True)
class Line:
    """A message as a page shows it."""

    message: Message
    mine: bool
    who: str


def people(session: Session, encounter: Encounter) -> dict[UUID, Person]:
    """Everybody who sits or sat in the room, by account."""
    doctor = session.get_one(Practitioner, encounter.practitioner_id)
    found = {encounter.account_id: Person(SeatRole.GUARDIAN, _guardian(session, encounter, encounter.account_id))}
    if doctor.account_id:
        found[doctor.account_id] = Person(SeatRole.PRACTITIONER, doctor.name)
    asked = select(Participant).where(Participant.encounter_id == encounter.id, Participant.agreed_at.is_not(None))
    for participant in session.scalars(asked):
        guest = session.get(Practitioner, participant.practitioner_id) if participant.practitioner_id else None
        name = guest.name if guest else _guardian(session, encounter, participant.account_id)
        found.setdefault(participant.account_id, Person(participant.role, name))
    return found


def _guardian(session: Session, encounter: Encounter, account_id: UUID) -> str:
    wanted = select(RelatedPerson.name).where(
        RelatedPerson.account_id == account_id, RelatedPerson.patient_id == encounter.patient_id
    )
    return session.scalar(wanted.order_by(RelatedPerson.bound_at.desc()).limit(1)) or ""


def lines(session: Session, here: Seat, locale: str) -> list[Line]:
    """What was written in the room, oldest first."""
    found = session.scalars(select(Message).where(Message.encounter_id == here.encounter.id).order_by(Message.id)).all()
    names = people(session, here.encounter)
    return [Line(message, message.account_id == here.account_id, _called(names, message, locale)) for message in found]


def _called(names: dict[UUID, Person], message: Message, locale: str) -> str:
    person = names.get(message.account_id)
    return person.called(locale) if person else ""


def picture(session: Session, here: Seat, message_id: UUID) -> Media:
    """The picture of a message in this room. Raises NotFound."""
    found = session.scalar(
        select(Media)
        .join(Message, Message.media_id == Media.id)
        .where(Message.id == message_id, Message.encounter_id == here.encounter.id)
        .where(Media.status == MediaStatus.COMPLETED)
    )
    if found is None:
        raise NotFound
    return found


def news(session: Session, here: Seat, after: int, locale: str) -> list[dict[str, Any]]:
    """The room's events after number ``after`` as a page gets them: ``n``, ``kind``, ``at``, ``by``, ``to`` and
    ``data``, in which a message is whole."""
    events = events_after(session, here, after)
    ids = [UUID(event.data["message"]) for event in events if event.kind == "message"]
    written: dict[str, Message] = {}
    names: dict[UUID, Person] = {}
    if ids:
        written = {str(row.id): row for row in session.scalars(select(Message).where(Message.id.in_(ids)))}
        names = people(session, here.encounter)
    return [_told(event, here, written, names, locale) for event in events]


def _told(
    event: RoomEvent, here: Seat, written: dict[str, Message], names: dict[UUID, Person], locale: str
) -> dict[str, Any]:
    data = dict(event.data)
    if event.kind == "message" and (message := written.get(data["message"])):
        data = {
            "id": str(message.id),
            "mine": message.account_id == here.account_id,
            "doctor": message.role in DOCTORS,
            "who": _called(names, message, locale),
            "text": message.text,
            "picture": message.media_id is not None,
        }
    return {
        "n": event.n,
        "kind": event.kind,
        "at": event.at.isoformat(),
        "by": str(event.by_id) if event.by_id else None,
        "to": str(event.to_id) if event.to_id else None,
        "data": data,
    }


def holder(session: Session, link_id: UUID, appointment_id: UUID, now: datetime) -> UUID | None:
    """The account that a used link lets into this room, while it does."""
    found = session.execute(
        select(CallLink.account_id, CallLink.ends_at, Encounter.status)
        .join(Encounter, Encounter.id == CallLink.encounter_id)
        .where(CallLink.id == link_id, Encounter.appointment_id == appointment_id)
    ).one_or_none()
    if found is None or found.ends_at is None or found.ends_at <= now or found.status in OVER:
        return None
    account: UUID = found.account_id
    return account


def count(session: Session, encounter: Encounter, roles: Sequence[SeatRole]) -> int:
    """How many messages these roles have written."""
    wanted = select(Message.id).where(Message.encounter_id == encounter.id, Message.role.in_(roles))
    return len(session.scalars(wanted).all())


def astray(
    session: Session, present: Mapping[UUID, frozenset[UUID]]
) -> tuple[frozenset[UUID], frozenset[tuple[UUID, UUID]]]:
    """Of those found in calls, by encounter: the encounters that have no call now, and who (encounter, account) has no
    seat in one that has."""
    over, out = set(present), set()
    for encounter in session.scalars(select(Encounter).where(Encounter.id.in_(present))):
        if can_call(encounter):
            over.remove(encounter.id)
            out |= {(encounter.id, one) for one in present[encounter.id] if not has_seat(session, encounter, one)}
    return frozenset(over), frozenset(out)
