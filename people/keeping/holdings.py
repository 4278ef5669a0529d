"""What a room keeps of a child, table by table: for how long, whose it is, and what is given out of it.

Each room lists its own (``<room>/holdings.py``), in the order in which rows can go; worker/holdings.py joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.clock import local
from config.database import Base
from config.policy import Policy

Children = Collection[UUID] | Select[Any]
Resource = dict[str, Any]


class Clock(StrEnum):
    """The policies that say for how many years something is kept. RECORD counts from the child's last visit, and then
    everything of the child goes at once; the others count from each row's own moment."""

    RECORD = "kept_records_years"
    TALK = "kept_talk_years"
    RECORDING = "recordings_kept_years"
    PROCESS = "kept_process_years"
    AUDIT = "kept_audit_years"


@dataclass(frozen=True)
class Reader:
    """For whom a copy is made: a guardian's account, or the hospital (None)."""

    account_id: UUID | None

    def own(self, account_id: UUID | None) -> bool:
        """Whether what this account wrote privately may be shown; the hospital has it all."""
        return self.account_id is None or self.account_id == account_id


@dataclass(frozen=True)
class Holding:
    """One table. ``of``: which of its rows are of these children. ``since``: the moment of a row (None: it has none).

    ``settled``: rows that nobody works with any more; others are left by the row's own clock. ``renews``: a row is a
    sign that the child is still seen here, with its ``child``. ``key`` tells rows apart (``id`` unless given).
    ``unlink``: columns that are emptied where they point at what goes. ``file``: the name of the row's file in the
    store. ``told``: what a copy of the child's file says of a row, with FHIR R4 names where it has the thing; None: the
    table is not in the copy. ``with_child``: its rows go with the child, too, whatever their own clock says.
    ``by_itself``: when rows go without a purge, for the command line.
    """

    table: type[Base]
    of: Callable[[Children], ColumnElement[bool]]
    since: InstrumentedAttribute[Any] | None
    clock: Clock = Clock.RECORD
    settled: ColumnElement[bool] | None = None
    renews: InstrumentedAttribute[Any] | None = None
    key: InstrumentedAttribute[Any] | None = None
    unlink: Sequence[InstrumentedAttribute[Any]] = ()
    file: InstrumentedAttribute[Any] | None = None
    told: Callable[[Session, Any, Reader], Resource | None] | None = None
    with_child: bool = True
    by_itself: str = ""

    @property
    def kind(self) -> str:
        """What protocols call it."""
        return str(self.table.__tablename__)

    @cached_property
    def id(self) -> InstrumentedAttribute[Any]:
        """The column by which rows are removed."""
        return self.key if self.key is not None else self.table.id  # type: ignore[attr-defined,no-any-return]

    def without(self, children: Children) -> ColumnElement[bool]:
        """The rows that are of none of these children; nobody's among them."""
        return ~func.coalesce(self.of(children), false())

    def over(self, as_of: datetime, policy: Policy) -> ColumnElement[bool]:
        """The rows whose own time is over; none of a table that goes with its child."""
        if self.clock is Clock.RECORD or self.since is None:
            return false()
        return and_(self.since < cutoff(as_of, self.clock, policy), true() if self.settled is None else self.settled)


def cutoff(as_of: datetime, clock: Clock, policy: Policy) -> datetime:
    """What is older has been kept for long enough: so many years before, the same day and time in Beijing."""
    there = local(as_of)
    year = there.year - int(getattr(policy, clock))
    day = 28 if (there.month, there.day) == (2, 29) else there.day
    return there.replace(year=year, day=day)


def of(column: InstrumentedAttribute[Any]) -> Callable[[Children], ColumnElement[bool]]:
    """The rows whose ``column`` is the child."""
    return column.in_


def through(
    column: InstrumentedAttribute[Any],
    target: InstrumentedAttribute[Any],
    there: Callable[[Children], ColumnElement[bool]],
) -> Callable[[Children], ColumnElement[bool]]:
    """The rows whose ``column`` points at a ``target`` that is the child's."""
    return lambda children: column.in_(select(target).where(there(children)))


def resource(kind: str, row: Any, *names: str, **more: Any) -> Resource:
    """A row as a resource: its id, the columns named, and what is said besides. Nothing else of it gets out."""
    values = {name: plain(getattr(row, name)) for name in names}
    found = {"resourceType": kind, "id": str(getattr(row, "id", "")), **values, **more}
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def plain(value: Any) -> Any:
    """A value as JSON takes it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | StrEnum) else value


def reference(kind: str, id: UUID | None) -> Resource | None:
    """A FHIR Reference."""
    return {"reference": f"{kind}/{id}"} if id else None
