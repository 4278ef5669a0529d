"""Seeing from beside that a transaction waits for another."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

WAITS = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")


def until_somebody_waits(committed: sessionmaker[Session], work: Future[Any]) -> None:
    """Return once a transaction of this database waits for another's lock. AssertionError if the work, which should
    have to wait, ends without."""
    with committed() as session:
        while not session.scalar(WAITS):
            assert not work.done(), f"it did not wait: {work.exception()}"
            session.rollback()
