"""A value that a process keeps for a moment instead of asking for it by every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Kept(Generic[T]):
    """One value, at most ``seconds`` old; several threads may make it anew at once, and the last one is kept."""

    seconds: float
    _kept: tuple[float, T] | None = None

    def get(self, make: Callable[[], T]) -> T:
        """The value; ``make`` is called when there is none that is new enough."""
        began, kept = monotonic(), self._kept
        if kept is not None and began - kept[0] < self.seconds:
            return kept[1]
        value = make()
        self._kept = (began, value)
        return value

    def forget(self) -> None:
        """Make it anew next time."""
        self._kept = None
