"""Where a parcel goes: the address as the order copied it."""

from __future__ import annotations

from prescriptions.delivery.couriers import Contact
from prescriptions.orders.models import MedicineOrder
from prescriptions.orders.queries import address_of
from prescriptions.orders.regions import way


def receiver(order: MedicineOrder) -> Contact:
    """Whom the courier brings it to. Raises ValueError for an order that is for pick-up."""
    to = address_of(order)
    if to is None:
        raise ValueError("no address")
    names = [one.name for one in way(to.region)]
    province, district = names[0], names[-1]
    city = names[1] if len(names) > 2 else names[0] if len(names) == 2 and _municipality(province) else names[-1]
    return Contact(to.name, to.phone, (province, city, district), to.street)


def _municipality(province: str) -> bool:
    """Whether a province is a city itself, with districts at once: 北京市."""
    return province.endswith("市")
