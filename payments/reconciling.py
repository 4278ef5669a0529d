"""Each day's bill of the gateway compared with our rows: every line and every row is matched or named, none dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, String, any_, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.clock import at, today
from config.database import transaction
from config.errors import NotFound
from config.ids import new_id
from config.states import advance
from config.text import N_
from payments.bill import Bill, Line, read
from payments.gateway import Gateway, GatewayError, RefundState
from payments.models import Difference, DifferenceKind, Payment, Reconciliation, ReconciliationStatus, Refund
from payments.refusals import NoteMissing
from payments.rules import SEEN_TO_WITHIN
from people import tasks
from people.audit import record as audit
from people.models import Role

NOTHING_MOVED = "NO_STATEMENT_EXIST"
LATE = timedelta(minutes=10)  # our clock and the gateway's, and a call's way: what is later is looked for a day later
READY = time(10)  # when the gateway has the bill of the day before
KEPT_DAYS = 90  # the gateway keeps its bills for three months
AGAIN_DAYS, AGAIN_AFTER = 14, timedelta(hours=20)  # a day with differences is compared anew, once a day
NOTE = 300

DIFFERENCES = tasks.kind(
    "bill-differs", title=N_("WeChat Pay's bill of %(about)s differs from ours"), path="/desk/money/{id}"
)
AGREES: dict[str, frozenset[RefundState]] = {
    "SUCCESS": frozenset({RefundState.SUCCESS}),
    "PROCESSING": frozenset(RefundState),  # written before it ended
    "ABNORMAL": frozenset({RefundState.ABNORMAL}),
    "CHANGE": frozenset({RefundState.ABNORMAL}),
    "CLOSED": frozenset({RefundState.CLOSED}),
    "FAIL": frozenset({RefundState.CLOSED, RefundState.ABNORMAL}),
}
Row = TypeVar("Row", Payment, Refund)


@dataclass(frozen=True)
class Found:
    """One disagreement, before it is written."""

    kind: DifferenceKind
    number: str
    ours: str = ""
    theirs: str = ""


def reconcile(gateway: Gateway, day: date, now: datetime) -> Reconciliation:
    """Fetch the bill of a day that is over and compare it. Doing it again brings the same, or what was mended since.

    A bill that can't be had leaves the day waiting, with the gateway's code.
    """
    try:
        content = gateway.bill(day)
    except GatewayError as error:
        if error.code != NOTHING_MOVED:
            with transaction() as session:
                found = _day(session, day, now)
                found.error, found.tried_at = error.code[:40], now
                return found
        content = b""
    with transaction() as session:
        return compare(session, day, read(content), now)


def due(session: Session, now: datetime) -> list[date]:
    """Days whose bill should be there and was not compared yet, and lately differing ones to be compared again."""
    last = today(now) - timedelta(days=1 if now >= at(today(now), READY) else 2)
    begun = session.scalar(select(Payment.created_at).order_by(Payment.id).limit(1))
    if begun is None:
        return []
    first = max(today(begun), last - timedelta(days=KEPT_DAYS - 2))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    known = {row.day: row for row in session.scalars(select(Reconciliation).where(Reconciliation.day >= first))}
    return [day for day in days if _again(known.get(day), last, now)]


def _again(known: Reconciliation | None, last: date, now: datetime) -> bool:
    if known is None or known.status is ReconciliationStatus.WAITING:
        return True
    differs = known.status is ReconciliationStatus.DIFFERENT and known.day > last - timedelta(days=AGAIN_DAYS)
    return differs and known.tried_at <= now - AGAIN_AFTER


def compare(session: Session, day: date, bill: Bill, now: datetime) -> Reconciliation:
    """Compare a bill with our rows of the day, and write what was found."""
    record = _day(session, day, now)
    payments, refunds = _rows(session, Payment, bill, day), _rows(session, Refund, bill, day)
    found = [
        *(Found(DifferenceKind.UNREADABLE, f"line {place}", theirs=text[:200]) for place, text in bill.unreadable),
        *_payments(payments, bill, day, now),
        *_refunds(refunds, bill, day, now),
    ]
    if bill.wrong_sums:
        counted = f"{len(bill.lines) + len(bill.unreadable)} / {bill.paid_fen} / {bill.refunded_fen}"
        found.append(Found(DifferenceKind.SUMMARY, "sums", counted, bill.wrong_sums))
    record.lines, record.error, record.tried_at = len(bill.lines) + len(bill.unreadable), None, now
    record.theirs_paid_fen, record.theirs_refunded_fen = bill.paid_fen, bill.refunded_fen
    record.ours_paid_fen = sum(row.amount_fen for row in payments.values() if row.paid)
    record.ours_refunded_fen = sum(row.amount_fen for row in refunds.values())
    _write(session, record, found, now)
    _forget_missing(session, record, [line.number for line in bill.lines], now)
    return record


def _day(session: Session, day: date, now: datetime) -> Reconciliation:
    """The day's row, locked: two who compare one day do it one after the other."""
    fresh = insert(Reconciliation).values(id=new_id(), day=day, status=ReconciliationStatus.WAITING, tried_at=now)
    sums = ("lines", "ours_paid_fen", "ours_refunded_fen", "theirs_paid_fen", "theirs_refunded_fen")
    session.execute(fresh.values(dict.fromkeys(sums, 0)).on_conflict_do_nothing(index_elements=["day"]))
    return session.scalars(select(Reconciliation).where(Reconciliation.day == day).with_for_update()).one()


