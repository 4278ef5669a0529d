"""Which package a scanned code is of, and why an order can be declined. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from config.text import N_

# Why the pharmacy declines: code and words.
DECLINES = {
    "out-of-stock": N_("Out of stock"),
    "damaged": N_("Damaged, and nothing to replace it"),
    "recalled": N_("The lot was recalled"),
    "doubtful": N_("The prescription is doubtful: the doctor is asked"),
}
LONGEST = 60  # characters of a code


@dataclass(frozen=True)
class Wanted:
    """Packages that are to be scanned: the product's code and the lot's number are on them."""

    id: UUID
    code: str
    lot: str
    quantity: int
    scanned: int

    @property
    def open(self) -> bool:
        """Whether some were not scanned yet."""
        return self.scanned < self.quantity


def folded(code: str) -> str:
    """A code as scanners and people write it: without spaces, in capitals."""
    return "".join(code.split()).upper()[:LONGEST]


def matches(code: str, wanted: Sequence[Wanted]) -> list[Wanted]:
    """The packages that a code is of: by the lot's number, by the product's code, or both with anything between."""
    said = folded(code)
    both = [one for one in wanted if said.startswith(folded(one.code)) and said.endswith(folded(one.lot))]
    return both or [one for one in wanted if said and said in {folded(one.code), folded(one.lot)}]
