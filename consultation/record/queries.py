"""Reads of records. A signed version is compared with its digest at every reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from config.encryption import DecryptionError
from config.errors import NotFound
from consultation.encounters.models import Encounter
from consultation.record.content import Content, digest
from consultation.record.models import Composition, CompositionVersion, Phrase
from consultation.record.refusals import Damaged
from people.access import Member, Viewer
from people.models import Practitioner, Role

log = structlog.get_logger()


@dataclass(frozen=True)
class Signed:
    """A signed version that is what was signed. ``content`` is all of it (signing.py), ``record`` the doctor's part."""

    id: UUID
    n: int
    digest: str
    signed_at: datetime
    content: Mapping[str, Any]
    record: Content

    @property
    def appointment_id(self) -> UUID:
        """The visit that it is about."""
        return UUID(self.content["visit"]["appointment"])


@dataclass(frozen=True)
class Waiting:
    """A visit that has begun and has no signed record."""

    visit: Visit
    since: datetime
    over: bool


def composition(session: Session, encounter_id: UUID) -> Composition | None:
    """The record of an encounter to which the caller was let."""
    return session.scalar(select(Composition).where(Composition.encounter_id == encounter_id))


def draft(found: Composition | None) -> Content:
    """What is being written; empty when nobody has begun."""
    return Content.model_validate_json(found.draft) if found and found.draft else Content()


def versions(session: Session, found: Composition) -> list[Signed]:
    """The signed versions of a record, oldest first. Raises Damaged when one is not what was signed, or is gone."""
    try:
        rows = session.scalars(
            select(CompositionVersion)
            .where(CompositionVersion.composition_id == found.id)
            .order_by(CompositionVersion.n)
            .execution_options(populate_existing=True)
        ).all()
    except DecryptionError as error:
        raise _damaged(found) from error
    made: list[Signed] = []
    for row in rows:
        made.append(_verified(found, row, made[-1].digest if made else None))
    if len(made) != found.signed:
        raise _damaged(found)
    return made


def _verified(found: Composition, row: CompositionVersion, previous: str | None) -> Signed:
    content: dict[str, Any] = json.loads(row.content) if digest(row.content) == row.digest else {}
    said = (content.get("composition"), content.get("n"), content.get("previous"), content.get("signed_at"))
    if said != (str(found.id), row.n, previous, row.signed_at.isoformat()):
        raise _damaged(found)
    if content["practitioner"]["id"] != str(row.practitioner_id):
        raise _damaged(found)
    return Signed(row.id, row.n, row.digest.hex(), row.signed_at, content, Content.model_validate(content["record"]))


def _damaged(found: Composition) -> Damaged:
    log.error("record-damaged", composition=str(found.id))
    return Damaged()


def summary(session: Session, viewer: Viewer, appointment_id: UUID) -> tuple[Visit, list[Signed]]:
    """A visit of one of the viewer's children with the versions of its record, oldest first.

    Raises NotFound for anybody else's, for a frozen guardian and while nothing is signed; Damaged.
    """
    visit = bookings.visit_of(session, viewer, appointment_id)
    if found := versions_of(session, appointment_id):
        return visit, found
    raise NotFound


def is_signed(session: Session, appointment_id: UUID) -> bool:
    """Whether there is something for the family to read."""
    found = select(Composition.id).join(Encounter, Encounter.id == Composition.encounter_id)
    wanted = found.where(Encounter.appointment_id == appointment_id, Composition.signed > 0)
    return bool(session.scalar(select(wanted.exists())))


def versions_of(session: Session, appointment_id: UUID) -> list[Signed]:
    """The signed versions of a visit to which the caller was let; empty when there are none. Raises Damaged."""
    found = session.scalar(
        select(Composition)
        .join(Encounter, Encounter.id == Composition.encounter_id)
        .where(Encounter.appointment_id == appointment_id, Composition.signed > 0)
    )
    return versions(session, found) if found else []


