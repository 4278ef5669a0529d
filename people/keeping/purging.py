"""Removal of what has been kept for long enough: batch by batch, each with its protocol in the same transaction.

What of a child is only kept because of the record goes with the child's last visit (medical records rules 2013, art.
29: 15 years from the last visit), everything of a child in one transaction. Talk and process data go row by row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, literal, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.database import Base
from config.policy import Policy
from config.states import Stateful, StatusChange
from people.audit import record as audit
from people.keeping.holdings import Clock, Holding, cutoff
from people.keeping.models import Purge, PurgeFile, PurgeLine
from people.models import Patient

ROWS, CHILDREN = 500, 20  # of one transaction
FILES = "files"  # the kind of protocol lines that count files
_NONE = bytes(32)
_MODULUS = 2**256


@dataclass(frozen=True)
class Keeping:
    """Everything that is kept, and the children of whom nothing goes (``held``: named selects of their ids)."""

    holdings: Sequence[Holding]
    held: Select[Any]


@dataclass(frozen=True)
class Due:
    """Of one kind: how many rows are due, from which day to which, and how many would be but are held."""

    kind: str
    rows: int
    held: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True)
class _Rows:
    """Rows of one table that go: key and moment of each, and their files."""

    holding: Holding
    found: Sequence[tuple[Any, datetime | None]]
    files: Sequence[str]


def digest_of(ids: Iterable[object]) -> bytes:
    """A fingerprint of a set of ids, whatever their order and however they were divided into batches: the sum of the
    SHA-256 of each, modulo 2^256. Who has the ids, in a backup say, can compute it again."""
    total = sum(int.from_bytes(hashlib.sha256(str(one).encode()).digest()) for one in ids)
    return (total % _MODULUS).to_bytes(32)


def together(first: bytes, second: bytes) -> bytes:
    """The fingerprint of two sets that share nothing."""
    return ((int.from_bytes(first) + int.from_bytes(second)) % _MODULUS).to_bytes(32)


def due_children(keeping: Keeping, as_of: datetime, policy: Policy) -> Select[UUID]:
    """The children who were neither seen nor bound here since the records' time; those that are held among them."""
    since = cutoff(as_of, Clock.RECORD, policy)
    seen = [
        _seen(one.table, one.renews, one.since, since)
        for one in keeping.holdings
        if one.renews is not None and one.since is not None
    ]
    return select(Patient.id).where(Patient.created_at < since, *(~one for one in seen))


def _seen(
    table: type[Base], child: InstrumentedAttribute[Any], moment: InstrumentedAttribute[Any], since: datetime
) -> ColumnElement[bool]:
    return select(table).where(child == Patient.id, moment >= since).exists()


def due(session: Session, keeping: Keeping, as_of: datetime, policy: Policy) -> list[Due]:
    """What is due, kind by kind. Reads whole tables: not for a page that many ask for."""
    _patiently(session)
    children = due_children(keeping, as_of, policy)
    return [_due(session, one, one.over(as_of, policy), children, keeping.held) for one in keeping.holdings]


def _due(
    session: Session, holding: Holding, over: ColumnElement[bool], children: Select[Any], held: Select[Any]
) -> Due:
    wanted = or_(over, holding.of(children)) if holding.with_child else over
    spared = ~holding.without(held)
    since = holding.since if holding.since is not None else literal(None)
    row = session.execute(
        select(
            func.count().filter(~spared),
            func.count().filter(spared),
            func.min(since).filter(~spared),
            func.max(since).filter(~spared),
        )
        .select_from(holding.table)
        .where(wanted)
    ).one()
    return Due(holding.kind, *row)


def begin(session: Session, by: str, now: datetime) -> Purge:
    """The purge that was interrupted, to go on with; else a new one of what is due now."""
    session.execute(text("select pg_advisory_xact_lock(hashtext('purges'))"))
    found = session.scalar(select(Purge).where(Purge.finished_at.is_(None)))
    if found is None:
        found = Purge(as_of=now, by=by)
        session.add(found)
        session.flush()
        audit(session, "purge-begin", at=now, entity="purge", entity_id=found.id, by=by)
    return found


def step(session: Session, purge_id: UUID, keeping: Keeping, policy: Policy, place: int = 0) -> tuple[int, int]:
    """Remove one batch with its protocol. Returns how many rows and the place to go on from: what stands before it
    has nothing left, so that no table is read again in vain. No rows: nothing is left. Two at once take turns.
    """
    purge = session.get_one(Purge, purge_id, with_for_update=True)
    _patiently(session)
    for holding in keeping.holdings[place:]:
        if holding.clock is not Clock.RECORD:
            wanted = [holding.over(purge.as_of, policy), holding.without(keeping.held)]
            if rows := _rows(session, holding, *wanted, limit=ROWS):
                return _remove(session, purge, [rows]), place
        place += 1
    return _remove_children(session, purge, keeping, policy), place


