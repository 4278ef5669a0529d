"""Which packages are taken: first what expires first (FEFO). Pure: no session, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID


@dataclass(frozen=True)
class Free:
    """So many packages of a lot that nobody else was promised."""

    lot_id: UUID
    expires_on: date
    packages: int


def pick(lots: Sequence[Free], packages: int, good_until: date) -> list[tuple[UUID, int]]:
    """Packages of lots that are good until that day, what expires first first; fewer than wanted if there are not
    enough. Every part is at least one package."""
    found = []
    for lot in sorted(lots, key=lambda one: (one.expires_on, one.lot_id)):
        taken = min(lot.packages, packages)
        if taken > 0 and lot.expires_on >= good_until:
            found.append((lot.lot_id, taken))
            packages -= taken
    return found


def good_until(begins: date, days: int, margin: int) -> date:
    """Until when a lot must be good for a course of so many days: its last day, and some days more."""
    return begins + timedelta(days=days - 1 + margin)
