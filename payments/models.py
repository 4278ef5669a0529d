"""The tables of money: what parents pay, what goes back, and the ledger in which both are posted twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.states import Stateful
from payments.gateway import RefundState, TradeState

OPEN = (TradeState.NOTPAY, TradeState.USERPAYING, TradeState.PAYERROR)
PAID = (TradeState.SUCCESS, TradeState.REFUND)
STUCK = "(status in ('ABNORMAL', 'CLOSED') or error is not null) and again_id is null"  # refunds to be seen to
_OVER = frozenset({TradeState.SUCCESS, TradeState.CLOSED, TradeState.REVOKED})


class Payment(Stateful):
    """What an account is to pay for one thing (``purpose`` and ``reference_id`` say which); amounts in fen.

    ``number`` is the out_trade_no. ``refunded_fen`` is what was given back or is on its way: never more than the
    amount. ``ask_at`` is when the gateway is asked next, empty once that is over. ``billed_on`` is the day of the
    gateway's bill in which it was found.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("refunded_fen between 0 and amount_fen", name="refunded_fen"),
        CheckConstraint("(status in ('SUCCESS', 'REFUND')) = (paid_at is not null)", name="paid"),
        Index("ix_payments_ask", "ask_at", postgresql_where=text("ask_at is not null")),
        Index(None, "account_id", "id"),
    )
    MOVES: ClassVar[Mapping[TradeState, frozenset[TradeState]]] = {
        TradeState.NOTPAY: _OVER | {TradeState.USERPAYING, TradeState.PAYERROR},
        TradeState.USERPAYING: _OVER | {TradeState.NOTPAY, TradeState.PAYERROR},
        TradeState.PAYERROR: _OVER | {TradeState.NOTPAY, TradeState.USERPAYING},
        TradeState.CLOSED: frozenset({TradeState.SUCCESS}),  # money that came late
        TradeState.REVOKED: frozenset({TradeState.SUCCESS}),
        TradeState.SUCCESS: frozenset({TradeState.REFUND}),
    }

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(32), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    purpose: Mapped[str] = mapped_column(String(30))
    reference_id: Mapped[UUID] = mapped_column(index=True)
    description: Mapped[str] = mapped_column(String(127))
    amount_fen: Mapped[int]
    refunded_fen: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    status: Mapped[TradeState] = mapped_column(stored_enum(TradeState, "status"), default=TradeState.NOTPAY)
    transaction: Mapped[str | None] = mapped_column(String(32))
    paid_at: Mapped[datetime | None] = mapped_column(index=True)
    earned_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    ask_at: Mapped[datetime | None]
    billed_on: Mapped[date | None]

    @property
    def open(self) -> bool:
        """Whether it may still be paid."""
        return self.status in OPEN

    @property
    def paid(self) -> bool:
        """Whether money came, some or all of which may have gone back."""
        return self.status in PAID


