"""Tasks: what a person must do, for whom it waits and until when; one list for all rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, and_, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Id, Json, stored_enum
from config.errors import NotFound
from config.ids import new_id
from config.states import Stateful, advance
from people.access import Member
from people.models import Patient, Practitioner, PractitionerRole, Role

NOTE = 300  # characters

Filter = Literal["mine", "open", "overdue"]


@dataclass(frozen=True)
class Kind:
    """What the list says (an English msgid with ``%(about)s``) and where it is seen to (``{id}`` is the subject).

    ``there``: it is over when what is asked there is done, and is not marked as done by hand.
    """

    title: str
    path: str
    there: bool = False


KINDS: dict[str, Kind] = {}


def kind(name: str, *, title: str, path: str, there: bool = False) -> str:
    """Make a kind of task known, by the room that opens it. Returns its name."""
    KINDS[name] = Kind(title, path, there)
    return name


class TaskStatus(StrEnum):
    """To be done; done by somebody; no longer needed."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Task(Stateful):
    """Something that a person must do: the holders of a role (of one department, perhaps), or one member of staff.

    ``about`` names the subject for the list in both languages; ``subject_id`` is its row. One subject has at most one
    open task of a kind.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("role is not null or practitioner_id is not null", name="owner"),
        Index("uq_tasks_open", "kind", "subject_id", unique=True, postgresql_where=text("status = 'open'")),
        Index("ix_tasks_deadline", "deadline", postgresql_where=text("status = 'open'")),
    )
    MOVES: ClassVar[Mapping[TaskStatus, frozenset[TaskStatus]]] = {
        TaskStatus.OPEN: frozenset({TaskStatus.DONE, TaskStatus.CANCELLED}),
    }

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID]
    about: Mapped[Json]
    role: Mapped[Role | None] = mapped_column(stored_enum(Role, "role"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    deadline: Mapped[datetime]
    status: Mapped[TaskStatus] = mapped_column(stored_enum(TaskStatus, "status"), default=TaskStatus.OPEN)
    note: Mapped[str | None] = mapped_column(String(NOTE))
    created_at: Mapped[datetime]

    @property
    def path(self) -> str:
        """Where it is seen to."""
        return KINDS[self.kind].path.format(id=self.subject_id)

    @property
    def title(self) -> str:
        """What is to be done, as an English msgid."""
        return KINDS[self.kind].title

    @property
    def there(self) -> bool:
        """Whether it is only done where it is seen to."""
        return KINDS[self.kind].there


def open(
    session: Session,
    *,
    kind: str,
    subject_id: UUID,
    about: Json,
    deadline: datetime,
    now: datetime,
    role: Role | None = None,
    department_id: UUID | None = None,
    practitioner_id: UUID | None = None,
) -> None:
    """Ask somebody to do something: a role's holders or one member of staff. Asked twice, it is one task.

    Raises KeyError for a kind that no room has made known.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    session.execute(
        insert(Task)
        .values(
            id=new_id(),
            kind=kind,
            subject_id=subject_id,
            about=about,
            role=role,
            department_id=department_id,
            practitioner_id=practitioner_id,
            deadline=deadline,
            status=TaskStatus.OPEN,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["kind", "subject_id"], index_where=text("status = 'open'"))
    )


def owner(
    session: Session, department_id: UUID, roles: Sequence[Role], *, but: UUID | None = None
) -> tuple[Role, UUID | None]:
    """Whose a department's task is: the first of ``roles`` that somebody there holds (``but`` leaves out one of the
    staff), with the department; where nobody does, the administrators'."""
    held = select(PractitionerRole.role).join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
    held = held.where(PractitionerRole.department_id == department_id, Practitioner.active, Practitioner.id != but)
    there = set(session.scalars(held))
    found = next((role for role in roles if role in there), None)
    return (found, department_id) if found else (Role.ADMINISTRATOR, None)


def settle(
    session: Session, kind: str, subject_id: UUID, *, why: str, now: datetime, opened_until: datetime | None = None
) -> None:
    """The open task of this kind about this subject is no longer needed; one opened after ``opened_until`` still is."""
    found = session.scalar(
        select(Task)
        .where(Task.kind == kind, Task.subject_id == subject_id, Task.status == TaskStatus.OPEN)
        .with_for_update()
    )
    if found and (opened_until is None or found.created_at <= opened_until):
        advance(found, TaskStatus.CANCELLED, by="clinic", why=why, now=now)


