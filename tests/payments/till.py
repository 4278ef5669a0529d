"""A gateway that lives in memory: what WeChat Pay would hold, and the ways in which its answers get lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar

from payments import models
from payments.gateway import (
    Checkout,
    GatewayError,
    Order,
    Payment,
    Refund,
    RefundOrder,
    RefundState,
    TradeState,
)

T = TypeVar("T")
AWAY = GatewayError("unavailable", again=True)
UNVERIFIED = GatewayError("unverified", again=True)


@dataclass
class Till:
    """payments.gateway.Gateway. ``before`` is raised instead of doing anything, ``lost`` after it was done; each once.

    ``meanwhile`` runs once before the next call is answered: what happens while we ask.
    """

    orders: dict[str, Order] = field(default_factory=dict)
    states: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    before: GatewayError | None = None
    lost: GatewayError | None = None
    meanwhile: Callable[[], object] | None = None
    calls: list[str] = field(default_factory=list)
    bills: dict[date, bytes] = field(default_factory=dict)

    @property
    def holds(self) -> int:
        """Fen that lie with the gateway."""
        came = sum(found.amount_fen or 0 for found in self.states.values() if found.transaction)
        return came - sum(r.refund_fen for r in self.refunds.values() if r.state is RefundState.SUCCESS)

    def order_of(self, payment: models.Payment) -> None:
        """Its order was placed before."""
        self._order(Order(payment.number, "", payment.amount_fen, "o-payer", payment.expires_at))

    def pay(self, number: str, at: datetime, *, amount_fen: int | None = None) -> Payment | None:
        """The parent pays, if the order is there and open. Returns what the notice says."""
        known = self.states.get(number)
        if known is None or known.state is not TradeState.NOTPAY:
            return None
        order = self.orders[number]
        fen = amount_fen or order.amount_fen
        paid = Payment(number, TradeState.SUCCESS, f"42{len(self.states):026d}", fen, order.payer, at)
        self.states[number] = paid
        return paid

    def end(self, number: str, state: RefundState, at: datetime) -> Refund:
        """A refund ends so. Returns what the notice says."""
        found = self.refunds[number]
        if found.state is not RefundState.SUCCESS:
            found = replace(found, state=state, refunded_at=at if state is RefundState.SUCCESS else None)
            self.refunds[number] = found
        return found

    def order(self, order: Order) -> Checkout:
        return self._call("order", lambda: self._order(order))

    def _order(self, order: Order) -> Checkout:
        known = self.states.setdefault(order.number, Payment(order.number, TradeState.NOTPAY))
        self.orders[order.number] = order
        if known.state is not TradeState.NOTPAY:
            raise GatewayError("ORDER_CLOSED" if known.state is TradeState.CLOSED else "OUT_TRADE_NO_USED")
        return Checkout(f"wx{len(self.calls)}", {"package": f"prepay_id=wx{len(self.calls)}"})

    def query(self, number: str) -> Payment:
        return self._call("query", lambda: self._known(number))

    def _known(self, number: str) -> Payment:
        if number not in self.states:
            raise GatewayError("ORDER_NOT_EXIST")
        return self.states[number]

    def close(self, number: str) -> None:
        def closing() -> None:
            if self._known(number).transaction:
                raise GatewayError("INVALID_REQUEST")
            self.states[number] = Payment(number, TradeState.CLOSED)

        self._call("close", closing)

    def refund(self, refund: RefundOrder) -> Refund:
        return self._call("refund", lambda: self._refund(refund))

    def _refund(self, asked: RefundOrder) -> Refund:
        known = self.refunds.get(asked.number)
        if known is None:
            past = [r for r in self.refunds.values() if r.payment == asked.payment]
            gone = sum(r.refund_fen for r in past if r.state is not RefundState.CLOSED)
            if gone + asked.refund_fen > (self._known(asked.payment).amount_fen or 0):
                raise GatewayError("NOT_ENOUGH")
            number = f"50{len(self.refunds):026d}"
            state = RefundState.PROCESSING
            known = Refund(asked.number, asked.payment, state, number, asked.refund_fen, asked.total_fen)
            self.refunds[asked.number] = known
            self.states[asked.payment] = replace(self._known(asked.payment), state=TradeState.REFUND)
        return known

    def query_refund(self, number: str) -> Refund:
        def asking() -> Refund:
            if number not in self.refunds:
                raise GatewayError("RESOURCE_NOT_EXISTS")
            return self.refunds[number]

        return self._call("query-refund", asking)

    def bill(self, day: date) -> bytes:
        def billing() -> bytes:
            if day not in self.bills:
                raise GatewayError("NO_STATEMENT_EXIST")
            return self.bills[day]

        return self._call("bill", billing)

    def _call(self, name: str, what: Callable[[], T]) -> T:
        self.calls.append(name)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        before, self.before = self.before, None
        if before:
            raise before
        done = what()
        lost, self.lost = self.lost, None
        if lost:
            raise lost
        return done
