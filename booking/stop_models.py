"""The table of stopped clinics (停诊): what was stopped, by whom and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from booking.models import Period
from config.database import Id, stored_enum
from config.states import Stateful
from config.text import N_

NOTE = 200  # the most characters of the note


class StopStatus(StrEnum):
    """Looked at only; being carried out; carried out; taken back."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    LIFTED = "lifted"


class StopReason(StrEnum):
    """Why a clinic is stopped, as parents may read it."""

    DOCTOR = "doctor"
    DUTY = "duty"
    TECHNICAL = "technical"
    CONTROL = "control"
    CLOSED = "closed"
    OTHER = "other"


# At most 20 characters each, in both languages: they stand in a message's ``thing``.
REASON_TEXTS: Mapping[StopReason, str] = {
    StopReason.DOCTOR: N_("Doctor can't come"),
    StopReason.DUTY: N_("Called to other duty"),
    StopReason.TECHNICAL: N_("Technical trouble"),
    StopReason.CONTROL: N_("Infection control"),
    StopReason.CLOSED: N_("Hospital is closed"),
    StopReason.OTHER: N_("Other reasons"),
}


class ClinicStop(Stateful):
    """A span of periods without clinic: of one doctor, or of the whole department when ``practitioner_id`` is empty.

    ``note`` is for the staff alone. ``periods`` is how many there were to stop when it was confirmed; periods that the
    roster adds to the span later are stopped, too.
    """

    __tablename__ = "clinic_stops"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days"),
        Index(None, "department_id", "id"),
        Index(None, "last_day"),
    )
    MOVES: ClassVar[Mapping[StopStatus, frozenset[StopStatus]]] = {
        StopStatus.PLANNED: frozenset({StopStatus.RUNNING}),
        StopStatus.RUNNING: frozenset({StopStatus.DONE}),
        StopStatus.DONE: frozenset({StopStatus.LIFTED}),
    }

    id: Mapped[Id]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"))
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    first_day: Mapped[date]
    first_period: Mapped[Period] = mapped_column(stored_enum(Period, "first_period"))
    last_day: Mapped[date]
    last_period: Mapped[Period] = mapped_column(stored_enum(Period, "last_period"))
    reason: Mapped[StopReason] = mapped_column(stored_enum(StopReason, "reason"))
    note: Mapped[str] = mapped_column(String(NOTE), default="")
    author_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    status: Mapped[StopStatus] = mapped_column(stored_enum(StopStatus, "status"), default=StopStatus.PLANNED)
    periods: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
