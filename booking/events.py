"""What has happened to appointments."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class AppointmentBooked(Fact, order="appointment_id"):
    """A child's number was booked: parent and doctor are told."""

    appointment_id: UUID


@dataclass(frozen=True)
class AppointmentCancelled(Fact, order="appointment_id"):
    """An appointment was cancelled (its ``cancel_reason`` says why): parent and doctor are told."""

    appointment_id: UUID


@dataclass(frozen=True)
class AppointmentReminderDue(Fact, order="appointment_id"):
    """It is time to remind; ``when`` is ``day`` (the day before) or ``soon`` (shortly before)."""

    appointment_id: UUID
    when: str
