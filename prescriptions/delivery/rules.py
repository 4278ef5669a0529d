"""Where a parcel is, from the steps of its trace: whatever the order in which they were heard, and however often."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from prescriptions.delivery.couriers import Mark
from prescriptions.delivery.models import DeliveryStatus

WAY = tuple(Mark)  # the order in which steps of the same second are read
TROUBLE = frozenset({Mark.MISSED, Mark.REFUSED, Mark.RETURNING, Mark.LOST})
OVER = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.RETURNED})


class Known(Protocol):
    """A step, as heard or as kept."""

    @property
    def mark(self) -> Mark:
        """What it means."""

    @property
    def at(self) -> datetime:
        """When it was."""


def in_order(steps: Iterable[Known]) -> list[Known]:
    """By their times."""
    return sorted(steps, key=lambda step: (step.at, WAY.index(step.mark)))


def status_of(steps: Collection[Known]) -> DeliveryStatus:
    """The state that the steps known so far tell of. A parcel that was signed for is delivered, whatever else is told
    of it later; but what is signed for on the way back has come back, to the pharmacy."""
    if not steps:
        return DeliveryStatus.ORDERED
    signed = [step.at for step in steps if step.mark is Mark.DELIVERED]
    back = [step.at for step in steps if step.mark is Mark.RETURNING]
    if any(step.mark is Mark.RETURNED for step in steps) or (signed and back and min(back) < max(signed)):
        return DeliveryStatus.RETURNED
    if signed:
        return DeliveryStatus.DELIVERED
    return DeliveryStatus.FAILED if last(steps).mark in TROUBLE else DeliveryStatus.SHIPPED


def last(steps: Collection[Known]) -> Known:
    """The newest step. Raises IndexError when there is none."""
    return in_order(steps)[-1]
