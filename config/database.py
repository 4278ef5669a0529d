"""The database: base class, column types, and the one place where a transaction begins and ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Engine, Enum, MetaData, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from config.errors import Refused
from config.hot import IDLE, LINES, Lines
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


def stored_enum(kind: type[StrEnum], name: str, *, checked: bool = True) -> Enum:
    """An enumeration kept by its values in a text column with a CHECK named ``name``; not ``checked``: the table has it
    in few words (``one_of``)."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=checked,
        values_callable=lambda members: [member.value for member in members],
        length=max(len(member.value) for member in kind),
    )


def one_of(column: str, kind: type[StrEnum]) -> str:
    """That CHECK in a few words, for tables that a rush writes: PostgreSQL reads and plans every CHECK of a table anew
    for each statement that writes to it, and SQLAlchemy's list, a cast for each value, costs it twice as much."""
    return "{} = any ('{{{}}}')".format(column, ",".join(member.value for member in kind))


Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Json = dict[str, Any]


class Base(DeclarativeBase):
    """Every table's base: named constraints, aware moments, JSON as JSONB."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), Json: JSONB()}


SESSION = (
    "timezone=UTC",
    "statement_timeout=15000",
    "max_parallel_workers_per_gather=0",  # starting workers takes longer than any query of a page
    "random_page_cost=1.1",  # the tables are in memory or on flash: an index is worth it sooner than on a turning disk
)
_sessions: sessionmaker[Session] | None = None
_singles: sessionmaker[Session] | None = None
_unused: deque[Session] = deque()  # for looking()
_AFTERWARDS = "afterwards"


def connect(url: str, pool: int = 20) -> Engine:
    """Open the process's database. ``pool`` is the most connections that the process may hold."""
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=5,
        pool_use_lifo=True,  # the connection used last: its server process still has at hand what it needs
        hide_parameters=True,  # an error in the log shows the statement, never what somebody wrote
        connect_args={"connect_timeout": 5, "options": " ".join(f"-c {setting}" for setting in SESSION)},
    )
    event.listen(engine, "checkin", _put_back)
    event.listen(engine, "checkout", _ask_idle(engine))
    single = engine.execution_options(isolation_level="AUTOCOMMIT")
    lines = Lines(engine)
    event.listen(engine, "engine_disposed", lines.close)
    info = {LINES: lines}
    use(sessionmaker(engine, expire_on_commit=False), sessionmaker(single, expire_on_commit=False, info=info))
    return engine


def _put_back(_: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = monotonic()


def _ask_idle(engine: Engine) -> Callable[..., None]:
    def still_there(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        """Ask a connection that nobody used for a second whether its server is still there; else take a new one."""
        if monotonic() - record.info.get("used", 0.0) < IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise InvalidatePoolError from error

    return still_there


def use(sessions: sessionmaker[Session], singles: sessionmaker[Session] | None = None) -> None:
    """Set where this process's sessions come from; ``singles`` are those in which each statement stands alone."""
    global _sessions, _singles
    _sessions, _singles = sessions, singles or sessions
    _unused.clear()


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: returning commits, raising rolls back. For entry points only (route, command, job). It begins
    with the first thing that needs it.

    A ``Refused`` may bring something to write after the roll-back (``afterwards``): that happens in a second, short
    transaction before the refusal goes on.
    """
    sessions = _set_up(_sessions)
    try:
        with sessions() as session:
            yield session
            _finish(session)
    except Refused as refusal:
        _record(refusal, sessions)
        raise


def _set_up(sessions: sessionmaker[Session] | None) -> sessionmaker[Session]:
    if sessions is None:
        raise RuntimeError("no database: the application was not set up")
    return sessions


def _finish(session: Session) -> None:
    """Commit what was begun; then do what is to be done afterwards."""
    if session.in_transaction():
        session.commit()
    for do in session.info.pop(_AFTERWARDS, ()):
        do()


def _record(refusal: Refused, sessions: sessionmaker[Session]) -> None:
    """Write what a refusal brings, once what it refused has been rolled back."""
    if refusal.afterwards:
        with sessions() as session, session.begin():
            refusal.afterwards(session)


def afterwards(session: Session, do: Callable[[], None]) -> None:
    """Do something once this session's transaction has committed; a roll-back forgets it. It must not raise."""
    session.info.setdefault(_AFTERWARDS, []).append(do)


@contextmanager
def rehearsal(session: Session) -> Iterator[None]:
    """What is done inside is seen by this session and then taken back, whatever happens: to show what would be."""
    savepoint = session.begin_nested()
    try:
        yield
        session.flush()
    finally:
        savepoint.rollback()


@contextmanager
def looking() -> Iterator[Session]:
    """For an entry point that looks something up, or does it by one statement: each stands alone, with no trips for
    BEGIN and COMMIT. A refusal, and what is to be done afterwards, are treated as by ``transaction``."""
    sessions, unused = _set_up(_singles), False
    try:
        session = _unused.pop()
    except IndexError:
        session = sessions()
    try:
        yield session
        unused = not (session.in_transaction() or session.identity_map)  # hot statements go past it
        _finish(session)
    except Refused as refusal:
        session.close()
        _record(refusal, sessions)
        raise
    finally:
        if unused:
            _unused.append(session)
        else:
            session.close()


def alive() -> None:
    """Ask the database for an answer. Raises what SQLAlchemy raises when there is none."""
    with transaction() as session:
        session.execute(text("select 1"))
