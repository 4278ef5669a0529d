"""States: one table of moves beside each model, one way to make a move, and the history of the moves made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column, object_session

from config.database import Base, Id

Moves = Mapping[Any, frozenset[Any]]


class StatusChange(Base):
    """One move of one thing: from which state, to which, by whom (an account, a practitioner or a job), why, when."""

    __tablename__ = "status_changes"
    __table_args__ = (Index(None, "thing_id", "id"),)

    id: Mapped[Id]
    thing: Mapped[str] = mapped_column(String(40))
    thing_id: Mapped[UUID]
    from_status: Mapped[str] = mapped_column(String(32))
    to_status: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(60))
    why: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class Stateful(Base):
    """A row with a status and the table of the moves it may make."""

    __abstract__ = True
    MOVES: ClassVar[Moves]
    if TYPE_CHECKING:
        id: Mapped[UUID]
        status: Any


class WrongState(Exception):
    """The move is not in the table of moves: a fault of the program, or of a rule that should have refused before."""


def advance(thing: Stateful, to: StrEnum, *, by: str, why: str, now: datetime) -> None:
    """Move ``thing`` to another state and write the move into its history. Raises WrongState."""
    if to not in thing.MOVES.get(thing.status, frozenset()):
        raise WrongState(f"{thing.__tablename__}: {thing.status} to {to}")
    session = object_session(thing)
    if session is None:
        raise RuntimeError("a detached row can't move")
    change = StatusChange(
        thing=thing.__tablename__,
        thing_id=thing.id,
        from_status=str(thing.status),
        to_status=str(to),
        by=by,
        why=why,
        at=now,
    )
    thing.status = to
    session.add(change)
