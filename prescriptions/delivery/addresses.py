"""Where a parcel goes: the address as the order copied it."""

from __future__ import annotations

import json

from prescriptions.delivery.couriers import Contact
from prescriptions.orders.models import MedicineOrder


def receiver(order: MedicineOrder) -> Contact:
    """Whom the courier brings it to. Raises ValueError for an order that is for pick-up."""
    if order.address is None:
        raise ValueError("no address")
    kept = json.loads(order.address)
    province, city, district = kept["region"]
    return Contact(kept["name"], kept["phone"], (province, city, district), kept["street"])
