"""What this room keeps of a child (people/keeping/holdings.py), in the order in which it can go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config.formats import masked
from people.keeping.holdings import Children, Clock, Holding, Reader, Resource, of, resource
from people.keeping.models import CopyStatus, ErasureWish, FileCopy, LegalHold
from people.models import BindTry, Patient, PatientPhone, RelatedPerson


def _tries(children: Children) -> ColumnElement[bool]:
    return BindTry.code_blind.in_(select(Patient.code_blind).where(Patient.id.in_(children)))


def _wish(_: Session, row: Any, reader: Reader) -> Resource | None:
    """Only one's own."""
    if not reader.own(row.account_id):
        return None
    return resource(
        "Communication", row, "status", "text", "answer", category="erasure-wish", sent=row.asked_at.isoformat()
    )


def _guardian(_: Session, row: Any, reader: Reader) -> Resource:
    """Other guardians as the child's page shows them: no full name."""
    name = row.name if reader.own(row.account_id) else masked(row.name)
    return resource("RelatedPerson", row, "relation", "status", name=name, since=row.bound_at.isoformat())


def _child(_: Session, row: Any, __: Reader) -> Resource:
    return resource(
        "Patient", row, "name", gender=str(row.sex), birthDate=row.birth_date.isoformat(), identifier=row.number
    )


HOLDINGS = (
    Holding(BindTry, _tries, BindTry.at, Clock.PROCESS),
    Holding(
        FileCopy,
        of(FileCopy.patient_id),
        FileCopy.asked_at,
        Clock.PROCESS,
        settled=FileCopy.status != CopyStatus.REQUESTED,
        file=FileCopy.file_name,
    ),
    Holding(ErasureWish, of(ErasureWish.patient_id), ErasureWish.asked_at, told=_wish),
    Holding(LegalHold, of(LegalHold.patient_id), LegalHold.set_at),
    Holding(
        RelatedPerson,
        of(RelatedPerson.patient_id),
        RelatedPerson.bound_at,
        renews=RelatedPerson.patient_id,
        told=_guardian,
    ),
    Holding(PatientPhone, of(PatientPhone.patient_id), None, key=PatientPhone.patient_id),
    Holding(Patient, of(Patient.id), Patient.created_at, told=_child),
)