def _rows(session: Session, kind: type[Row], bill: Bill, day: date) -> dict[str, Row]:
    """Our rows by number: those that the bill names, and those that it should name."""
    numbers = [line.number for line in bill.lines if line.refund is (kind is Refund)]
    named = kind.number == any_(literal(numbers, ARRAY(String)))
    moved = Payment.paid_at if kind is Payment else Refund.sent_at
    begins, ends = at(day, time()) - LATE, at(day + timedelta(days=1), time()) - LATE
    ours = (moved >= begins) & (moved < ends) & (kind.billed_on.is_(None) | (kind.billed_on == day))
    rows: Iterable[Row] = session.scalars(select(kind).where(named | ours).order_by(kind.id).with_for_update())
    return {row.number: row for row in rows}


def _payments(ours: dict[str, Payment], bill: Bill, day: date, now: datetime) -> Iterator[Found]:
    seen: set[str] = set()
    for line in (line for line in bill.lines if not line.refund):
        row = ours.get(line.number)
        if line.number in seen or (row and row.billed_on not in {None, day}):
            yield Found(DifferenceKind.DOUBLED, line.number, "", _text(line))
        elif row is None:
            yield Found(DifferenceKind.MISSING_HERE, line.number, "", _text(line))
        else:
            row.billed_on = day
            yield from _payment(row, line, now)
        seen.add(line.number)
    for number in ours.keys() - seen:
        yield Found(DifferenceKind.MISSING_THERE, number, f"{yuan(ours[number].amount_fen)} {ours[number].status}")


def _payment(row: Payment, line: Line, now: datetime) -> Iterator[Found]:
    if row.amount_fen != line.fen:
        yield Found(DifferenceKind.AMOUNT, row.number, yuan(row.amount_fen), yuan(line.fen))
    if not row.paid:
        row.ask_at = now  # what the notice did not bring, asking will
        yield Found(DifferenceKind.STATUS, row.number, row.status, line.status)
    elif row.transaction != line.gateway_id:
        yield Found(DifferenceKind.TRANSACTION, row.number, row.transaction or "", line.gateway_id)


def _refunds(ours: dict[str, Refund], bill: Bill, day: date, now: datetime) -> Iterator[Found]:
    seen: set[str] = set()
    for line in (line for line in bill.lines if line.refund):
        row = ours.get(line.number)
        if line.number in seen or (row and row.billed_on not in {None, day}):
            yield Found(DifferenceKind.REFUND_DOUBLED, line.number, "", _text(line))
        elif row is None:
            yield Found(DifferenceKind.REFUND_MISSING_HERE, line.number, "", _text(line))
        else:
            row.billed_on = day
            yield from _refund(row, line, now)
        seen.add(line.number)
    for number in ours.keys() - seen:
        text = f"{yuan(ours[number].amount_fen)} {ours[number].status}"
        yield Found(DifferenceKind.REFUND_MISSING_THERE, number, text)


