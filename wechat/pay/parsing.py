"""WeChat Pay's JSON read into the gateway's own words. Raises KeyError, TypeError, ValueError on anything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from payments.gateway import Payment, Refund, RefundState, TradeState


def payment_of(answer: Mapping[str, Any]) -> Payment:
    """A transaction, as a query answers it and as a notification brings it."""
    amount, payer = answer.get("amount") or {}, answer.get("payer") or {}
    return Payment(
        number=str(answer["out_trade_no"]),
        state=TradeState(answer["trade_state"]),
        transaction=answer.get("transaction_id") or None,
        amount_fen=int(amount["total"]) if "total" in amount else None,
        payer=payer.get("openid") or None,
        paid_at=moment(answer.get("success_time")),
    )


def refund_of(answer: Mapping[str, Any]) -> Refund:
    """A refund, as the API answers it."""
    return _refund(answer, answer["status"])


def refund_notified(resource: Mapping[str, Any]) -> Refund:
    """A refund, as a notification brings it: there its state is called refund_status."""
    return _refund(resource, resource["refund_status"])


def _refund(found: Mapping[str, Any], state: str) -> Refund:
    return Refund(
        number=str(found["out_refund_no"]),
        payment=str(found["out_trade_no"]),
        state=RefundState(state),
        refund=str(found["refund_id"]),
        refund_fen=int(found["amount"]["refund"]),
        total_fen=int(found["amount"]["total"]),
        refunded_at=moment(found.get("success_time")),
    )


def moment(text: str | None) -> datetime | None:
    """An RFC 3339 moment. Raises ValueError for one without a time zone."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return found.astimezone(UTC)