def earlier(session: Session, patient_id: UUID, before: UUID, limit: int = 10) -> list[Signed | None]:
    """The child's other signed records, newest first, for a doctor who was let to encounter ``before``.

    None stands for one that is not what was signed.
    """
    found = session.scalars(
        select(Composition)
        .where(Composition.patient_id == patient_id, Composition.encounter_id != before, Composition.signed > 0)
        .order_by(Composition.id.desc())
        .limit(limit)
    ).all()
    return [_latest(session, one) for one in found]


def _latest(session: Session, found: Composition) -> Signed | None:
    try:
        return versions(session, found)[-1]
    except Damaged:
        return None


def _unsigned(*wanted: ColumnElement[bool]) -> Select[Encounter]:
    begun = select(Encounter).outerjoin(Composition, Composition.encounter_id == Encounter.id)
    return begun.where(
        Encounter.started_at.is_not(None), or_(Composition.id.is_(None), Composition.signed == 0), *wanted
    )


def unsigned(session: Session, practitioner_id: UUID) -> list[Waiting]:
    """The doctor's visits that have begun and whose records nobody signed, oldest first."""
    rows = session.scalars(_unsigned(Encounter.practitioner_id == practitioner_id).order_by(Encounter.started_at)).all()
    return [_waiting(session, encounter) for encounter in rows]


def _waiting(session: Session, encounter: Encounter) -> Waiting:
    since = encounter.ended_at or encounter.started_at
    assert since is not None  # noqa: S101 - _unsigned asks for it
    return Waiting(bookings.visit(session, encounter.appointment_id), since, encounter.ended_at is not None)


def progress(session: Session, appointment_ids: Sequence[UUID]) -> dict[UUID, tuple[Encounter, bool]]:
    """The encounters of a doctor's own appointments, as far as there are any, and whether their record is signed."""
    rows = session.execute(
        select(Encounter, func.coalesce(Composition.signed, 0) > 0)
        .outerjoin(Composition, Composition.encounter_id == Encounter.id)
        .where(Encounter.appointment_id.in_(appointment_ids))
    )
    return {encounter.appointment_id: (encounter, signed) for encounter, signed in rows}


def unsigned_count(session: Session, practitioner_id: UUID) -> int:
    """How many of the doctor's visits are over and have no signed record."""
    over = _unsigned(Encounter.practitioner_id == practitioner_id, Encounter.ended_at.is_not(None))
    return session.scalar(select(func.count()).select_from(over.subquery())) or 0


def overdue(session: Session, ended_before: datetime) -> Sequence[Encounter]:
    """Encounters that ended before that moment and have no signed record, for the clinic's own reminders."""
    return session.scalars(_unsigned(Encounter.ended_at <= ended_before).order_by(Encounter.ended_at)).all()


def unsigned_counts(session: Session, member: Member) -> list[tuple[Practitioner, int, datetime]]:
    """How many ended visits of each doctor have no signed record, and since when the oldest: in the departments that
    the member leads or is head of; for administrators everywhere. Most first."""
    led = {where for role, where in member.departments if role in {Role.TEAM_LEAD, Role.DEPARTMENT_HEAD}}
    there = [] if Role.ADMINISTRATOR in member.roles else [Encounter.department_id.in_(led)]
    begun = _unsigned(Encounter.ended_at.is_not(None), *there).subquery()
    rows = session.execute(
        select(Practitioner, func.count(), func.min(begun.c.ended_at))
        .join(begun, begun.c.practitioner_id == Practitioner.id)
        .group_by(Practitioner.id)
        .order_by(func.count().desc(), Practitioner.code)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def phrases(session: Session, practitioner_id: UUID) -> Sequence[Phrase]:
    """A doctor's own phrases, by code."""
    return session.scalars(select(Phrase).where(Phrase.practitioner_id == practitioner_id).order_by(Phrase.code)).all()
