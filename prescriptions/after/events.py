"""What happens after a prescription's medicines came to the child."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class MedicineDue(Fact, order="reminder_id"):
    """It is time for a medicine: who asked to be reminded is told. ``slot`` is that moment (UTC, ``202611250600``)."""

    reminder_id: UUID
    slot: str


@dataclass(frozen=True)
class CourseEnded(Fact, order="prescription_id"):
    """The course is over: the family is asked how the child is."""

    prescription_id: UUID


@dataclass(frozen=True)
class ReactionReported(Fact, order="reaction_id"):
    """An adverse reaction was reported: the pharmacists are told, and the doctor of a severe one."""

    reaction_id: UUID
