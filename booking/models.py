"""The tables of booking: a roster is cut into schedules, a schedule into numbers; an appointment takes a number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, Json, one_of, stored_enum
from config.states import Stateful

_enum = partial(stored_enum, checked=False)


class Period(StrEnum):
    """The two appointment periods of a day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


class ClinicType(StrEnum):
    """What a clinic is called and priced as (普通, 专家, 特需)."""

    ORDINARY = "ordinary"
    EXPERT = "expert"
    SPECIAL = "special"


class ScheduleStatus(StrEnum):
    """A schedule takes bookings, or the clinic is stopped (停诊)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Schedule(Stateful):
    """One doctor's period on one day, with one row in ``slots`` per number.

    ``delay_minutes``: how much later than planned the doctor is; ``delay_told`` is what parents were told of it.
    ``stands_in_for_id``: whom the doctor replaces. ``stop_id``: what stopped it.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("practitioner_id", "day", "period"),
        UniqueConstraint("id", "department_id", "day"),  # for the appointments' key
        Index(None, "department_id", "day", "period"),
        CheckConstraint("fee_fen >= 0", name="fee_fen"),
        CheckConstraint("delay_minutes between 0 and 720", name="delay_minutes"),
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
    clinic_type: Mapped[ClinicType] = mapped_column(stored_enum(ClinicType, "clinic_type"), default=ClinicType.ORDINARY)
    status: Mapped[ScheduleStatus] = mapped_column(stored_enum(ScheduleStatus, "status"), default=ScheduleStatus.ACTIVE)
    delay_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    delay_told: Mapped[int] = mapped_column(default=0, server_default="0")
    stands_in_for_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    stop_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinic_stops.id"), index=True)

    @property
    def delay(self) -> timedelta:
        """How much later than planned everything is."""
        return timedelta(minutes=self.delay_minutes)

    @property
    def over_at(self) -> datetime:
        """When the period ends, the delay included."""
        return self.ends_at + self.delay


class SlotStatus(StrEnum):
    """FHIR R4 SlotStatus: free, held while unpaid, taken."""

    FREE = "free"
    BUSY_TENTATIVE = "busy-tentative"
    BUSY = "busy"


class Pool(StrEnum):
    """For whom a number is: everybody; everybody, later on the day of its release; whom the doctor invited to a
    follow-up; children in areas under control measures. ``withdrawn``: taken out of sale, and kept only because an old
    appointment refers to it."""

    OPEN = "open"
    LATER = "later"
    FOLLOWUP = "followup"
    AREA = "area"
    WITHDRAWN = "withdrawn"


class Slot(Base):
    """One number (号源) of a schedule and the time at which its child is expected.

    ``status`` is set by the statement that inserts the appointment and cleared by the one that ends it.
    ``kept_until``: given back, and busy until then so that nobody can pass it on.
    """

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("schedule_id", "number"),
        Index("ix_slots_free", "schedule_id", "pool", "number", postgresql_where=text("status = 'free'")),
        Index("ix_slots_pool", "pool", "schedule_id", postgresql_where=text("status = 'free' and pool <> 'open'")),
        Index("ix_slots_kept", "kept_until", postgresql_where=text("kept_until is not null")),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint(one_of("pool", Pool), name="pool"),
        CheckConstraint(one_of("status", SlotStatus), name="status"),
    )

    id: Mapped[Id]
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id"))
    number: Mapped[int]
    starts_at: Mapped[datetime]
    pool: Mapped[Pool] = mapped_column(_enum(Pool, "pool"), default=Pool.OPEN, server_default="open")
    status: Mapped[SlotStatus] = mapped_column(_enum(SlotStatus, "status"), default=SlotStatus.FREE)
    kept_until: Mapped[datetime | None]


class AppointmentStatus(StrEnum):
    """FHIR R4 AppointmentStatus, as far as the clinic uses it."""

    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"


class Why(StrEnum):
    """Why an appointment ended before its visit (kept as ``cancel_reason``)."""

    PARENT = "parent"
    UNPAID = "unpaid"
    DECLINED = "declined"
    LAPSED = "lapsed"
    RESCHEDULED = "rescheduled"
    WORSENED = "worsened"
    TRIAGE = "triage"
    TECHNICAL = "technical"
    DELAYED = "delayed"
    REPLACED = "replaced"
    SUSPENDED = "suspended"
    CONFLICT = "conflict"
    NOT_FOLLOWUP = "no-followup"
    IDENTITY = "identity"
    GUARDIAN_ABSENT = "no-guardian"
    UNANSWERED = "unanswered"


