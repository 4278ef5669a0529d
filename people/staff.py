"""The clinic's staff: who they are, which roles they hold, which WeChat account each of them uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.database import Json
from config.errors import NotFound
from config.ids import new_id
from config.jobs import defer
from people import sessions
from people.actions import ensure_account
from people.audit import record as audit
from people.models import Account, Department, Practitioner, PractitionerRole, Role, Title
from people.refusals import CodeTaken, DepartmentMissing, LastAdministrator, LicenceMissing

TAG = "staff.tag"  # the worker's task that gives an account the staff's tag in WeChat, or takes it away
PER_DEPARTMENT = frozenset({Role.TEAM_LEAD, Role.DEPARTMENT_HEAD})


class AccountTaken(Exception):
    """The WeChat account belongs to another practitioner, whose code is the argument."""


@dataclass(frozen=True)
class Entry:
    """One member of staff as the administrator's list shows them; roles with the department for which they are held."""

    practitioner: Practitioner
    department: Department | None
    roles: list[tuple[PractitionerRole, Department | None]]


def entries(session: Session, practitioner_id: UUID | None = None) -> list[Entry]:
    """All members of staff by code, or the one asked for."""
    people = select(Practitioner, Department).outerjoin(Department, Department.id == Practitioner.department_id)
    held = select(PractitionerRole, Department).outerjoin(Department, Department.id == PractitionerRole.department_id)
    if practitioner_id:
        people = people.where(Practitioner.id == practitioner_id)
        held = held.where(PractitionerRole.practitioner_id == practitioner_id)
    roles: dict[UUID, list[tuple[PractitionerRole, Department | None]]] = {}
    for role, department in session.execute(held.order_by(PractitionerRole.id)):
        roles.setdefault(role.practitioner_id, []).append((role, department))
    rows = session.execute(people.order_by(Practitioner.active.desc(), Practitioner.code))
    return [Entry(person, department, roles.get(person.id, [])) for person, department in rows]


def entry(session: Session, practitioner_id: UUID) -> Entry:
    """One member of staff. Raises NotFound."""
    found = entries(session, practitioner_id)
    if not found:
        raise NotFound
    return found[0]


def by_code(session: Session, code: str) -> Practitioner:
    """The member of staff with this staff number, locked. Raises NotFound."""
    found = session.scalar(select(Practitioner).where(Practitioner.code == code).with_for_update())
    if found is None:
        raise NotFound
    return found


def add(
    session: Session,
    *,
    code: str,
    name: Json,
    department_id: UUID | None,
    title: Title | None,
    licence: str | None,
    by: UUID | None,
    now: datetime,
) -> Practitioner:
    """A new member of staff, without any role yet. Raises CodeTaken."""
    values = {"code": code, "name": name, "department_id": department_id, "title": title, "licence": licence}
    made: Practitioner | None = session.scalar(
        insert(Practitioner)
        .values(id=new_id(), speciality={}, active=True, **values)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Practitioner)
    )
    if made is None:
        raise CodeTaken(field="code")
    audit(session, "add-staff", at=now, entity="practitioner", entity_id=made.id, account_id=by)
    return made


def grant(
    session: Session,
    practitioner: Practitioner,
    role: Role,
    department_id: UUID | None = None,
    *,
    by: UUID | None,
    now: datetime,
) -> None:
    """Give a role; a role held already stays as it is. Raises LicenceMissing, DepartmentMissing."""
    if role is Role.DOCTOR and not (practitioner.title and practitioner.licence):
        raise LicenceMissing
    where = department_id if role in PER_DEPARTMENT else None
    if role in PER_DEPARTMENT and where is None:
        raise DepartmentMissing(field="department")
    values = {"practitioner_id": practitioner.id, "role": role, "department_id": where, "granted_at": now}
    made = insert(PractitionerRole).values(id=new_id(), **values).on_conflict_do_nothing()
    if session.execute(made.returning(PractitionerRole.id)).first():
        _audit(session, "grant-role", practitioner, by, now, role=role.value, department=str(where or ""))


