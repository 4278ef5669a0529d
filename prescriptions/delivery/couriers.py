"""The port to whoever carries parcels: make a waybill, ask where a parcel is, call it back. Nothing here knows which
courier it is; integrations/couriers.py has the adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

OUT_OF_AREA = "out-of-area"  # the courier does not go to the address


class Mark(StrEnum):
    """What a step of a trace means, whatever the courier calls it."""

    COLLECTED = "collected"
    MOVING = "moving"
    OUT = "out"  # out for delivery
    MISSED = "missed"  # nobody was there, or the address was not found
    REFUSED = "refused"  # the family did not take it
    RETURNING = "returning"
    LOST = "lost"
    DELIVERED = "delivered"
    RETURNED = "returned"  # it is back at the pharmacy


@dataclass(frozen=True)
class Contact:
    """Somebody a parcel comes from or goes to. ``region``: province, city and district in words."""

    name: str
    phone: str
    region: tuple[str, str, str]
    street: str


@dataclass(frozen=True)
class Parcel:
    """What is to be carried. ``id`` is our delivery's: asked twice with the same, there is one parcel. ``code`` is what
    the family says at the door. A courier is told of medicines, never of which."""

    id: UUID
    receiver: Contact
    code: str


@dataclass(frozen=True)
class Step:
    """One step of a trace: when, where, and the courier's own words (who brings it, perhaps)."""

    mark: Mark
    at: datetime
    place: str = ""
    words: str = ""


@dataclass(frozen=True)
class Told:
    """Steps that a courier told by itself, of the parcel with our id and its waybill."""

    id: UUID
    waybill: str
    steps: tuple[Step, ...]


class CourierUnavailable(Exception):
    """No answer, or none that can be used: what was asked may have been done or not. Ask again later, with the same
    id. ``code`` is for the log."""

    def __init__(self, code: str = "unavailable") -> None:
        super().__init__(code)
        self.code = code


class CourierRefused(Exception):
    """The courier will not do it: asking again changes nothing. ``code``: ``out-of-area``, or the courier's own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Couriers(Protocol):
    """One courier. Every verb raises CourierUnavailable and CourierRefused."""

    @property
    def code(self) -> str:
        """As the rows name it."""

    @property
    def name(self) -> Mapping[str, str]:
        """As families know it, by locale."""

    @property
    def phone(self) -> str:
        """Where families can call; empty: nowhere but the hospital."""

    @property
    def traces(self) -> bool:
        """Whether it can be asked where a parcel is; else its steps are written by hand at the desk."""

    def create(self, parcel: Parcel) -> str:
        """The waybill of the parcel, made now or at an earlier try."""

    def trace(self, parcel_id: UUID, waybill: str) -> Sequence[Step]:
        """All steps so far, in any order; none before it was collected."""

    def cancel(self, parcel_id: UUID, waybill: str) -> None:
        """Nobody is to come for it, or it is to be brought back. Cancelled twice is cancelled."""
