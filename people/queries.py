"""Reads about people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.database import Json
from config.errors import NotFound
from people.access import Viewer
from people.models import Account, Department, GuardianStatus, Patient, Practitioner, RelatedPerson


@dataclass(frozen=True)
class Child:
    """A child of the viewer, with the viewer's own binding."""

    patient: Patient
    binding: RelatedPerson


def children(session: Session, viewer: Viewer) -> list[Child]:
    """The viewer's children, oldest binding first; frozen bindings too (the page says so), ended ones not."""
    rows = session.execute(
        select(Patient, RelatedPerson)
        .join(RelatedPerson, RelatedPerson.patient_id == Patient.id)
        .where(RelatedPerson.account_id == viewer.account_id, RelatedPerson.status != GuardianStatus.ENDED)
        .order_by(RelatedPerson.bound_at, RelatedPerson.id)
    )
    return [Child(patient, binding) for patient, binding in rows]


def guardians(session: Session, patient_id: UUID) -> Sequence[RelatedPerson]:
    """Everyone bound to a child (active or frozen), oldest binding first."""
    return session.scalars(
        select(RelatedPerson)
        .where(RelatedPerson.patient_id == patient_id, RelatedPerson.status != GuardianStatus.ENDED)
        .order_by(RelatedPerson.bound_at, RelatedPerson.id)
    ).all()


def departments(session: Session) -> Sequence[Department]:
    """All departments with an internet clinic, in the hospital's order."""
    return session.scalars(select(Department).order_by(Department.position)).all()


def department(session: Session, code: str) -> Department:
    """One department by its code. Raises NotFound."""
    found = session.scalar(select(Department).where(Department.code == code))
    if found is None:
        raise NotFound
    return found


def practitioner_account(session: Session, practitioner_id: UUID) -> Account | None:
    """The WeChat account of a practitioner, if one is bound."""
    return session.scalar(
        select(Account)
        .join(Practitioner, Practitioner.account_id == Account.id)
        .where(Practitioner.id == practitioner_id)
    )


def practitioner_names(session: Session, ids: Collection[UUID]) -> dict[UUID, Json]:
    """The names of members of staff, ``{"zh_CN": ..., "en": ...}`` each, by id."""
    rows = session.execute(select(Practitioner.id, Practitioner.name).where(Practitioner.id.in_(ids)))
    return {row.id: row.name for row in rows}


def doctors(session: Session, department_id: UUID) -> Sequence[Practitioner]:
    """The doctors of a department who work here, by code."""
    found = select(Practitioner).where(Practitioner.department_id == department_id, Practitioner.active)
    return session.scalars(found.where(Practitioner.title.is_not(None)).order_by(Practitioner.code)).all()
