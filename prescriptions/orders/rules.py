"""What an order costs and when it is there. Pure: no session, no clock; the hospital's figures are arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from config.clock import at, local
from prescriptions.formulary.knowledge import Knowledge
from prescriptions.formulary.product import Product, Route, Storage
from prescriptions.orders.zones import Hours, Pickup, Zone

Holiday = Callable[[date], bool]
SEARCH_DAYS = 60  # a place that does not open within so many days has no time to say


@dataclass(frozen=True)
class Priced:
    """A line: packages of a product and the price of one, in fen."""

    line_id: UUID
    medication_id: UUID
    product: Product
    packages: int
    price_fen: int
    days: int

    @property
    def sum_fen(self) -> int:
        """What the line costs."""
        return self.packages * self.price_fen


@dataclass(frozen=True)
class Quote:
    """What is said before paying: the fee in fen, and when it is there or can be picked up."""

    delivery_fen: int
    promised_at: datetime


def medicines_fen(lines: Iterable[Priced]) -> int:
    """The sum of the medicines."""
    return sum(line.sum_fen for line in lines)


def fee_fen(zone: Zone, medicines: int) -> int:
    """What delivery costs there."""
    return 0 if zone.free_from_fen and medicines >= zone.free_from_fen else zone.fee_fen


def delivery(zone: Zone, medicines: int, paid_by: datetime, holiday: Holiday) -> Quote:
    """Delivery there of what is paid by then. A later payment never arrives earlier."""
    packed = paid_by + timedelta(minutes=zone.prepare_minutes)
    arrives = _leaves(zone, packed, holiday) + timedelta(hours=zone.hours)
    clock, day = local(arrives).time(), local(arrives).date()
    if clock > zone.door_until:
        arrives = at(day + timedelta(days=1), zone.door_from)
    elif clock < zone.door_from:
        arrives = at(day, zone.door_from)
    return Quote(fee_fen(zone, medicines), arrives)


def pickup(place: Pickup, paid_by: datetime, holiday: Holiday) -> Quote:
    """When what is paid by then can be picked up: within the window's hours, at no fee."""
    packed = paid_by + timedelta(minutes=place.prepare_minutes)
    there = local(packed)
    if _open(place, there.date(), holiday) and there.time() < place.closes:
        return Quote(0, max(packed, at(there.date(), place.opens)))
    return Quote(0, at(_next_day(place, there.date(), holiday), place.opens))


def _leaves(zone: Zone, packed: datetime, holiday: Holiday) -> datetime:
    """The first cut-off at which it is packed."""
    there = local(packed)
    if _open(zone, there.date(), holiday) and there.time() <= zone.cut_off:
        return at(there.date(), zone.cut_off)
    return at(_next_day(zone, there.date(), holiday), zone.cut_off)


def _next_day(hours: Hours, after: date, holiday: Holiday) -> date:
    days = (after + timedelta(days=ahead) for ahead in range(1, SEARCH_DAYS))
    return next((day for day in days if _open(hours, day, holiday)), after + timedelta(days=SEARCH_DAYS))


def _open(hours: Hours, day: date, holiday: Holiday) -> bool:
    return str(day.isoweekday()) in hours.weekdays and (hours.holidays or not holiday(day))


def begins_today(products: Iterable[Product], urgent: Collection[str], known: Knowledge) -> bool:
    """Whether one of them should not wait for a parcel."""
    inside = (product for product in products if product.route is not Route.TOPICAL)
    return any(known.groups(product) & set(urgent) for product in inside)


def kept_cold(products: Iterable[Product]) -> bool:
    """Whether one of them has to stay cold, and so is not delivered (rules of 2018)."""
    return any(product.storage is Storage.COLD_CHAIN for product in products)
