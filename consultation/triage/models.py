"""The tables of triage: what the rules made of the answers for a visit, and what the doctor decided against them."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from booking.admission import Age, Level
from booking.screen_models import EARLIER
from config.database import Base, Id, stored_enum
from config.encryption import Encrypted


class TriageResult(Base):
    """What the rules made of the answers for a visit at one moment; never changed, the latest counts.

    ``facts`` holds the answers and the age that were judged, ``digest`` is their SHA-256. ``rules`` are the ids of the
    rules that hold (after ``earlier:``, that held before and were then answered otherwise), ``unknown`` of those of
    which the answers do not say. ``response_id``: the version of the answers (empty: none yet).
    """

    __tablename__ = "triage_results"
    __table_args__ = (Index(None, "appointment_id", "id"),)

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    response_id: Mapped[UUID | None] = mapped_column(ForeignKey("questionnaire_responses.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(40))
    facts: Mapped[str] = mapped_column(Encrypted("triage_results.facts"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    level: Mapped[Level] = mapped_column(stored_enum(Level, "level"))
    rules: Mapped[list[Any]] = mapped_column(JSONB)
    unknown: Mapped[list[Any]] = mapped_column(JSONB)

    @property
    def held(self) -> list[str]:
        """The ids of the rules that hold now."""
        return [rule for rule in self.rules if not rule.startswith(EARLIER)]

    @property
    def taken_back(self) -> list[str]:
        """The ids of those that held before, until the answers were changed."""
        return [rule.removeprefix(EARLIER) for rule in self.rules if rule.startswith(EARLIER)]

    @property
    def judged(self) -> tuple[dict[str, Any], Age]:
        """The answers and the age that were judged."""
        found = json.loads(self.facts)
        return found["answers"], Age(found["days"], found["months"])


class OverruleReason(StrEnum):
    """Why a doctor decides otherwise than the rules."""

    KNOWN = "known"
    MISTAKEN = "mistaken"
    SEEN = "seen"
    OTHER = "other"


class TriageOverrule(Base):
    """A doctor's decision against a result: the level that counts instead, why, and in which words. Kept for good."""

    __tablename__ = "triage_overrules"

    id: Mapped[Id]
    result_id: Mapped[UUID] = mapped_column(ForeignKey("triage_results.id"), index=True)
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    level: Mapped[Level] = mapped_column(stored_enum(Level, "level"))
    reason: Mapped[OverruleReason] = mapped_column(stored_enum(OverruleReason, "reason"))
    text: Mapped[str] = mapped_column(Encrypted("triage_overrules.text"))
    at: Mapped[datetime]
