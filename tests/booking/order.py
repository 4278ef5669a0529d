"""Whether rows are locked in the one order of docs/booking.md: watched while something else is tested."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Select, event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

ORDER = (
    "departments",
    "clinic_stops",
    "patients",
    "accounts",
    "practitioners",
    "encounters",
    "schedules",
    "appointments",
    "payments",
)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Give the list of what was locked out of order, by any session, until the block ends."""
    wrong: list[str] = []

    def locking(state: ORMExecuteState) -> None:
        statement = state.statement
        how = statement._for_update_arg if isinstance(statement, Select) else None
        if isinstance(statement, Select) and how is not None and not how.skip_locked:
            named: Any = how.of[0] if how.of else statement.get_final_froms()[0]
            table = getattr(getattr(named, "table", named), "name", None)
            if table in ORDER:
                wrong.extend(_steps(state.session, table, statement))

    def over(session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            session.info.pop("locks", None)

    event.listen(Session, "do_orm_execute", locking)
    event.listen(Session, "after_transaction_end", over)
    try:
        yield wrong
    finally:
        event.remove(Session, "do_orm_execute", locking)
        event.remove(Session, "after_transaction_end", over)


def _steps(session: Session, table: str, statement: Select[Any]) -> Iterator[str]:
    """What is out of order in this statement, after those before it in the transaction."""
    before: dict[str, set[UUID]] = session.info.setdefault("locks", {})
    ids = {one for one in _values(statement) if isinstance(one, UUID)}
    if ids and ids <= before.get(table, set()):
        return  # it is ours already
    if later := [other for other in before if ORDER.index(other) > ORDER.index(table)]:
        yield f"{table} after {', '.join(later)}"
    if table == "schedules" and before.get(table) and min(ids) < max(before[table]):
        yield "schedules not by id"
    before.setdefault(table, set()).update(ids)


def _values(statement: Select[Any]) -> Iterator[object]:
    for value in statement.compile().params.values():
        yield from value if isinstance(value, list | set | tuple) else (value,)