def _refund(row: Refund, line: Line, now: datetime) -> Iterator[Found]:
    if row.amount_fen != line.fen:
        yield Found(DifferenceKind.REFUND_AMOUNT, row.number, yuan(row.amount_fen), yuan(line.fen))
    if row.status not in AGREES.get(line.status, frozenset()):
        if row.status in {RefundState.PROCESSING, RefundState.ABNORMAL}:
            row.ask_at = now
        yield Found(DifferenceKind.REFUND_STATUS, row.number, row.status, line.status)


def _write(session: Session, record: Reconciliation, found: Sequence[Found], now: datetime) -> None:
    """New differences are added; those that are gone are settled by the clinic; what somebody settled stays so."""
    known = {(row.kind, row.number): row for row in _all(session, record.id)}
    for one in found:
        row = known.pop((one.kind, one.number[:64]), None)
        if row is None:
            row = Difference(reconciliation_id=record.id, kind=one.kind, number=one.number[:64], found_at=now)
            session.add(row)
        elif row.settled_by is None:
            row.settled_at, row.note = None, None
        row.ours, row.theirs = one.ours[:200], one.theirs[:200]
    for gone in known.values():
        _gone(gone, now)
    _conclude(session, record, now)


def _forget_missing(session: Session, record: Reconciliation, numbers: Sequence[str], now: datetime) -> None:
    """What this bill names was perhaps missed on a day before."""
    missing = {DifferenceKind.MISSING_THERE, DifferenceKind.REFUND_MISSING_THERE}
    rows = session.scalars(
        select(Difference)
        .where(Difference.kind.in_(missing), Difference.number == any_(literal(list(numbers), ARRAY(String))))
        .where(Difference.reconciliation_id != record.id)
    ).all()
    for row in rows:
        _gone(row, now)
    for other in sorted({row.reconciliation_id for row in rows}):
        _conclude(session, session.get_one(Reconciliation, other, with_for_update=True), now)


def _gone(row: Difference, now: datetime) -> None:
    if row.settled_at is None:
        row.settled_at = now


def _conclude(session: Session, record: Reconciliation, now: datetime) -> None:
    """The day's state is that of its differences; while any is open, somebody is asked to see to them."""
    session.flush()
    rows = _all(session, record.id)
    waiting = any(row.settled_at is None for row in rows)
    state = ReconciliationStatus.DIFFERENT if waiting else ReconciliationStatus.MATCHED
    if rows and not waiting:
        state = ReconciliationStatus.SETTLED
    if record.status is not state:
        advance(record, state, by="clinic", why="compared", now=now)
    if waiting:
        day = record.day.isoformat()
        about, deadline = {"zh_CN": day, "en": day}, now + SEEN_TO_WITHIN
        tasks.open(
            session,
            kind=DIFFERENCES,
            subject_id=record.id,
            about=about,
            deadline=deadline,
            now=now,
            role=Role.ADMINISTRATOR,
        )
    else:
        tasks.settle(session, DIFFERENCES, record.id, why="settled", now=now)


def settle_difference(
    session: Session, difference_id: UUID, note: str, *, by: UUID, account_id: UUID, now: datetime
) -> Reconciliation:
    """A member of staff (``by``) has seen to a difference and says how. Twice changes nothing.

    Raises NotFound, NoteMissing.
    """
    row = session.get(Difference, difference_id)
    if row is None:
        raise NotFound
    if not note.strip():
        raise NoteMissing(field=f"note-{difference_id}")
    record = session.get_one(Reconciliation, row.reconciliation_id, with_for_update=True)
    session.refresh(row)
    if row.settled_at is None:
        row.settled_at, row.settled_by, row.note = now, by, note.strip()[:NOTE]
        audit(session, "settle-difference", at=now, entity="difference", entity_id=row.id, account_id=account_id)
        _conclude(session, record, now)
    return record


def _all(session: Session, record_id: UUID) -> Sequence[Difference]:
    return session.scalars(select(Difference).where(Difference.reconciliation_id == record_id)).all()


def _text(line: Line) -> str:
    return f"{yuan(line.fen)} {line.status} {line.gateway_id}"


def yuan(fen: int) -> str:
    """``50.00``."""
    return f"{fen // 100}.{fen % 100:02d}"
