"""The tables of the encounter: the visit as it takes place, who is invited to it, what happens in its room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, Json, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class EncounterStatus(StrEnum):
    """FHIR R4 EncounterStatus, as far as the clinic uses it."""

    PLANNED = "planned"
    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"


NOT_OVER = (EncounterStatus.PLANNED, EncounterStatus.ARRIVED, EncounterStatus.IN_PROGRESS)


class Kind(StrEnum):
    """How it is held: by video (which falls back to sound and text), or in writing with pictures (图文)."""

    VIDEO = "video"
    TEXT = "text"


class Ending(StrEnum):
    """How an encounter ended: with an answer, or by a rule that keeps its reason (internet diagnosis rules 2018/2022:
    the visit ends when it is no follow-up, when the state changes, when who is there is not who should be)."""

    ANSWERED = "answered"
    EMERGENCY = "emergency"
    HOSPITAL_TODAY = "hospital-today"
    NOT_FOLLOWUP = "not-followup"
    STATE_CHANGED = "state-changed"
    IDENTITY = "identity-mismatch"
    GUARDIAN_ABSENT = "guardian-absent"
    MISSED_CALLS = "missed-calls"
    TECHNICAL = "technical"
    UNANSWERED = "unanswered"
    CANCELLED = "cancelled"


class Encounter(Stateful):
    """A visit as it takes place; one per appointment, made when somebody first needs it.

    ``account_id``: the guardian who sits with the child (who booked, until somebody checks in). ``practitioner_id``:
    the treating doctor now. ``turn``: the place in the doctor's line, lowest first (consultation/line/rules.py: by the
    appointed time from checking in on; a missed call moves it back). ``place`` and ``phone``: where the child is and
    what rings there, as said at check-in. ``extended_at``: kept open by hand while the doctor calls others. ``events``:
    how many events the room has had. In writing (``kind``) since ``written_at``: ``reply_by`` is until when the doctor
    has to answer (empty: nothing is open), ``answered_at`` when the treating doctor wrote last.
    """

    __tablename__ = "encounters"
    __table_args__ = (
        CheckConstraint("(status in ('finished', 'cancelled')) = (ended_at is not null)", name="ended"),
        CheckConstraint("(ended_at is null) = (ending is null)", name="how_ended"),
        CheckConstraint("missed >= 0 and events >= 0", name="counts"),
        Index(
            "ix_encounters_line",
            "practitioner_id",
            "turn",
            postgresql_where=text("status in ('arrived', 'in-progress')"),
        ),
        Index(
            "ix_encounters_open",
            "department_id",
            "status",
            postgresql_where=text("status in ('planned', 'arrived', 'in-progress')"),
        ),
        Index(
            "ix_encounters_written",
            "practitioner_id",
            "reply_by",
            postgresql_where=text("kind = 'text' and status = 'in-progress'"),
        ),
        CheckConstraint("written_at is null or kind = 'text'", name="written"),
        CheckConstraint("written_at is not null or (reply_by is null and answered_at is null)", name="answer"),
        Index(None, "patient_id", "id"),
    )
    MOVES: ClassVar[Mapping[EncounterStatus, frozenset[EncounterStatus]]] = {
        EncounterStatus.PLANNED: frozenset(
            {EncounterStatus.ARRIVED, EncounterStatus.IN_PROGRESS, EncounterStatus.CANCELLED}
        ),
        EncounterStatus.ARRIVED: frozenset(
            {EncounterStatus.PLANNED, EncounterStatus.IN_PROGRESS, EncounterStatus.CANCELLED}
        ),
        EncounterStatus.IN_PROGRESS: frozenset(
            {EncounterStatus.ARRIVED, EncounterStatus.FINISHED, EncounterStatus.CANCELLED}
        ),
    }

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), unique=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id"), index=True)
    kind: Mapped[Kind] = mapped_column(stored_enum(Kind, "kind"), default=Kind.VIDEO)
    status: Mapped[EncounterStatus] = mapped_column(
        stored_enum(EncounterStatus, "status"), default=EncounterStatus.PLANNED
    )
    turn: Mapped[int]
    place: Mapped[str | None] = mapped_column(Encrypted("encounters.place"))
    phone: Mapped[str | None] = mapped_column(Encrypted("encounters.phone"))
    arrived_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    missed: Mapped[int] = mapped_column(default=0, server_default="0")
    started_at: Mapped[datetime | None]
    extended_at: Mapped[datetime | None]
    written_at: Mapped[datetime | None]
    reply_by: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ending: Mapped[Ending | None] = mapped_column(stored_enum(Ending, "ending"))
    events: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]


class SeatRole(StrEnum):
    """As what somebody sits in the room."""

    GUARDIAN = "guardian"
    PRACTITIONER = "practitioner"
    SECOND_GUARDIAN = "second-guardian"
    SECOND_PRACTITIONER = "second-practitioner"


class Participant(Base):
    """Somebody invited to the room beside the two sides: it counts from ``agreed_at`` until ``left_at``.

    A second doctor sits there under their own name when the parent has agreed.
    """

    __tablename__ = "encounter_participants"
    __table_args__ = (
        Index(
            "uq_encounter_participants_there",
            "encounter_id",
            "account_id",
            unique=True,
            postgresql_where=text("left_at is null"),
        ),
        CheckConstraint("role in ('second-guardian', 'second-practitioner')", name="invited"),
    )

    id: Mapped[Id]
    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    role: Mapped[SeatRole] = mapped_column(stored_enum(SeatRole, "role"))
    invited_by_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    invited_at: Mapped[datetime]
    agreed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class RoomEvent(Base):
    """Something that happened in a room, numbered within it; streams carry these and are replayed from them.

    ``kind`` is a short word (``status``, ``message``, ``signal``, ``presence``), ``by`` and ``to`` are accounts (``to``
    empty: for everybody in the room), ``data`` holds ids and codes, or a call's signal. Kept until the visit is over.
    """

    __tablename__ = "room_events"
    __table_args__ = (CheckConstraint("n >= 1", name="n"),)

    encounter_id: Mapped[UUID] = mapped_column(ForeignKey("encounters.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    to_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    data: Mapped[Json] = mapped_column(default=dict)
