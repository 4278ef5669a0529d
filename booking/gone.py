"""Which periods were sold out a moment ago: most of a rush comes too late, and needs no database to be told so.

Each process has its own memory, at most a second old: a number that comes back is hidden for that long at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID

SECONDS = 1.0
MOST = 2000  # periods


@dataclass
class Known:
    """Since when a period is known to be sold out, and the children who hold a number of its department and day."""

    since: float
    children: frozenset[UUID]
    asked_again: bool = False


@dataclass
class Gone:
    """The periods without a free number. A child who has one already is never told so, but led to it."""

    seconds: float = SECONDS
    clock: Callable[[], float] = monotonic
    _known: dict[UUID, Known] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to ask for."""
        return bool(self._known)

    def learn(self, schedule_id: UUID, look: Callable[[], frozenset[UUID] | None]) -> None:
        """Remember a period if ``look`` (queries.all_taken) finds it sold out; it counts from before looking."""
        began = self.clock()
        children = look()
        if children is None:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[schedule_id] = Known(began, children)

    def says(self, schedule_id: UUID, patient_id: UUID) -> bool:
        """Whether the period is sold out, as far as this child goes.

        At half its time one asker is not told, so that it is looked up again while the others are still answered.
        """
        known = self._known.get(schedule_id)
        if known is None:
            return False
        age = self.clock() - known.since
        if age >= self.seconds:
            self._known.pop(schedule_id, None)
            return False
        if age >= self.seconds / 2 and not known.asked_again:
            known.asked_again = True
            return False
        return patient_id not in known.children

    def forget(self, schedule_id: UUID) -> None:
        """Somebody got a number of the period here: who holds one is to be looked up anew."""
        self._known.pop(schedule_id, None)


GONE = Gone()