HOLDING = (
    AppointmentStatus.PENDING,
    AppointmentStatus.BOOKED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.FULFILLED,
    AppointmentStatus.NOSHOW,
)
CHILD_DAY_INDEX = "uq_appointments_child_day"
COMING = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)
_HOLDS = "status in ({})".format(", ".join(f"'{status}'" for status in HOLDING))
_ALONE = f"{_HOLDS} and (status <> 'pending' or replaces_id is null)"  # a held change stands beside what it replaces


class Appointment(Stateful):
    """A child's number with a doctor. The partial unique indexes are the last word: one per number; one per child,
    department and day. ``remind_*_at`` are deadlines that a sweep looks at; empty when done or not wanted.

    ``hold_until``: until when a pending number waits for its payment (``payment_id``) or for a yes. ``replaces_id``:
    the appointment that ends when this one is booked. ``evidence``: the earlier visit in person that the booking rests
    on (``department``, ``on``; empty: none was needed); ``screen_id``: the answers on how the child was. ``final_at``:
    until when the doctor can take back that the child came, or did not; after it the money is earned and a miss counts,
    unless it was excused (``excused_at``).
    ``department_id`` and ``day`` are the schedule's, by its key: a booking locks no department's row, which families of
    all its doctors would share.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        Index("uq_appointments_slot", "slot_id", unique=True, postgresql_where=text(_HOLDS)),
        Index(
            CHILD_DAY_INDEX,
            "patient_id",
            "department_id",
            "day",
            unique=True,
            postgresql_where=text(_ALONE),
        ),
        Index("ix_appointments_final", "final_at", postgresql_where=text("final_at is not null")),
        Index("ix_appointments_hold", "hold_until", postgresql_where=text("hold_until is not null")),
        CheckConstraint("fee_fen >= 0", name="fee_fen"),
        CheckConstraint("(status = 'pending') = (hold_until is not null)", name="hold_until"),
        CheckConstraint(one_of("status", AppointmentStatus), name="status"),
        CheckConstraint(one_of("cancel_reason", Why), name="cancel_reason"),
        Index("uq_appointments_payment", "payment_id", unique=True, postgresql_where=text("payment_id is not null")),
        ForeignKeyConstraint(
            ["schedule_id", "department_id", "day"],
            ["schedules.id", "schedules.department_id", "schedules.day"],
        ),
        Index("ix_appointments_replaces", "replaces_id", postgresql_where=text("replaces_id is not null")),
        Index("ix_appointments_listed", "status", "starts_at", "id"),
        Index("ix_appointments_of_department", "department_id", "status", "starts_at", "id"),
        Index(None, "account_id", "starts_at"),
        Index(None, "patient_id", "starts_at"),
        Index(None, "schedule_id", "starts_at"),
        Index("ix_appointments_remind_day", "remind_day_at", postgresql_where=text("remind_day_at is not null")),
        Index("ix_appointments_remind_soon", "remind_soon_at", postgresql_where=text("remind_soon_at is not null")),
    )
    MOVES: ClassVar[Mapping[AppointmentStatus, frozenset[AppointmentStatus]]] = {
        AppointmentStatus.PENDING: frozenset({AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED}),
        AppointmentStatus.BOOKED: frozenset(
            {AppointmentStatus.ARRIVED, AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW}
        ),
        AppointmentStatus.ARRIVED: frozenset(
            {AppointmentStatus.FULFILLED, AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW}
        ),
        AppointmentStatus.FULFILLED: frozenset({AppointmentStatus.BOOKED}),  # the doctor's mark taken back
        AppointmentStatus.NOSHOW: frozenset({AppointmentStatus.BOOKED}),
    }

    id: Mapped[Id]
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slots.id"), index=True)
    schedule_id: Mapped[UUID]
    department_id: Mapped[UUID]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    day: Mapped[date]
    number: Mapped[int]
    starts_at: Mapped[datetime]
    fee_fen: Mapped[int]
    status: Mapped[AppointmentStatus] = mapped_column(_enum(AppointmentStatus, "status"))
    hold_until: Mapped[datetime | None]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"))
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))
    evidence: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    screen_id: Mapped[UUID | None] = mapped_column(ForeignKey("screen_results.id"), index=True)
    cancel_reason: Mapped[Why | None] = mapped_column(_enum(Why, "cancel_reason"))
    booked_at: Mapped[datetime]
    remind_day_at: Mapped[datetime | None]
    remind_soon_at: Mapped[datetime | None]
    final_at: Mapped[datetime | None]
    excused_at: Mapped[datetime | None]

    @property
    def unanswered(self) -> bool:
        """Whether it is held for a yes, and nothing is to be paid yet: an offer."""
        return self.status is AppointmentStatus.PENDING and self.payment_id is None
