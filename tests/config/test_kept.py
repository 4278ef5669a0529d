"""What a process keeps for a moment, and connections that are asked only after a pause."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from config import database, kept, policy
from config.database import looking, transaction
from config.kept import Kept


def test_a_value_is_made_again_only_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 10.9, 11.1, 11.2])
    monkeypatch.setattr(kept, "monotonic", lambda: next(times))
    made = iter("abc")
    value: Kept[str] = Kept(1.0)
    assert [value.get(lambda: next(made)) for _ in range(4)] == ["a", "a", "b", "b"]


def test_a_rule_is_read_once_a_second_and_at_once_where_it_was_changed(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "KEPT", Kept(3600.0))
    with transaction() as other:
        assert policy.current(other, now).horizon_last_day == 8
    policy.change(session, "horizon_last_day", 7, author="t", valid_from=now)
    assert policy.current(session, now).horizon_last_day == 7
    session.commit()
    with transaction() as other:
        assert policy.current(other, now).horizon_last_day == 8, "kept"
        policy.KEPT.forget()
        assert policy.current(other, now).horizon_last_day == 7


def test_a_department_value_beats_a_later_one_of_the_hospital(session: Session, now: datetime) -> None:
    policy.change(session, "horizon_last_day", 5, author="t", valid_from=now, department="dermatology")
    session.flush()
    policy.change(session, "horizon_last_day", 6, author="t", valid_from=now)
    session.flush()
    assert policy.current(session, now, "dermatology").horizon_last_day == 5
    assert policy.current(session, now, "internal-medicine").horizon_last_day == 6


def test_looking_stands_alone_and_leaves_connections_as_they_were(committed: sessionmaker[Session]) -> None:
    moment = text("select now() = clock_timestamp() or pg_current_xact_id_if_assigned() is null")
    with looking() as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        assert connection.autocommit
        assert session.scalar(moment)
    with transaction() as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        assert not connection.autocommit


def test_a_connection_that_died_in_a_pause_is_replaced(
    committed: sessionmaker[Session], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE", 0.0)
    pid = text("select pg_backend_pid()")
    with committed() as session:
        mine = session.scalar(pid)
    with engine.connect() as other:
        assert other.scalar(text("select pg_terminate_backend(:pid, 5000)"), {"pid": mine})
    with committed() as session:
        assert session.scalar(pid) != mine


def test_looking_writes_what_was_added_and_what_is_left_for_afterwards(
    committed: sessionmaker[Session], now: datetime
) -> None:
    done: list[str] = []
    with looking() as session:
        policy.change(session, "horizon_last_day", 7, author="t", valid_from=now)
        database.afterwards(session, lambda: done.append("done"))
        assert not done
    assert done == ["done"]
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(policy.PolicyChange)) == 1