def withdraw(session: Session, practitioner: Practitioner, role_id: UUID, *, by: UUID | None, now: datetime) -> None:
    """Take a role away, at once. Raises NotFound, LastAdministrator."""
    found = session.get(PractitionerRole, role_id)
    if found is None or found.practitioner_id != practitioner.id:
        raise NotFound
    if found.role is Role.ADMINISTRATOR:
        _not_the_last(session, practitioner)
    session.execute(delete(PractitionerRole).where(PractitionerRole.id == role_id))
    _audit(session, "withdraw-role", practitioner, by, now, role=found.role.value)


def set_active(session: Session, practitioner: Practitioner, *, active: bool, by: UUID | None, now: datetime) -> None:
    """Let a member of staff in again, or shut out one who has left, everywhere at once. Raises LastAdministrator."""
    if not active:
        _not_the_last(session, practitioner)
    practitioner.active = active
    if practitioner.account_id:
        sessions.end_all(session, practitioner.account_id, now, by=by)
        _align_tag(session, practitioner.account_id)
    _audit(session, "let-in" if active else "shut-out", practitioner, by, now)


def unbind(session: Session, practitioner: Practitioner, *, by: UUID | None, now: datetime) -> None:
    """Part a member of staff from their WeChat account (a lost phone) and sign them out. Raises LastAdministrator."""
    if practitioner.account_id is None:
        return
    _not_the_last(session, practitioner)
    sessions.end_all(session, practitioner.account_id, now, by=by)
    _align_tag(session, practitioner.account_id)
    practitioner.account_id = None
    _audit(session, "unbind-staff", practitioner, by, now)


def _not_the_last(session: Session, practitioner: Practitioner) -> None:
    """Refuse when no other administrator could still sign in. The lock makes two at once wait for each other."""
    admins = session.scalars(
        select(Practitioner.id)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role == Role.ADMINISTRATOR, Practitioner.active, Practitioner.account_id.isnot(None))
        .order_by(Practitioner.id)
        .with_for_update()
    ).all()
    if practitioner.id in admins and len(admins) == 1:
        raise LastAdministrator


def _audit(
    session: Session, action: str, practitioner: Practitioner, by: UUID | None, now: datetime, **detail: str
) -> None:
    audit(session, action, at=now, entity="practitioner", entity_id=practitioner.id, account_id=by, **detail)


def bind(session: Session, code: str, openid: str, now: datetime) -> Practitioner:
    """Bind a practitioner to a WeChat account, instead of an earlier one. Raises NotFound, AccountTaken."""
    return bind_account(session, by_code(session, code), ensure_account(session, openid, now), now)


def bind_account(
    session: Session, practitioner: Practitioner, account: Account, now: datetime, *, by: UUID | None = None
) -> Practitioner:
    """Bind a locked practitioner to an account; both are signed out everywhere, as they may do other things now.

    Raises AccountTaken.
    """
    holder = session.scalar(select(Practitioner).where(Practitioner.account_id == account.id))
    if holder is not None and holder.id != practitioner.id:
        raise AccountTaken(holder.code)
    for parted in {practitioner.account_id or account.id, account.id}:
        sessions.end_all(session, parted, now, by=by)
        _align_tag(session, parted)
    practitioner.account_id = account.id
    _audit(session, "bind-staff", practitioner, by, now)
    return practitioner


def refollowed(session: Session, account_id: UUID) -> None:
    """A WeChat user follows (again): WeChat has forgotten the tag of a member of staff."""
    if is_staff(session, account_id):
        _align_tag(session, account_id)


def _align_tag(session: Session, account_id: UUID) -> None:
    """One at a time for each account: the last job sees how things stand in the end."""
    defer(session, TAG, lock=f"{TAG}:{account_id}", account_id=str(account_id))


def is_staff(session: Session, account_id: UUID) -> bool:
    """Whether a member of staff uses this account."""
    found = select(Practitioner.id).where(Practitioner.account_id == account_id, Practitioner.active)
    return session.scalar(found) is not None