def _remove_children(session: Session, purge: Purge, keeping: Keeping, policy: Policy) -> int:
    """Everything of some children. Who is booked for meanwhile stays."""
    due_now = due_children(keeping, purge.as_of, policy).where(Patient.id.not_in(keeping.held))
    locked = session.scalars(due_now.order_by(Patient.created_at).limit(CHILDREN).with_for_update()).all()
    children = session.scalars(due_now.where(Patient.id.in_(locked))).all()
    if not children:
        return 0
    found = [_rows(session, holding, holding.of(children)) for holding in keeping.holdings if holding.with_child]
    return _remove(session, purge, [rows for rows in found if rows])


def _rows(session: Session, holding: Holding, *wanted: ColumnElement[bool], limit: int | None = None) -> _Rows | None:
    since = holding.since if holding.since is not None else literal(None)
    file = holding.file if holding.file is not None else literal(None)
    found = session.execute(select(holding.id, since, file).where(*wanted).limit(limit)).all()
    if not found:
        return None
    return _Rows(holding, [(row[0], row[1]) for row in found], [row[2] for row in found if row[2]])


def _remove(session: Session, purge: Purge, parts: Sequence[_Rows]) -> int:
    """Delete rows and their histories in the order of the holdings, and write down which."""
    for part in parts:
        holding, keys = part.holding, [key for key, _ in part.found]
        for column in holding.unlink:
            session.execute(update(column.class_).where(column.in_(keys)).values({column.key: None}))
        session.execute(delete(holding.table).where(holding.id.in_(keys)))
        if issubclass(holding.table, Stateful):
            history = StatusChange.thing_id.in_(keys), StatusChange.thing == holding.kind
            session.execute(delete(StatusChange).where(*history))
        session.add_all(PurgeFile(file_name=name, purge_id=purge.id) for name in part.files)
        moments = [moment for _, moment in part.found if moment is not None]
        _write(session, purge.id, holding.kind, len(keys), keys, moments)
    session.flush()
    return sum(len(part.found) for part in parts)


def _write(
    session: Session, purge_id: UUID, kind: str, rows: int, ids: Iterable[object], moments: Sequence[datetime] = ()
) -> None:
    line = session.get(PurgeLine, (purge_id, kind))
    if line is None:
        line = PurgeLine(purge_id=purge_id, kind=kind, rows=0, held=0, digest=_NONE)
        session.add(line)
    line.rows += rows
    line.digest = together(line.digest, digest_of(ids))
    if moments:
        line.oldest = min(moments) if line.oldest is None else min(line.oldest, *moments)
        line.newest = max(moments) if line.newest is None else max(line.newest, *moments)


def files(session: Session, purge_id: UUID) -> Sequence[str]:
    """The files that are still to be deleted."""
    wanted = select(PurgeFile.file_name).where(PurgeFile.purge_id == purge_id)
    return session.scalars(wanted.order_by(PurgeFile.file_name).limit(ROWS)).all()


def files_gone(session: Session, purge_id: UUID, names: Sequence[str]) -> None:
    """These files were deleted, and the store was asked for each again and has it no more."""
    session.get_one(Purge, purge_id, with_for_update=True)
    gone = delete(PurgeFile).where(PurgeFile.purge_id == purge_id, PurgeFile.file_name.in_(names))
    removed = session.scalars(gone.returning(PurgeFile.file_name)).all()
    if removed:
        _write(session, purge_id, FILES, len(removed), removed)


def finish(session: Session, purge_id: UUID, keeping: Keeping, now: datetime, policy: Policy) -> list[PurgeLine]:
    """Ask once more what is due, note what was held and what is left (nought, or the purge has failed).

    Returns the protocol, kind by kind.
    """
    purge = session.get_one(Purge, purge_id, with_for_update=True)
    found = due(session, keeping, purge.as_of, policy)
    for one in found:
        if one.held:
            _write(session, purge_id, one.kind, 0, ())
            session.get_one(PurgeLine, (purge_id, one.kind)).held = one.held
    remaining = session.scalar(select(func.count()).where(PurgeFile.purge_id == purge_id)) or 0
    purge.left_over = sum(one.rows for one in found) + remaining
    purge.finished_at = now
    lines = protocol(session, purge_id)
    audit(
        session,
        "purge",
        at=now,
        entity="purge",
        entity_id=purge_id,
        outcome="left-over" if purge.left_over else "done",
        by=purge.by,
        rows=sum(line.rows for line in lines),
        held=sum(line.held for line in lines),
    )
    return lines


def left_over(session: Session, purge_id: UUID) -> int:
    """How many rows and files that were due were still there at the end of a purge; nought: it is proved."""
    return session.get_one(Purge, purge_id).left_over or 0


def protocol(session: Session, purge_id: UUID) -> list[PurgeLine]:
    """What a purge removed, by kind."""
    session.flush()
    return list(session.scalars(select(PurgeLine).where(PurgeLine.purge_id == purge_id).order_by(PurgeLine.kind)))


def latest(session: Session, limit: int = 5) -> Sequence[Purge]:
    """The last purges, newest first."""
    return session.scalars(select(Purge).order_by(Purge.as_of.desc()).limit(limit)).all()


def _patiently(session: Session) -> None:
    """Nobody waits for this: a statement may read a whole table."""
    session.execute(text("set local statement_timeout = '10min'"))
