"""What happens to the stock that others must hear of."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class LotRecalled(Fact, order="lot_id"):
    """A lot must not be used any more: it is given out no longer, and whoever got it is told."""

    lot_id: UUID
