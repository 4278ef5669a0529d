"""Reads about money. What belongs to a payer takes the viewer; the staff's pages ask for their roles themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, text, tuple_
from sqlalchemy.orm import Session

from config.clock import at
from config.errors import NotFound
from payments.actions import OTHER_AMOUNT
from payments.gateway import RefundState
from payments.models import (
    PAID,
    STUCK,
    Difference,
    LedgerAccount,
    LedgerEntry,
    Payment,
    Reconciliation,
    Refund,
)
from people.access import Viewer
from people.tasks import Task, TaskStatus

RECEIPTS, DAYS, FAILED = 50, 30, 200  # of each on one page


@dataclass(frozen=True)
class Receipt:
    """A payment that was paid, with its refunds in order; one that was made anew stands for the closed one."""

    payment: Payment
    refunds: tuple[Refund, ...]

    @property
    def returned_fen(self) -> int:
        """What has arrived back."""
        return sum(refund.amount_fen for refund in self.refunds if refund.status is RefundState.SUCCESS)

    @property
    def returning_fen(self) -> int:
        """What is on its way back."""
        return self.payment.refunded_fen - self.returned_fen


@dataclass(frozen=True)
class Failed:
    """A refund that somebody must see to, and its payment."""

    refund: Refund
    payment: Payment


def balances(session: Session, day: date | None = None) -> dict[LedgerAccount, int]:
    """Fen by which a day (the hospital's) changed each account of the ledger; without a day, what they hold. Together
    they are zero. Pages ask for a day: the whole ledger grows with the years."""
    total = select(LedgerEntry.account, func.sum(LedgerEntry.amount_fen)).where(*_on(day)).group_by(LedgerEntry.account)
    found = {account: int(amount) for account, amount in session.execute(total)}
    return {account: found.get(account, 0) for account in LedgerAccount}


def unbalanced(session: Session, day: date | None = None) -> list[UUID]:
    """Postings (of a day) whose lines do not sum to zero: there are none."""
    lines = select(LedgerEntry.posting).where(*_on(day)).group_by(LedgerEntry.posting)
    return list(session.scalars(lines.having(func.sum(LedgerEntry.amount_fen) != 0)))


def _on(day: date | None) -> list[ColumnElement[bool]]:
    if day is None:
        return []
    return [LedgerEntry.at >= at(day, time()), LedgerEntry.at < at(day + timedelta(days=1), time())]


def payments_for(session: Session, reference_id: UUID) -> Sequence[Payment]:
    """The payments for one thing, the newest first."""
    return session.scalars(
        select(Payment).where(Payment.reference_id == reference_id).order_by(Payment.id.desc())
    ).all()


def refund_of(session: Session, payment_id: UUID | None) -> Refund | None:
    """The newest refund of a payment, if there is one."""
    if payment_id is None:
        return None
    return session.scalar(select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id.desc()).limit(1))


def receipts(session: Session, viewer: Viewer, before: UUID | None = None) -> list[Receipt]:
    """What the viewer has paid, the newest first, at most RECEIPTS; those older than ``before`` when it is given."""
    query = select(Payment).where(Payment.account_id == viewer.account_id, Payment.status.in_(PAID))
    if before:
        query = query.where(Payment.id < before)
    return _with_refunds(session, session.scalars(query.order_by(Payment.id.desc()).limit(RECEIPTS)).all())


def receipt(session: Session, viewer: Viewer, payment_id: UUID) -> Receipt:
    """One payment that the viewer has paid. Raises NotFound for anybody else's and an unpaid one."""
    payment = session.get(Payment, payment_id)
    if payment is None or payment.account_id != viewer.account_id or not payment.paid:
        raise NotFound
    return _with_refunds(session, [payment])[0]


def for_staff(session: Session, payment_id: UUID | None) -> Receipt | None:
    """One payment, paid or not, with its refunds; None without one. The caller has asked whether the viewer may."""
    payment = session.get(Payment, payment_id) if payment_id else None
    return _with_refunds(session, [payment])[0] if payment else None


def _with_refunds(session: Session, payments: Sequence[Payment]) -> list[Receipt]:
    of_these = Refund.payment_id.in_([payment.id for payment in payments])
    rows = session.scalars(select(Refund).where(of_these, Refund.again_id.is_(None)).order_by(Refund.id)).all()
    return [Receipt(payment, tuple(row for row in rows if row.payment_id == payment.id)) for payment in payments]


def failed_refunds(session: Session) -> list[Failed]:
    """Refunds that did not go through, the oldest first, at most FAILED."""
    stuck = select(Refund.id).where(text(STUCK)).order_by(Refund.id).limit(FAILED).subquery()
    rows = session.execute(
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id.in_(select(stuck.c.id)))
        .order_by(Refund.id)
    )
    return [Failed(refund, payment) for refund, payment in rows]


def of_another_amount(session: Session) -> Sequence[Payment]:
    """Payments for which the gateway reports another amount, as long as somebody has to see to it."""
    waiting = select(Task.subject_id).where(Task.kind == OTHER_AMOUNT, Task.status == TaskStatus.OPEN)
    return session.scalars(select(Payment).where(Payment.id.in_(waiting)).order_by(Payment.id)).all()


def days(session: Session, before: Reconciliation | None = None) -> list[tuple[Reconciliation, int]]:
    """Compared days, the newest first, at most DAYS, each with the number of its open differences."""
    waiting = (
        select(func.count())
        .where(Difference.reconciliation_id == Reconciliation.id, Difference.settled_at.is_(None))
        .correlate(Reconciliation)
        .scalar_subquery()
    )
    query = select(Reconciliation, waiting).order_by(Reconciliation.day.desc()).limit(DAYS)
    if before:
        query = query.where(Reconciliation.day < before.day)
    return [(row, count) for row, count in session.execute(query)]


def day(session: Session, reconciliation_id: UUID) -> Reconciliation:
    """One compared day. Raises NotFound."""
    found = session.get(Reconciliation, reconciliation_id)
    if found is None:
        raise NotFound
    return found


def differences(session: Session, reconciliation_id: UUID) -> Sequence[Difference]:
    """All differences of a day, open ones first."""
    order = tuple_(Difference.settled_at.isnot(None), Difference.kind, Difference.number)
    query = select(Difference).where(Difference.reconciliation_id == reconciliation_id)
    return session.scalars(query.order_by(order)).all()


def paid_in_all(session: Session, payment_ids: Select[UUID | None]) -> int:
    """Fen that would go back if all of these payments were refunded now."""
    left = func.sum(Payment.amount_fen - Payment.refunded_fen)
    found = select(left).where(Payment.id.in_(payment_ids), Payment.status.in_(PAID))
    return int(session.scalar(found) or 0)
