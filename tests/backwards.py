"""Rows for whose order nobody asked come backwards: what relies on it fails at once, not on a busy day.

Not those of config/hot.py, which goes past SQLAlchemy's cursors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Self

from psycopg import Cursor
from psycopg.abc import Query
from sqlalchemy import Engine, event

QUOTED = re.compile(r"'[^']*'")
INNER = re.compile(r"\([^()]*\)")


class Backwards(Cursor[Any]):
    """A cursor that gives the rows of an unordered result from its end."""

    _rows: list[Any] | None = None

    def execute(self, query: Query, *args: Any, **how: Any) -> Self:
        """As psycopg's, noting whether the statement says in which order."""
        done = super().execute(query, *args, **how)
        unordered = self.description is not None and not _ordered(str(query))
        self._rows = super().fetchall() if unordered else None
        return done

    def fetchone(self) -> Any:
        """The last row not yet fetched."""
        if self._rows is None:
            return super().fetchone()
        return self._rows.pop() if self._rows else None

    def fetchmany(self, size: int = 0) -> list[Any]:
        """So many of those not yet fetched, the last first."""
        if self._rows is None:
            return super().fetchmany(size)
        return [self._rows.pop() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        """All not yet fetched, the last first."""
        return super().fetchall() if self._rows is None else self.fetchmany(len(self._rows))


@lru_cache
def _ordered(statement: str) -> bool:
    """Whether an ORDER BY stands outside of all brackets."""
    left, statement = "", QUOTED.sub("", statement)
    while left != statement:
        left, statement = statement, INNER.sub("", statement)
    return "order by" in statement.lower()


def turn_around() -> None:
    """For every connection of SQLAlchemy that is made from now on in this process."""

    @event.listens_for(Engine, "connect")
    def _use(connection: Any, _: object) -> None:
        connection.cursor_factory = Backwards
