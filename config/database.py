"""The database: base class, column types, and the one place where a transaction begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Engine, Enum, MetaData, create_engine, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from config.errors import Refused
from config.ids import new_id

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """``timestamptz`` that takes only aware moments and gives UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)


def stored_enum(kind: type[StrEnum], name: str) -> Enum:
    """An enumeration kept by its values in a text column with a CHECK named ``name``."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=max(len(member.value) for member in kind),
    )


Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Json = dict[str, Any]


class Base(DeclarativeBase):
    """Every table's base: named constraints, aware moments, JSON as JSONB."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), Json: JSONB()}


_sessions: sessionmaker[Session] | None = None


def connect(url: str, pool: int = 20) -> Engine:
    """Open the process's database. ``pool`` is the most connections that the process may hold."""
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=5,
        hide_parameters=True,  # an error in the log shows the statement, never what somebody wrote
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c statement_timeout=15000"},
    )
    use(sessionmaker(engine, expire_on_commit=False))
    return engine


def use(sessions: sessionmaker[Session]) -> None:
    """Set where this process's sessions come from."""
    global _sessions  # noqa: PLW0603 - a process has one database
    _sessions = sessions


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: returning commits, raising rolls back. For entry points only (route, command, job).

    A ``Refused`` may bring something to write after the roll-back (``afterwards``): that happens in a second, short
    transaction before the refusal goes on.
    """
    if _sessions is None:
        raise RuntimeError("no database: the application was not set up")
    try:
        with _sessions() as session, session.begin():
            yield session
    except Refused as refusal:
        if refusal.afterwards:
            with _sessions() as session, session.begin():
                refusal.afterwards(session)
        raise


def alive() -> None:
    """Ask the database for an answer. Raises what SQLAlchemy raises when there is none."""
    with transaction() as session:
        session.execute(text("select 1"))