class Refund(Stateful):
    """Money that goes back. ``number`` is the out_refund_no, the same at every try; ``reason`` a code
    (payments/reasons.py); ``error`` the code with which the gateway refused the last try.

    ``sent_at`` is when the gateway took it, ``again_id`` the refund that was made in the place of a closed one.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        Index("ix_refunds_ask", "ask_at", postgresql_where=text("ask_at is not null")),
        Index("ix_refunds_failed", "id", postgresql_where=text(STUCK)),
    )
    MOVES: ClassVar[Mapping[RefundState, frozenset[RefundState]]] = {
        RefundState.PROCESSING: frozenset({RefundState.SUCCESS, RefundState.CLOSED, RefundState.ABNORMAL}),
        RefundState.ABNORMAL: frozenset({RefundState.SUCCESS, RefundState.CLOSED, RefundState.PROCESSING}),
        RefundState.CLOSED: frozenset({RefundState.SUCCESS}),
    }

    id: Mapped[Id]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    amount_fen: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))
    status: Mapped[RefundState] = mapped_column(stored_enum(RefundState, "status"), default=RefundState.PROCESSING)
    gateway_id: Mapped[str | None] = mapped_column(String(32))
    error: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    refunded_at: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]
    billed_on: Mapped[date | None]
    again_id: Mapped[UUID | None] = mapped_column(ForeignKey("refunds.id"), index=True)


class LedgerAccount(StrEnum):
    """Where money is or whose it is: with WeChat Pay; parents' for what has not happened yet; the hospital's; on its
    way back. What lies with the gateway is positive, whose it is negative: together they are nought."""

    GATEWAY = "gateway"
    HELD = "held"
    EARNED = "earned"
    RETURNING = "returning"


class LedgerEntry(Base):
    """One line of the ledger, written once and never changed. The lines of one ``posting`` sum to zero."""

    __tablename__ = "ledger_entries"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="amount_fen"), Index(None, "at"))

    id: Mapped[Id]
    posting: Mapped[UUID] = mapped_column(index=True)
    account: Mapped[LedgerAccount] = mapped_column(stored_enum(LedgerAccount, "account"))
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("refunds.id"), index=True)
    amount_fen: Mapped[int]
    why: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class ReconciliationStatus(StrEnum):
    """The bill could not be had yet; it agrees; it does not; it does not, and every difference was seen to."""

    WAITING = "waiting"
    MATCHED = "matched"
    DIFFERENT = "different"
    SETTLED = "settled"


class Reconciliation(Stateful):
    """One day of the gateway's bill compared with our rows: the sums of both sides in fen, and when it was done."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        CheckConstraint(
            "least(ours_paid_fen, ours_refunded_fen, theirs_paid_fen, theirs_refunded_fen) >= 0", name="sums_fen"
        ),
    )
    MOVES: ClassVar[Mapping[ReconciliationStatus, frozenset[ReconciliationStatus]]] = {
        status: frozenset(set(ReconciliationStatus) - {status, ReconciliationStatus.WAITING})
        for status in ReconciliationStatus
    }

    id: Mapped[Id]
    day: Mapped[date] = mapped_column(unique=True)
    status: Mapped[ReconciliationStatus] = mapped_column(
        stored_enum(ReconciliationStatus, "status"), default=ReconciliationStatus.WAITING
    )
    lines: Mapped[int] = mapped_column(default=0)
    ours_paid_fen: Mapped[int] = mapped_column(default=0)
    ours_refunded_fen: Mapped[int] = mapped_column(default=0)
    theirs_paid_fen: Mapped[int] = mapped_column(default=0)
    theirs_refunded_fen: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(40))
    tried_at: Mapped[datetime]


class DifferenceKind(StrEnum):
    """What a bill and our rows disagree about."""

    MISSING_HERE = "missing-here"
    MISSING_THERE = "missing-there"
    AMOUNT = "amount"
    STATUS = "status"
    TRANSACTION = "transaction"
    DOUBLED = "doubled"
    REFUND_MISSING_HERE = "refund-missing-here"
    REFUND_MISSING_THERE = "refund-missing-there"
    REFUND_AMOUNT = "refund-amount"
    REFUND_STATUS = "refund-status"
    REFUND_DOUBLED = "refund-doubled"
    UNREADABLE = "unreadable"
    SUMMARY = "summary"


class Difference(Base):
    """One thing in which a day's bill and our rows disagree: the number it is about, what we have and what they have.

    Settled by a member of staff (``settled_by``) with a note, or by the clinic when it is gone."""

    __tablename__ = "differences"
    __table_args__ = (UniqueConstraint("reconciliation_id", "kind", "number"),)

    id: Mapped[Id]
    reconciliation_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliations.id"))
    kind: Mapped[DifferenceKind] = mapped_column(stored_enum(DifferenceKind, "kind"))
    number: Mapped[str] = mapped_column(String(64))
    ours: Mapped[str] = mapped_column(String(200))
    theirs: Mapped[str] = mapped_column(String(200))
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None]
    note: Mapped[str | None] = mapped_column(String(300))
