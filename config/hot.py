"""Statements that are asked thousands of times a minute, with as little around them as can be."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from threading import BoundedSemaphore
from time import monotonic
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg import Connection, RawCursor, waiting
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine, Executable, Integer, column, table
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

LINES = "lines"  # of a session in which each statement stands alone
IDLE = 1.0  # seconds
KEPT = 4  # lines; more at once stand in each other's way in PostgreSQL, by a sixth of its time with sixteen
# A thread may wait inside of libpq, which lets the others run. Under gevent the whole process would wait with it; there
# psycopg waits in another way, and so do we.
THREADS = waiting.wait is getattr(waiting, "wait_c", None)

ASKED = table("asked", column("place", Integer))  # of a Many


class _Compiler(PGCompiler_psycopg):
    """Writes constants into the text: only so does a plan that is made once and kept use the partial indexes."""

    def visit_bindparam(self, bindparam: Any, **how: Any) -> Any:  # type: ignore[override]
        """Only what has no value yet stays a parameter."""
        return super().visit_bindparam(bindparam, **{**how, "literal_binds": not bindparam.required})  # type: ignore[no-untyped-call]


class _ForEach(_Compiler):
    """Writes a column of ``asked`` in the place of what has no value yet."""

    def visit_bindparam(self, bindparam: Any, **how: Any) -> Any:  # type: ignore[override]
        """And notes the column's type."""
        if not bindparam.required:
            return super().visit_bindparam(bindparam, **how)
        self.columns: dict[str, str] = self.__dict__.get("columns", {})
        self.columns[bindparam.key] = bindparam.type.compile(self.dialect)
        return f'asked."{bindparam.key}"'


def _compiled(statement: Executable, compiler: type[_Compiler]) -> Any:
    dialect: Any = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
    dialect.statement_compiler = compiler
    return statement.compile(dialect=dialect)  # type: ignore[attr-defined]


