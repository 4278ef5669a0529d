"""May you? The only way to somebody's record: it takes the viewer and refuses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.models import Account, GuardianStatus, Patient, Practitioner, RelatedPerson
from people.refusals import NotStaff


@dataclass(frozen=True)
class Viewer:
    """Who looks: a WeChat account that signed in."""

    account_id: UUID
    locale: str


def account_of(session: Session, viewer: Viewer) -> Account:
    """The viewer's own account. Raises NotFound when it is gone."""
    account = session.get(Account, viewer.account_id)
    if account is None:
        raise NotFound
    return account


def binding_of(session: Session, viewer: Viewer, patient_id: UUID) -> RelatedPerson:
    """The viewer's active binding to a child. Raises NotFound for a stranger's child, frozen and ended bindings too."""
    binding = session.scalar(
        select(RelatedPerson).where(
            RelatedPerson.account_id == viewer.account_id,
            RelatedPerson.patient_id == patient_id,
            RelatedPerson.status == GuardianStatus.ACTIVE,
        )
    )
    if binding is None:
        raise NotFound
    return binding


def patient_of(session: Session, viewer: Viewer, patient_id: UUID) -> Patient:
    """The child, if the viewer is an active guardian. Raises NotFound."""
    binding_of(session, viewer, patient_id)
    return session.get_one(Patient, patient_id)


def practitioner_of(session: Session, viewer: Viewer) -> Practitioner:
    """The practitioner that the viewer is. Raises NotStaff."""
    practitioner = session.scalar(
        select(Practitioner).where(Practitioner.account_id == viewer.account_id, Practitioner.active)
    )
    if practitioner is None:
        raise NotStaff
    return practitioner
