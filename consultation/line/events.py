"""What has happened in a doctor's line."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class FamilyCalled(Fact, order="encounter_id"):
    """The doctor calls a child: the guardian who sits with it is told. ``occasion`` tells one call from another."""

    encounter_id: UUID
    occasion: str


@dataclass(frozen=True)
class TurnSoon(Fact, order="encounter_id"):
    """Only a few are before a child now: its guardian is told, once."""

    encounter_id: UUID


@dataclass(frozen=True)
class HandoverAsked(Fact, order="encounter_id"):
    """Another doctor could see the child: its guardian is asked."""

    encounter_id: UUID
    handover_id: UUID
