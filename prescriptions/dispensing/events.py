"""What the pharmacy has done with an order. Facts about one order are handled one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class MedicineDispensed(Fact, order="order_id"):
    """Picked by one, checked by another: the medicines are ready to go out."""

    order_id: UUID
    dispense_id: UUID


@dataclass(frozen=True)
class DispenseDeclined(Fact, order="order_id"):
    """The pharmacy can't give it out: the order is over, and its money goes back."""

    order_id: UUID


@dataclass(frozen=True)
class ReadyForPickup(Fact, order="order_id"):
    """It lies at the hospital's window."""

    order_id: UUID


@dataclass(frozen=True)
class MedicineHandedOver(Fact, order="order_id"):
    """The family has fetched it: the course can begin."""

    order_id: UUID
