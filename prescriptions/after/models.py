"""The tables of what comes after: reminders that a family asked for, the end of the course, adverse reactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, Json, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class MedicineReminder(Base):
    """An account wants to be reminded of a prescription's medicines. ``times``: by line, at which times of the day
    (``{"1": ["08:00", "14:00"]}``); from the course's beginning until its end, both empty until the medicine is with
    the child. ``last``: by line, of which moment was reminded last. ``next_at``: when the next goes out; empty before
    the course, after it, and when it was switched off (``active``)."""

    __tablename__ = "medicine_reminders"
    __table_args__ = (
        UniqueConstraint("prescription_id", "account_id"),
        CheckConstraint("until >= starts_on", name="course"),
        CheckConstraint("(until is null) = (starts_on is null)", name="begun"),
        CheckConstraint("next_at is null or (active and until is not null)", name="next"),
        Index("ix_medicine_reminders_next", "next_at", postgresql_where=text("next_at is not null")),
    )

    id: Mapped[Id]
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    times: Mapped[Json]
    last: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    starts_on: Mapped[date | None]
    until: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Recovery(StrEnum):
    """How the child is when the course ends."""

    WELL = "well"
    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


class CourseEnd(Base):
    """A prescription's course: it began when the medicine was with the child (``began_at``) and ends with the day
    ``until``; then the family is asked once, at ``ask_at``, how the child is."""

    __tablename__ = "course_ends"
    __table_args__ = (
        Index("ix_course_ends_ask", "ask_at", postgresql_where=text("asked_at is null")),
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
    )

    id: Mapped[Id]
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"), unique=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    began_at: Mapped[datetime]
    until: Mapped[date]
    ask_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    answer: Mapped[Recovery | None] = mapped_column(stored_enum(Recovery, "answer"))
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    answered_at: Mapped[datetime | None]


class ReactionStatus(StrEnum):
    """Reported; a pharmacist watches it; over, with an outcome."""

    REPORTED = "reported"
    WATCHED = "watched"
    CLOSED = "closed"


class Reporter(StrEnum):
    """As what somebody tells of a reaction (报告人职业)."""

    FAMILY = "family"
    DOCTOR = "doctor"
    PHARMACIST = "pharmacist"


class Causality(StrEnum):
    """How likely the medicine was the cause, as the WHO's monitoring centre and the national report grade it (肯定,
    很可能, 可能, 可能无关, 待评价, 无法评价)."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    UNASSESSED = "conditional"
    UNASSESSABLE = "unassessable"


class ReactionOutcome(StrEnum):
    """FHIR R4 AdverseEvent.outcome."""

    RESOLVED = "resolved"
    RECOVERING = "recovering"
    ONGOING = "ongoing"
    SEQUELAE = "resolvedWithSequelae"
    FATAL = "fatal"
    UNKNOWN = "unknown"


class AdverseEvent(Stateful):
    """An adverse reaction to medicines of a prescription, told by a family, a doctor or a pharmacist (``reporter``).
    ``prescription_line_id``: the medicine that is suspected; empty: any of them. ``signs`` are codes
    (config/data/reactions.toml), ``text`` the reporter's words, ``stopped`` whether the medicine is no longer given;
    ``severe``: by the rules of that file, which alert at once. ``practitioner_id`` watches it; ``look_at``: when it is
    looked at next."""

    __tablename__ = "adverse_events"
    __table_args__ = (
        CheckConstraint("(status = 'closed') = (outcome is not null)", name="has_outcome"),
        CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed"),
        CheckConstraint("status <> 'closed' or causality is not null", name="has_causality"),
        CheckConstraint("status = 'reported' or practitioner_id is not null", name="watched"),
        Index("ix_adverse_events_open", "look_at", postgresql_where=text("status <> 'closed'")),
        Index(None, "patient_id", "id"),
    )
    MOVES: ClassVar[Mapping[ReactionStatus, frozenset[ReactionStatus]]] = {
        ReactionStatus.REPORTED: frozenset({ReactionStatus.WATCHED, ReactionStatus.CLOSED}),
        ReactionStatus.WATCHED: frozenset({ReactionStatus.CLOSED}),
    }

    id: Mapped[Id]
    prescription_id: Mapped[UUID] = mapped_column(ForeignKey("prescriptions.id"), index=True)
    prescription_line_id: Mapped[UUID | None] = mapped_column(ForeignKey("prescription_lines.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    status: Mapped[ReactionStatus] = mapped_column(
        stored_enum(ReactionStatus, "status"), default=ReactionStatus.REPORTED
    )
    signs: Mapped[list[Any]] = mapped_column(JSONB)
    text: Mapped[str] = mapped_column(Encrypted("adverse_events.text"))
    reporter: Mapped[Reporter] = mapped_column(stored_enum(Reporter, "reporter"))
    began_at: Mapped[datetime]
    severe: Mapped[bool]
    stopped: Mapped[bool | None]
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    look_at: Mapped[datetime]
    outcome: Mapped[ReactionOutcome | None] = mapped_column(stored_enum(ReactionOutcome, "outcome"))
    causality: Mapped[Causality | None] = mapped_column(stored_enum(Causality, "causality"))
    reported_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReactionNote(Base):
    """What somebody of the staff found or did about a reaction; written once."""

    __tablename__ = "adverse_event_notes"
    __table_args__ = (Index(None, "adverse_event_id", "id"),)

    id: Mapped[Id]
    adverse_event_id: Mapped[UUID] = mapped_column(ForeignKey("adverse_events.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    text: Mapped[str] = mapped_column(Encrypted("adverse_event_notes.text"))
    at: Mapped[datetime]
