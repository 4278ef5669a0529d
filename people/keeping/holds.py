"""Holds: children of whom nothing is removed, whatever the clocks say, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.audit import record as audit
from people.index import number_blind
from people.keeping.models import LegalHold
from people.keeping.refusals import AlreadyHeld, NoSuchChild, ReasonMissing
from people.models import Patient


def held() -> Select[UUID]:
    """The children under a hold."""
    return select(LegalHold.patient_id).where(LegalHold.lifted_at.is_(None))


def child_of_number(session: Session, number: str) -> Patient:
    """The child with this patient number. Raises NoSuchChild."""
    found = session.scalar(select(Patient).where(Patient.number_blind == number_blind(number)))
    if found is None:
        raise NoSuchChild(field="number")
    return found


def hold(
    session: Session, number: str, reason: str, now: datetime, *, by: str, account_id: UUID | None = None
) -> LegalHold:
    """Keep everything of the child with this patient number. Raises NoSuchChild, ReasonMissing, AlreadyHeld."""
    child = child_of_number(session, number)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    session.execute(select(Patient.id).where(Patient.id == child.id).with_for_update())
    if session.scalar(held().where(LegalHold.patient_id == child.id)):
        raise AlreadyHeld(field="number")
    made = LegalHold(patient_id=child.id, reason=reason.strip(), set_at=now, set_by=by)
    session.add(made)
    session.flush()
    audit(session, "hold", at=now, entity="patient", entity_id=child.id, account_id=account_id, hold=str(made.id))
    return made


def lift(session: Session, hold_id: UUID, now: datetime, *, by: str, account_id: UUID | None = None) -> None:
    """The clocks count again. Raises NotFound for a hold that there is not, or no more."""
    found = session.scalar(select(LegalHold).where(LegalHold.id == hold_id).with_for_update())
    if found is None or found.lifted_at is not None:
        raise NotFound
    found.lifted_at, found.lifted_by = now, by
    child = found.patient_id
    audit(session, "hold-lift", at=now, entity="patient", entity_id=child, account_id=account_id, hold=str(hold_id))


def listed(session: Session) -> Sequence[tuple[LegalHold, Patient]]:
    """The holds in force with their children, oldest first."""
    rows = session.execute(
        select(LegalHold, Patient)
        .join(Patient, Patient.id == LegalHold.patient_id)
        .where(LegalHold.lifted_at.is_(None))
        .order_by(LegalHold.set_at)
    )
    return [(row[0], row[1]) for row in rows]
