"""What WeChat Pay remembers of an order, a refund and a notice; money is whole fen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Order:
    """An order of the merchant; `asked` is the request that made it, to compare a repeated one with."""

    out_trade_no: str
    asked: dict[str, Any]
    openid: str
    total: int
    created: float
    expires: float
    state: str = "NOTPAY"
    prepays: dict[str, float] = field(default_factory=dict)  # prepay_id: until when
    transaction_id: str = ""
    paid: float = 0.0


@dataclass
class Refund:
    """A refund of an order."""

    out_refund_no: str
    refund_id: str
    out_trade_no: str
    asked: dict[str, Any]
    amount: int
    created: float
    outcome: str  # what it will end as: SUCCESS, ABNORMAL, CLOSED
    status: str = "PROCESSING"
    ended: float = 0.0


@dataclass
class Notice:
    """Something the merchant's server must be told, until it answers."""

    id: str
    event: str  # TRANSACTION.SUCCESS, REFUND.SUCCESS, ...
    number: str  # out_trade_no or out_refund_no
    url: str
    created: float
    attempts: int = 0
    done: bool = False
