"""What happens to an order of medicines. Facts about one order are handled one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class OrderPaid(Fact, order="order_id"):
    """The money is there, or none was asked: the pharmacy begins."""

    order_id: UUID


@dataclass(frozen=True)
class OrderLapsed(Fact, order="order_id"):
    """Nobody has paid in time; what was kept back is free again."""

    order_id: UUID


@dataclass(frozen=True)
class OrderCancelled(Fact, order="order_id"):
    """It ended before the medicines were given out; what was paid goes back."""

    order_id: UUID


@dataclass(frozen=True)
class OrderPaidTooLate(Fact, order="order_id"):
    """Money came for an order that had ended; it goes back in full."""

    order_id: UUID


@dataclass(frozen=True)
class RefundAnswered(Fact, order="order_id"):
    """The pharmacist has answered a family that wanted its money back after the work had begun."""

    order_id: UUID
