"""Reads about the talk: what was written, by whom, and events as pages get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import Session

from config.database import Json
from config.encryption import ring
from config.errors import NotFound
from config.hot import Hot
from consultation.encounters.models import Encounter, Participant, RoomEvent, SeatRole
from consultation.encounters.rooms import DOCTORS, OVER, Place, Seat, has_seat
from consultation.models import Media, MediaStatus
from consultation.talk.actions import can_call
from consultation.talk.models import TEXT, CallLink, Message
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
    mine = here.account_id
    return [Line(one, one.account_id == mine, _called(names, one.account_id, locale)) for one in found]


def _called(names: Mapping[UUID, Person], account_id: UUID, locale: str) -> str:
    person = names.get(account_id)
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


class _Event(NamedTuple):
    """An event of a room, with the message that it tells of; the text is as it is kept."""

    n: int
    kind: str
    at: datetime
    by: UUID | None
    to: UUID | None
    data: Json
    message_id: UUID | None
    account_id: UUID
    role: str
    text: bytes | None
    media_id: UUID | None


def _news() -> Select[Any]:
    """A room's events after number ``n`` as far as they are for an account, oldest first."""
    account = bindparam("account", type_=Uuid())
    message = cast(func.jsonb_extract_path_text(RoomEvent.data, "message"), Uuid())
    event = (RoomEvent.n, RoomEvent.kind, RoomEvent.at, RoomEvent.by_id, RoomEvent.to_id, RoomEvent.data)
    told: list[Any] = [*event, Message.id, Message.account_id, Message.role, Message.text, Message.media_id]
    return (
        select(*told)
        .outerjoin(Message, and_(RoomEvent.kind == "message", Message.id == message))
        .where(RoomEvent.encounter_id == bindparam("encounter", type_=Uuid()), RoomEvent.n > bindparam("n"))
        .where(or_(RoomEvent.to_id.is_(None), RoomEvent.to_id == account, RoomEvent.by_id == account))
        .order_by(RoomEvent.n)
        .limit(200)
    )


_NEWS = Hot(_news())


def news(
    session: Session, here: Place, after: int, locale: str, names: dict[UUID, Person] | None = None
) -> list[dict[str, Any]]:
    """The room's events after number ``after`` as a page gets them: ``n``, ``kind``, ``at``, ``by``, ``to`` and
    ``data``, in which a message is whole. ``names``: who is called how, as far as it is known; what is not is added."""
    known = {} if names is None else names
    rows = _NEWS(session, {"encounter": here.encounter_id, "account": here.account_id, "n": after})
    events = [_Event(*row) for row in rows]
    if any(event.message_id and event.account_id not in known for event in events):
        known.update(people(session, session.get_one(Encounter, here.encounter_id)))
    return [_told(event, here, known, locale) for event in events]


def _told(event: _Event, here: Place, names: Mapping[UUID, Person], locale: str) -> dict[str, Any]:
    data = event.data
    if event.message_id:
        data = {
            "id": str(event.message_id),
            "mine": event.account_id == here.account_id,
            "doctor": event.role in DOCTORS,
            "who": _called(names, event.account_id, locale),
            "text": None if event.text is None else ring().decrypt(event.text, TEXT),
            "picture": event.media_id is not None,
        }
    return {
        "n": event.n,
        "kind": event.kind,
        "at": event.at.isoformat(),
        "by": str(event.by) if event.by else None,
        "to": str(event.to) if event.to else None,
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
