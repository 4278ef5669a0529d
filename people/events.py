"""What has happened to people's bindings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class GuardianBound(Fact, order="patient_id"):
    """A guardian was bound to a child; the child's other guardians are told."""

    patient_id: UUID
    related_person_id: UUID
