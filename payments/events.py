"""What has happened to money. Facts about one payment are handled one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class PaymentSettled(Fact, order="payment_id"):
    """The money of a payment has come, perhaps after the payment was closed."""

    payment_id: UUID


@dataclass(frozen=True)
class PaymentClosed(Fact, order="payment_id"):
    """A payment was closed unpaid, here and at the gateway."""

    payment_id: UUID


@dataclass(frozen=True)
class RefundFinished(Fact, order="payment_id"):
    """A refund has arrived: the payer is told."""

    payment_id: UUID
    refund_id: UUID


@dataclass(frozen=True)
class RefundFailed(Fact, order="payment_id"):
    """A refund did not go through; a task for the administrators is open."""

    payment_id: UUID
    refund_id: UUID
