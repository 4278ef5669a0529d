"""Jobs and facts: both are rows of the queue in PostgreSQL, written by the transaction that makes them true."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy import column, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

HANDLE_FACT = "facts.handle"
QUEUE_NAME = "default"

QUEUE = table(
    "procrastinate_jobs", column("queue_name"), column("task_name"), column("lock"), column("args", JSONB())
)  # for a statement that writes a fact together with what it tells of

_queue = App(connector=SyncPsycopgConnector())  # never opened: it borrows the session's own connection


def defer(
    session: Session, task: str, *, lock: str | None = None, at: datetime | None = None, **arguments: Any
) -> None:
    """Put a job into the queue when this session's transaction commits; a roll-back leaves nothing.

    Jobs with the same ``lock`` run one at a time, in order. Arguments are ids and plain values, never personal data.
    """
    connection = session.connection().connection.driver_connection
    _queue.configure_task(task, lock=lock, schedule_at=at, connection=connection).defer(**arguments)


def waiting(session: Session, lock: str) -> bool:
    """Whether further jobs with this lock are still to be done."""
    query = text("select exists (select from procrastinate_jobs where lock = :lock and status = 'todo')")
    return bool(session.scalar(query, {"lock": lock}))


def queued(session: Session) -> dict[tuple[str, str], int]:
    """How many jobs there are by task and status (``todo``, ``doing``, ``failed``); what succeeded is gone."""
    rows = session.execute(
        text(
            "select task_name, status::text, count(*) from procrastinate_jobs where status <> 'succeeded' group by 1, 2"
        )
    )
    return {(task, status): count for task, status, count in rows}


@dataclass(frozen=True)
class Fact:
    """Something that has happened, in the past tense. Fields are UUIDs and short codes only.

    ``ORDER`` names the field within whose value facts are handled one after the other.
    """

    KINDS: ClassVar[dict[str, type[Fact]]] = {}
    ORDER: ClassVar[str]

    def __init_subclass__(cls, order: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.ORDER = order
        Fact.KINDS[cls.__name__] = cls

    def to_json(self) -> dict[str, str | None]:
        """The fields as text, for the queue."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: None if value is None else str(value) for name, value in values}

    @classmethod
    def from_json(cls, kind: str, data: dict[str, str | None]) -> Self:
        """The fact again. Raises KeyError for an unknown kind, ValueError for an id that is none."""
        fact = Fact.KINDS[kind]
        annotations = fact.__annotations__
        values = {n: UUID(v) if v is not None and "UUID" in str(annotations[n]) else v for n, v in data.items()}
        return fact(**values)  # type: ignore[return-value]


def emit(session: Session, fact: Fact) -> None:
    """Write a fact as a job of this transaction; the worker hands it to those who listen (notifications/handlers)."""
    lock, arguments = as_job(fact)
    defer(session, HANDLE_FACT, lock=lock, **arguments)


def as_job(fact: Fact) -> tuple[str, dict[str, Any]]:
    """The lock and the arguments of a fact's job."""
    return f"{fact.ORDER}:{getattr(fact, fact.ORDER)}", {"kind": type(fact).__name__, "data": fact.to_json()}
