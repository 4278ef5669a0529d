"""Statements that stand alone: on which connection they run, and what becomes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, get_ident
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Boolean, Engine, Integer, Interval, String, Uuid, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, sessionmaker

from config import hot
from config.database import UtcDateTime, looking, transaction
from config.hot import Hot, Line, Lines, Many

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


EACH = Many(
    select(
        bindparam("word", type_=String()),
        bindparam("who", type_=Uuid()),
        bindparam("at", type_=UtcDateTime()) + bindparam("later", type_=Interval()),
        bindparam("more", type_=JSONB()),
    ).where(bindparam("seen", type_=Boolean()))
)
AT = datetime(2026, 11, 30, 7, 15, 0, 123456, UTC)


def asked(word: str | None, *, seen: bool = True, more: object = None) -> dict[str, object]:
    who = UUID(int=7) if word else None
    return {"word": word, "who": who, "at": AT, "later": timedelta(minutes=90.5), "more": more, "seen": seen}


def answered(word: str | None, more: object = None) -> tuple[object, ...]:
    return (word, UUID(int=7) if word else None, AT + timedelta(minutes=90.5), more)


@pytest.mark.parametrize("alone", [True, False])
def test_a_question_of_many_is_put_for_each(committed: sessionmaker[Session], alone: bool) -> None:
    odd = '孩子\'s "cough" \\ %s $1 {},\n'
    wishes = [asked(odd, more={"a": [1, None, odd]}), asked("unseen", seen=False), asked(None)]
    with looking() if alone else transaction() as session:
        assert EACH(session, wishes) == [[answered(odd, {"a": [1, None, odd]})], [], [answered(None)]]
        assert session.in_transaction() is not alone
        assert EACH(session, []) == []


def test_what_json_cannot_say_is_refused(committed: sessionmaker[Session]) -> None:
    with pytest.raises(TypeError, match="set"), looking() as session:
        EACH(session, [asked("a", more={1, 2})])


def test_many_keep_the_order_of_their_own_rows(committed: sessionmaker[Session]) -> None:
    upto = Many(select(func.generate_series(1, bindparam("count", type_=Integer()))))
    with looking() as session:
        assert upto(session, [{"count": 2}, {"count": 0}, {"count": 3}]) == [[(1,), (2,)], [], [(1,), (2,), (3,)]]
