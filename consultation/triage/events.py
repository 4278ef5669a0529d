"""What triage has found."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class TriageAlerted(Fact, order="appointment_id"):
    """A warning sign was found in the answers for a booked visit: its doctor is told at once."""

    appointment_id: UUID
    result_id: UUID
