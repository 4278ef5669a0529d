"""The port to whoever moves the money; wechat/pay/ is its adapter for WeChat Pay. Amounts are integer fen (CNY).

States are named as WeChat Pay names them. A number is the clinic's own (6 to 32 digits, letters, ``_-|*``), and the
same number means the same order or refund at every try: that is what makes a retry safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class TradeState(StrEnum):
    """What became of an order (WeChat Pay's trade_state)."""

    NOTPAY = "NOTPAY"
    USERPAYING = "USERPAYING"
    SUCCESS = "SUCCESS"
    REFUND = "REFUND"
    CLOSED = "CLOSED"
    REVOKED = "REVOKED"
    PAYERROR = "PAYERROR"


class RefundState(StrEnum):
    """What became of a refund. ABNORMAL: the payer's card can't take it, and somebody must see to it by hand."""

    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    CLOSED = "CLOSED"
    ABNORMAL = "ABNORMAL"


@dataclass(frozen=True)
class Order:
    """What is to be paid: ``payer`` is the openid, ``description`` what the parent reads (at most 127 characters),
    ``expires_at`` until when it can be paid. All of it must be the same when an order is placed again."""

    number: str
    description: str
    amount_fen: int
    payer: str
    expires_at: datetime


@dataclass(frozen=True)
class Checkout:
    """An order that can be paid now: the prepay id, and the signed parameters with which a page opens the cashier
    (``wx.chooseWXPay``)."""

    prepay_id: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class Payment:
    """An order as the gateway knows it. ``transaction``, ``amount_fen``, ``payer`` and ``paid_at`` are there once it
    was paid."""

    number: str
    state: TradeState
    transaction: str | None = None
    amount_fen: int | None = None
    payer: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True)
class RefundOrder:
    """Money to give back: ``number`` is the refund's own, ``payment`` the order's; a part of ``total_fen`` or all."""

    number: str
    payment: str
    refund_fen: int
    total_fen: int
    reason: str


@dataclass(frozen=True)
class Refund:
    """A refund as the gateway knows it; ``refunded_at`` is there once it has succeeded."""

    number: str
    payment: str
    state: RefundState
    refund: str
    refund_fen: int
    total_fen: int
    refunded_at: datetime | None = None


class GatewayError(Exception):
    """The gateway refused, or can't be reached (``code`` "unavailable") or believed (``code`` "unverified").

    ``code`` is WeChat Pay's own otherwise (ORDER_NOT_EXIST, ORDER_CLOSED, ...). ``again``: the same call may succeed
    later. After "unavailable" or "unverified" it may have been done all the same: ask, or call again with the number.
    """

    def __init__(self, code: str, detail: str = "", *, again: bool = False) -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code, self.again = code, again


class Gateway(Protocol):
    """Calls take up to seconds: none with a transaction open. Every one raises GatewayError and nothing else."""

    def order(self, order: Order) -> Checkout:
        """Place an order, or the same again when the parent comes back to it."""

    def query(self, number: str) -> Payment:
        """What became of an order."""

    def close(self, number: str) -> None:
        """Close an unpaid order, so that it can't be paid any more."""

    def refund(self, refund: RefundOrder) -> Refund:
        """Give money back; the same number again asks about the same refund."""

    def query_refund(self, number: str) -> Refund:
        """What became of a refund."""

    def bill(self, day: date) -> bytes:
        """All orders and refunds of a day that is over (UTF-8 CSV, as the gateway writes it), checked against its
        hash."""