class Hot:
    """A statement that is compiled once and prepared on each connection. Its ``bindparam(name)`` are what is given each
    time. Where it stands alone (``database.looking``) it goes past SQLAlchemy and psycopg's cursors straight to libpq:
    one call sends it, waits and receives, at a fifth of the processor time.
    """

    def __init__(self, statement: Executable) -> None:
        self.statement = statement

    @cached_property
    def compiled(self) -> tuple[str, list[str]]:
        """The text with ``$1``, ``$2`` and the names that these stand for."""
        compiled = _compiled(self.statement, _Compiler)
        return str(compiled), list(compiled.positiontup)

    def __call__(self, session: Session, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows, as psycopg reads them. Raises psycopg's own errors."""
        written, names = self.compiled
        return _rows(session, written, [values[name] for name in names])


class Many:
    """A ``Hot`` for several who ask at once: PostgreSQL starts one plan and flushes once, instead of many times.

    The statement is written as for one; each ``bindparam(name)`` stands for a column of ``asked``, a table with a row
    for each asker (``place``: from 0). A question is put for each of these rows. A statement that writes names the
    table itself (``ASKED``), and its first column is the asker's place.
    """

    def __init__(self, statement: Executable, *, writes: bool = False) -> None:
        self.statement, self.writes = statement, writes

    @cached_property
    def written(self) -> str:
        """The text; ``$1`` is a JSON list of what is asked for."""
        compiled = _compiled(self.statement, _ForEach)
        columns = ", ".join(f'"{name}" {kind}' for name, kind in compiled.columns.items())
        rows = f"(SELECT * FROM json_to_recordset($1) AS each (place int, {columns}))"  # noqa: S608 - names of ours
        asked = f"WITH asked AS MATERIALIZED {rows}"
        if self.writes:
            return f"{asked}, {str(compiled).removeprefix('WITH ')}"
        # OFFSET 0: planned by itself, so that its tables are looked into row by row, however small they seem
        return f"{asked} SELECT asked.place, found.* FROM asked, LATERAL ({compiled} OFFSET 0) AS found"  # noqa: S608

    def __call__(self, session: Session, asked: Sequence[Mapping[str, object]]) -> list[list[tuple[Any, ...]]]:
        """The rows for each of these. Raises psycopg's own errors."""
        found: list[list[tuple[Any, ...]]] = [[] for _ in asked]
        for place, *row in _rows(session, self.written, [given(asked)]):
            found[place].append(tuple(row))
        return found


def given(asked: Sequence[Mapping[str, object]]) -> str:
    """What a ``Many`` is given for all of these. Raises TypeError."""
    return json.dumps([{"place": place, **values} for place, values in enumerate(asked)], default=_as_json)


def _as_json(value: object) -> str:
    """As PostgreSQL reads it. Raises TypeError."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} seconds"
    raise TypeError(type(value).__name__)


def _rows(session: Session, written: str, given: Sequence[object]) -> list[tuple[Any, ...]]:
    """Alone on one of the process's few lines, else in the session's transaction."""
    lines: Lines | None = session.info.get(LINES)
    if lines and not session.in_transaction():
        with lines.few:
            line = lines.take()
            try:
                return line.rows(written, given)
            finally:
                lines.give(line)
    session.flush()
    return _by_cursor(session.connection().connection.driver_connection, written, given)


def _by_cursor(connection: Any, written: str, given: Sequence[object]) -> list[tuple[Any, ...]]:
    if not isinstance(connection, Connection):
        raise TypeError("not a connection of psycopg")
    cursor = RawCursor(connection)
    cursor.execute(written, given, prepare=True)
    return cursor.fetchall()


class Lines:
    """The process's connections for statements that stand alone. A few are kept at hand: the way through SQLAlchemy's
    pool and back costs more than the statement. Whoever takes one holds ``few`` meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.few = BoundedSemaphore(KEPT)
        self._free: deque[Line] = deque()  # its ends are safe between threads; the one used last goes out first

    def take(self) -> Line:
        """A line to one server process. Raises SQLAlchemy's OperationalError, TimeoutError."""
        try:
            while True:
                line = self._free.pop()
                if line.answers(self._engine.dialect.do_ping):
                    return line
        except IndexError:
            return Line(self._borrowed())

    def give(self, line: Line) -> None:
        """Take it back, unless it is lost or in the midst of an answer."""
        if line.pgconn.transaction_status != TransactionStatus.IDLE:
            line.borrowed.invalidate()
        else:
            line.used = monotonic()
            self._free.append(line)

    def close(self, *_: object) -> None:
        """Close what is kept at hand."""
        while self._free:
            self._free.pop().borrowed.invalidate()

    def _borrowed(self) -> PoolProxiedConnection:
        try:
            return self._engine.pool.connect()
        except psycopg.Error as error:
            raise OperationalError(None, None, error) from error


class Line:
    """A borrowed connection outside of a transaction, and what was prepared on it."""

    def __init__(self, borrowed: PoolProxiedConnection) -> None:
        self.borrowed, self.used = borrowed, monotonic()
        self._connection = cast(Any, borrowed.driver_connection)
        self.pgconn = self._connection.pgconn
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = borrowed.info.setdefault("hot", {})

    def answers(self, ping: Callable[[Any], object]) -> bool:
        """Whether its server is still there; asked when nobody used it for a second."""
        if monotonic() - self.used < IDLE:
            return True
        try:
            ping(self._connection)
        except psycopg.Error:
            self.borrowed.invalidate()
            return False
        return True

    def rows(self, written: str, given: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows of one statement that stands alone."""
        if not THREADS:
            return self._by_cursor(written, given)
        form = Transformer(self._connection)
        sent = form.dump_sequence(given, [PyFormat.AUTO] * len(given))
        kind = written, tuple(form.types or ())
        name = self._prepared.get(kind) or self._prepare(*kind)
        answer = self.pgconn.exec_prepared(name, sent, form.formats)
        if answer.status != ExecStatus.TUPLES_OK:
            raise self._error(answer)
        form.set_pgresult(answer)
        return form.load_rows(0, answer.ntuples, tuple)

    def _by_cursor(self, written: str, given: Sequence[object]) -> list[tuple[Any, ...]]:
        self._connection.autocommit = True
        try:
            return _by_cursor(self._connection, written, given)
        finally:
            if self.pgconn.transaction_status == TransactionStatus.IDLE:
                self._connection.autocommit = False

    def _prepare(self, written: str, types: tuple[int, ...]) -> bytes:
        name = b"hot_%d" % len(self._prepared)
        answer = self.pgconn.prepare(name, written.encode(), types)
        if answer.status != ExecStatus.COMMAND_OK:
            raise self._error(answer)
        self._prepared[written, types] = name
        return name

    def _error(self, answer: PGresult) -> psycopg.Error:
        encoding = self._connection.info.encoding
        if self.pgconn.status != ConnStatus.OK:
            return psycopg.OperationalError(answer.get_error_message(encoding))
        return error_from_result(answer, encoding)
