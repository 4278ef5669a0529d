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
    """An appointment ended before its visit (its ``cancel_reason`` says why): the parent is told, and the doctor too if
    it ``was`` booked and not only held."""

    appointment_id: UUID
    was: str = "booked"


@dataclass(frozen=True)
class PaidTooLate(Fact, order="appointment_id"):
    """Money came for a number that was gone already; all of it goes back, and the parent is told."""

    appointment_id: UUID


@dataclass(frozen=True)
class NumberOffered(Fact, order="appointment_id"):
    """A freed number is held for the next on the waiting list: whoever joined is told until when."""

    appointment_id: UUID
    waiting_id: UUID


@dataclass(frozen=True)
class WaitingClosed(Fact, order="waiting_id"):
    """The waiting list ended without a number for this child: whoever joined is told."""

    waiting_id: UUID


@dataclass(frozen=True)
class AppointmentReminderDue(Fact, order="appointment_id"):
    """It is time to remind; ``when`` is ``day`` (the day before) or ``soon`` (shortly before)."""

    appointment_id: UUID
    when: str


@dataclass(frozen=True)
class BookingSuspended(Fact, order="suspension_id"):
    """A child or an account can't be booked for, or book, for a time: those concerned are told."""

    suspension_id: UUID


@dataclass(frozen=True)
class AppealDecided(Fact, order="suspension_id"):
    """An appeal was upheld or the suspension lifted: who appealed is told."""

    suspension_id: UUID


@dataclass(frozen=True)
class ClinicStopped(Fact, order="stop_id"):
    """Somebody stopped a doctor's or a department's clinic: its doctors are told, once each."""

    stop_id: UUID


@dataclass(frozen=True)
class ClinicResumed(Fact, order="stop_id"):
    """A stop was taken back: its doctors are told, once each."""

    stop_id: UUID


@dataclass(frozen=True)
class ScheduleStopped(Fact, order="schedule_id"):
    """A period was stopped: every parent whose appointment ended with it is told."""

    schedule_id: UUID


@dataclass(frozen=True)
class ScheduleResumed(Fact, order="schedule_id"):
    """A stopped period takes place after all: parents who lost their number and have no other are told."""

    schedule_id: UUID
    stop_id: UUID


@dataclass(frozen=True)
class DoctorDelayed(Fact, order="schedule_id"):
    """The doctor comes later than parents were told, or less late: they learn the new time. ``news_id`` tells one
    such piece of news from another."""

    schedule_id: UUID
    news_id: UUID


@dataclass(frozen=True)
class DoctorReplaced(Fact, order="schedule_id"):
    """Another doctor (``to_id``) takes over from ``from_id``: parents and both doctors are told."""

    schedule_id: UUID
    from_id: UUID
    to_id: UUID
    news_id: UUID


@dataclass(frozen=True)
class FollowupInvited(Fact, order="grant_id"):
    """A doctor invited a child to a follow-up: its guardians are told."""

    grant_id: UUID
