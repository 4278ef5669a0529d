"""What has happened in a visit in writing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class WrittenAsked(Fact, order="encounter_id"):
    """A family waits for an answer in writing: the doctor is told. ``occasion`` tells one question from another."""

    encounter_id: UUID
    occasion: str


@dataclass(frozen=True)
class WrittenAnswered(Fact, order="encounter_id"):
    """The doctor has answered: the guardian who writes is told."""

    encounter_id: UUID
    occasion: str
