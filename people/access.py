"""May you? The only way to somebody's record: it takes the viewer and refuses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.hot import Hot
from people.models import Account, GuardianStatus, Patient, Practitioner, PractitionerRole, RelatedPerson, Role
from people.refusals import NotStaff, RoleMissing


@dataclass(frozen=True)
class Viewer:
    """Who looks: a WeChat account that signed in."""

    account_id: UUID
    locale: str


@dataclass(frozen=True)
class Member:
    """A member of staff with the roles held now; ``departments`` says where a role of one department is held."""

    practitioner: Practitioner
    roles: frozenset[Role]
    departments: frozenset[tuple[Role, UUID]]


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


def is_guardian(account_id: ColumnElement[UUID], patient_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether an account is an active guardian of a child, as part of a statement."""
    found = select(RelatedPerson.id).where(
        RelatedPerson.account_id == account_id,
        RelatedPerson.patient_id == patient_id,
        RelatedPerson.status == GuardianStatus.ACTIVE,
    )
    return found.exists()


def children_of(viewer: Viewer) -> Select[UUID]:
    """The ids of the children whose active guardian the viewer is, for the condition of a query."""
    return select(RelatedPerson.patient_id).where(
        RelatedPerson.account_id == viewer.account_id, RelatedPerson.status == GuardianStatus.ACTIVE
    )


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


def member_of(session: Session, viewer: Viewer, roles: Collection[Role] = ()) -> Member:
    """The member of staff that the viewer is, who holds one of ``roles`` (any role when none is named).

    Asked anew by every request, so that what is taken away is gone at once. Raises NotStaff, RoleMissing.
    """
    practitioner = practitioner_of(session, viewer)
    held = session.scalars(select(PractitionerRole).where(PractitionerRole.practitioner_id == practitioner.id)).all()
    member = Member(
        practitioner,
        frozenset(row.role for row in held),
        frozenset((row.role, row.department_id) for row in held if row.department_id),
    )
    if not member.roles & set(roles or Role):
        raise RoleMissing
    return member


_ROLES = Hot(
    select(PractitionerRole.role)
    .join_from(Practitioner, PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id, isouter=True)
    .where(Practitioner.account_id == bindparam("account", type_=Uuid()), Practitioner.active)
)


def works_as(session: Session, viewer: Viewer, role: Role) -> None:
    """``member_of`` in one statement, for streams. Raises NotStaff, RoleMissing."""
    held = [held for (held,) in _ROLES(session, {"account": viewer.account_id})]
    if not held:
        raise NotStaff
    if role not in held:
        raise RoleMissing


def led(member: Member) -> frozenset[UUID]:
    """The departments that the member is head of."""
    return frozenset(where for role, where in member.departments if role is Role.DEPARTMENT_HEAD)


def leads(member: Member, department_id: UUID) -> bool:
    """Whether the member decides over a department's clinics: its head, or an administrator."""
    return Role.ADMINISTRATOR in member.roles or department_id in led(member)
