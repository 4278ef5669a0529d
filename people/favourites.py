"""The doctors whom a parent has marked with a heart, to find them again. Nobody is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from people.access import Viewer
from people.models import Department, Practitioner

LIMIT = 50  # of one account: the list is for finding, not for collecting


class Favourite(Base):
    """One doctor of one parent."""

    __tablename__ = "favourites"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), primary_key=True, index=True)
    since: Mapped[datetime]


def mark(session: Session, viewer: Viewer, practitioner_id: UUID, now: datetime, *, wanted: bool) -> None:
    """Mark a doctor, or no longer; doing it twice changes nothing. Above the limit the oldest mark goes."""
    mine = Favourite.account_id == viewer.account_id
    if not wanted:
        session.execute(delete(Favourite).where(mine, Favourite.practitioner_id == practitioner_id))
        return
    row = {"account_id": viewer.account_id, "practitioner_id": practitioner_id, "since": now}
    session.execute(insert(Favourite).values(row).on_conflict_do_nothing())
    kept = select(Favourite.practitioner_id).where(mine).order_by(Favourite.since.desc()).limit(LIMIT)
    session.execute(delete(Favourite).where(mine, Favourite.practitioner_id.not_in(kept.scalar_subquery())))


def is_marked(session: Session, viewer: Viewer, practitioner_id: UUID) -> bool:
    """Whether the viewer has marked the doctor."""
    return session.get(Favourite, (viewer.account_id, practitioner_id)) is not None


def marked(session: Session, viewer: Viewer) -> Sequence[tuple[Practitioner, Department]]:
    """The viewer's doctors with their departments, the last marked first; who has left the clinic is not shown."""
    rows = session.execute(
        select(Practitioner, Department)
        .join(Favourite, Favourite.practitioner_id == Practitioner.id)
        .join(Department, Department.id == Practitioner.department_id)
        .where(Favourite.account_id == viewer.account_id, Practitioner.active)
        .order_by(Favourite.since.desc())
    )
    return [(practitioner, department) for practitioner, department in rows]
