"""The tables of booking: a roster is cut into schedules, a schedule into numbers; an appointment takes a number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.states import Stateful


class Period(StrEnum):
    """The two appointment periods of a day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


class Roster(Base):
    """A doctor's weekly template (排班): one period of one weekday (0 = Monday), with its quota and fee."""

    __tablename__ = "rosters"
    __table_args__ = (
        CheckConstraint("weekday between 0 and 6", name="weekday"),
        CheckConstraint("quota between 1 and 200", name="quota"),
        CheckConstraint("fee_fen >= 0", name="fee_fen"),
        CheckConstraint("ends > starts", name="hours"),
        UniqueConstraint("practitioner_id", "weekday", "period", "valid_from"),
    )

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    weekday: Mapped[int]
    period: Mapped[Period] = mapped_column(stored_enum(Period, "period"))
    starts: Mapped[time]
    ends: Mapped[time]
    quota: Mapped[int]
    fee_fen: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ScheduleStatus(StrEnum):
    """A schedule takes bookings, or the clinic is stopped (停诊)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Schedule(Stateful):
    """One doctor's period on one day, with one row in ``slots`` per number."""

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("practitioner_id", "day", "period"),
        Index(None, "department_id", "day", "period"),
        CheckConstraint("fee_fen >= 0", name="fee_fen"),
    )
    MOVES: ClassVar[Mapping[ScheduleStatus, frozenset[ScheduleStatus]]] = {
        ScheduleStatus.ACTIVE: frozenset({ScheduleStatus.SUSPENDED}),
        ScheduleStatus.SUSPENDED: frozenset({ScheduleStatus.ACTIVE}),
    }

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"))
    day: Mapped[date]
    period: Mapped[Period] = mapped_column(stored_enum(Period, "period"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    fee_fen: Mapped[int]
    status: Mapped[ScheduleStatus] = mapped_column(stored_enum(ScheduleStatus, "status"), default=ScheduleStatus.ACTIVE)


class SlotStatus(StrEnum):
    """FHIR R4 SlotStatus: free, held while unpaid, taken."""

    FREE = "free"
    BUSY_TENTATIVE = "busy-tentative"
    BUSY = "busy"


class Slot(Base):
    """One number (号源) of a schedule and the time at which its child is expected.

    ``status`` is set by the statement that inserts the appointment and cleared by the one that ends it.
    """

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("schedule_id", "number"),
        Index("ix_slots_free", "schedule_id", "number", postgresql_where=text("status = 'free'")),
        CheckConstraint("number >= 1", name="number"),
    )

    id: Mapped[Id]
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id"))
    number: Mapped[int]
    starts_at: Mapped[datetime]
    status: Mapped[SlotStatus] = mapped_column(stored_enum(SlotStatus, "status"), default=SlotStatus.FREE)


class AppointmentStatus(StrEnum):
    """FHIR R4 AppointmentStatus, as far as the clinic uses it."""

    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    WAITLIST = "waitlist"


HOLDING = (
    AppointmentStatus.PENDING,
    AppointmentStatus.BOOKED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.FULFILLED,
    AppointmentStatus.NOSHOW,
)
COMING = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)
_HOLDS = text("status in ({})".format(", ".join(f"'{status}'" for status in HOLDING)))


class Appointment(Stateful):
    """A child's number with a doctor. The partial unique indexes are the last word: one per number; one per child,
    department and day. ``remind_*_at`` are deadlines that a sweep looks at; empty when done or not wanted."""

    __tablename__ = "appointments"
    __table_args__ = (
        Index("uq_appointments_slot", "slot_id", unique=True, postgresql_where=_HOLDS),
        Index("uq_appointments_child_day", "patient_id", "department_id", "day", unique=True, postgresql_where=_HOLDS),
        Index(None, "account_id", "starts_at"),
        Index(None, "patient_id", "starts_at"),
        Index(None, "schedule_id", "starts_at"),
        Index("ix_appointments_remind_day", "remind_day_at", postgresql_where=text("remind_day_at is not null")),
        Index("ix_appointments_remind_soon", "remind_soon_at", postgresql_where=text("remind_soon_at is not null")),
    )
    MOVES: ClassVar[Mapping[AppointmentStatus, frozenset[AppointmentStatus]]] = {
        AppointmentStatus.WAITLIST: frozenset({AppointmentStatus.PENDING, AppointmentStatus.CANCELLED}),
        AppointmentStatus.PENDING: frozenset({AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED}),
        AppointmentStatus.BOOKED: frozenset(
            {AppointmentStatus.ARRIVED, AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW}
        ),
        AppointmentStatus.ARRIVED: frozenset({AppointmentStatus.FULFILLED, AppointmentStatus.CANCELLED}),
    }

    id: Mapped[Id]
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slots.id"), index=True)
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    day: Mapped[date]
    number: Mapped[int]
    starts_at: Mapped[datetime]
    status: Mapped[AppointmentStatus] = mapped_column(stored_enum(AppointmentStatus, "status"))
    cancel_reason: Mapped[str | None] = mapped_column(String(40))
    booked_at: Mapped[datetime]
    remind_day_at: Mapped[datetime | None]
    remind_soon_at: Mapped[datetime | None]