def pass_on(session: Session, subject_ids: Sequence[UUID], from_id: UUID, to_id: UUID) -> None:
    """What one member of staff alone was asked about these subjects is now for another; a role's tasks stay where they
    are."""
    theirs = (Task.status == TaskStatus.OPEN) & Task.role.is_(None) & (Task.practitioner_id == from_id)
    session.execute(update(Task).where(theirs, Task.subject_id.in_(subject_ids)).values(practitioner_id=to_id))


def is_open(session: Session, kind: str, subject_id: UUID) -> bool:
    """Whether a task of this kind about this subject waits."""
    found = select(Task.id).where(Task.kind == kind, Task.subject_id == subject_id, Task.status == TaskStatus.OPEN)
    return bool(session.scalar(select(found.exists())))


def listed(session: Session, member: Member, which: Filter, now: datetime) -> Sequence[Task]:
    """Open tasks that the member may see, the most urgent first.

    ``mine`` were given to or taken by them; ``open`` are all for them or a role of theirs; ``overdue`` are past time.
    """
    narrower = {
        "mine": Task.practitioner_id == member.practitioner.id,
        "open": true(),
        "overdue": Task.deadline <= now,
    }[which]
    query = select(Task).where(Task.status == TaskStatus.OPEN, _theirs(member), narrower)
    return session.scalars(query.order_by(Task.deadline, Task.id)).all()


def about_child(session: Session, member: Member, kind: str, patient_id: UUID) -> tuple[Task, Patient]:
    """The open task of this kind and the child it is about. Raises NotFound when it is not theirs to do, or over."""
    return about(session, member, kind, patient_id), session.get_one(Patient, patient_id)


def about(session: Session, member: Member, kind: str, subject_id: UUID) -> Task:
    """The open task of this kind about this subject. Raises NotFound when it is not theirs to do, or over."""
    query = select(Task).where(Task.kind == kind, Task.subject_id == subject_id, Task.status == TaskStatus.OPEN)
    found = session.scalar(query.where(_theirs(member)))
    if found is None:
        raise NotFound
    return found


def take(session: Session, member: Member, task_id: UUID) -> None:
    """The member will do it: colleagues see that. Raises NotFound for a task that is not theirs to do, or over."""
    _one(session, member, task_id).practitioner_id = member.practitioner.id


def give_back(session: Session, kind: str, subject_id: UUID) -> None:
    """Whoever took the open task of this kind about this subject has it no more: it is its role's again."""
    open_ = (Task.kind == kind) & (Task.subject_id == subject_id) & (Task.status == TaskStatus.OPEN)
    session.execute(update(Task).where(open_, Task.role.is_not(None)).values(practitioner_id=None))


def done(session: Session, member: Member, task_id: UUID, note: str, now: datetime) -> None:
    """The member has done it. Raises NotFound for a task that is not theirs to do, is over, or is done elsewhere."""
    task = _one(session, member, task_id)
    if task.there:
        raise NotFound
    advance(task, TaskStatus.DONE, by=f"practitioner:{member.practitioner.id}", why=task.kind, now=now)
    task.practitioner_id = member.practitioner.id
    task.note = note[:NOTE] or None


def _one(session: Session, member: Member, task_id: UUID) -> Task:
    query = select(Task).where(Task.id == task_id, Task.status == TaskStatus.OPEN, _theirs(member))
    found = session.scalar(query.with_for_update())
    if found is None:
        raise NotFound
    return found


def _theirs(member: Member) -> ColumnElement[bool]:
    """Tasks of the member, of a role of theirs, and of a role in a department for which they hold it."""
    anywhere = and_(Task.role.in_(member.roles), Task.department_id.is_(None))
    there = [and_(Task.role == role, Task.department_id == where) for role, where in member.departments]
    own = [and_(Task.role == role, Task.department_id == member.practitioner.department_id) for role in member.roles]
    return or_(Task.practitioner_id == member.practitioner.id, anywhere, *there, *own)
