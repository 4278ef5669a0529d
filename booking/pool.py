"""The port to the numbers that the hospital's own system gives out too: which numbers of a clinic are ours.

Asked when a clinic is cut and when its numbers change, never while a parent books.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from booking.models import Period

GIVE_BACK = "rosters.give_back"  # the job that hands numbers back


@dataclass(frozen=True, order=True)
class Clinic:
    """One period of one doctor on one day, in the hospital's words: department code and staff number."""

    department: str
    practitioner: str
    day: date
    period: Period


Numbers = Mapping[Clinic, frozenset[int]]


class PoolUnavailable(Exception):
    """No answer, or none that can be believed; asking again later does no harm."""


class NumberPool(Protocol):
    """Both questions can be asked again: the second time changes nothing. Both raise PoolUnavailable."""

    def reserve(self, wanted: Numbers) -> Numbers:
        """Ask for numbers of clinics; returns those of them that are ours now."""
        ...

    def give_back(self, unwanted: Numbers) -> None:
        """Numbers of ours that the hospital may give out itself; what was not ours is passed over."""
        ...


class OursAlone:
    """Nobody else gives out numbers."""

    def reserve(self, wanted: Numbers) -> Numbers:
        """All of them."""
        return wanted

    def give_back(self, unwanted: Numbers) -> None:
        """Nobody to give them to."""
