"""What happens to a parcel. Facts about one parcel are handled one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class DeliveryShipped(Fact, order="delivery_id"):
    """The courier has it."""

    delivery_id: UUID


@dataclass(frozen=True)
class DeliveryDelivered(Fact, order="delivery_id"):
    """The family has it: the course can begin."""

    delivery_id: UUID


@dataclass(frozen=True)
class DeliveryFailed(Fact, order="delivery_id"):
    """It did not arrive (yet). ``why``: late, missed, refused, returning, returned, lost, or courier (it did not take
    the order)."""

    delivery_id: UUID
    why: str
