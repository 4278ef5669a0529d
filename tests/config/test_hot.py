"""Statements that stand alone: on which connection they run, and what becomes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, Integer, bindparam, func, literal, select, text
from sqlalchemy.orm import Session, sessionmaker

from config import hot
from config.database import looking, transaction
from config.hot import Hot, Line, Lines

PID = Hot(select(func.pg_backend_pid()))


def pid() -> int:
    """Of the server process that a statement alone was answered by."""
    with looking() as session:
        ((found,),) = PID(session, {})
        assert not session.in_transaction()
    return int(found)


def test_a_hot_statement_alone_is_asked_of_the_connection_used_last(committed: sessionmaker[Session]) -> None:
    """Also when the one before failed, and a lost connection is never given out again."""
    first = pid()
    with pytest.raises(psycopg.errors.DivisionByZero), looking() as session:
        Hot(select(1 / (literal(1) - bindparam("one", type_=Integer()))))(session, {"one": 1})
    assert pid() == first
    with pytest.raises(psycopg.OperationalError), looking() as session:
        Hot(select(func.pg_terminate_backend(func.pg_backend_pid())))(session, {})
    assert pid() != first


def test_a_hot_statement_in_a_transaction_belongs_to_it(committed: sessionmaker[Session]) -> None:
    alone = pid()
    with transaction() as session:
        mine = session.scalar(select(func.pg_backend_pid()))
        assert PID(session, {}) == [(mine,)] != [(alone,)]


def test_a_hot_statements_connection_that_died_in_a_pause_is_replaced(
    committed: sessionmaker[Session], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "IDLE", 0.0)
    mine = pid()
    with engine.connect() as other:
        assert other.scalar(text("select pg_terminate_backend(:pid, 5000)"), {"pid": mine})
    assert pid() != mine


def test_only_a_few_are_answered_at_once(committed: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    inside: set[int] = set()
    most: set[int] = set()
    full, rows = Barrier(hot.KEPT), Line.rows

    def counted(self: Line, *asked: Any) -> list[tuple[Any, ...]]:
        inside.add(get_ident())
        most.add(len(inside))
        full.wait(30)  # until as many as may be here are
        try:
            return rows(self, *asked)
        finally:
            inside.remove(get_ident())

    monkeypatch.setattr(Line, "rows", counted)
    with ThreadPoolExecutor(3 * hot.KEPT) as pool:
        pids = list(pool.map(lambda _: pid(), range(3 * hot.KEPT)))
    assert max(most) == len(set(pids)) == hot.KEPT


def test_kept_lines_are_closed_at_the_end(committed: sessionmaker[Session]) -> None:
    with committed() as session:
        lines = Lines(session.get_bind().engine)
    taken = [lines.take() for _ in range(hot.KEPT)]
    for line in taken:
        lines.give(line)
    assert all(line.borrowed.is_valid for line in taken)
    lines.close()
    assert not any(line.borrowed.is_valid for line in taken)


def test_under_gevent_psycopg_waits_in_its_own_way(
    committed: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves the connection as it was."""
    monkeypatch.setattr(hot, "THREADS", False)
    first = pid()
    assert pid() == first
    monkeypatch.setattr(hot, "THREADS", True)
    assert pid() == first


def test_a_session_that_was_only_passed_by_is_lent_again(committed: sessionmaker[Session]) -> None:
    with looking() as first:
        PID(first, {})
    with looking() as session:
        assert session is first
        session.scalar(select(1))
    with looking() as session:
        assert session is not first
