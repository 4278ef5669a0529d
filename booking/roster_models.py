"""The tables of rosters: weekly templates, what departs from them, the calendar's own days, files waiting for a yes."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from booking.models import ClinicType, Period
from config.database import Base, Id, stored_enum

QUOTA = 200  # the most numbers of a period
FEE_FEN = 1_000_000
REASON = 100  # characters


class OnHolidays(StrEnum):
    """What the public calendar does to a template.

    ``as-workdays``: closed on public holidays, and on a make-up workday (调休) held as on the weekday it makes up for.
    ``closed``: closed on public holidays; make-up workdays change nothing. ``open``: every week alike.
    """

    AS_WORKDAYS = "as-workdays"
    CLOSED = "closed"
    OPEN = "open"


class Roster(Base):
    """A doctor's weekly template (排班): one period of one weekday (0 = Monday), with its quota and fee.

    The last ``later_quota + followup_quota + area_quota`` of the numbers are kept back (booking.models.Pool). Of
    several templates of one weekday and period the one that began last counts.
    """

    __tablename__ = "rosters"
    __table_args__ = (
        CheckConstraint("weekday between 0 and 6", name="weekday"),
        CheckConstraint("quota between 1 and 200", name="quota"),
        CheckConstraint("fee_fen >= 0", name="fee_fen"),
        CheckConstraint("ends > starts", name="hours"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        CheckConstraint(
            "least(later_quota, followup_quota, area_quota) >= 0 "
            "and later_quota + followup_quota + area_quota <= quota",
            name="kept_back",
        ),
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
    clinic_type: Mapped[ClinicType] = mapped_column(stored_enum(ClinicType, "clinic_type"), default=ClinicType.ORDINARY)
    later_quota: Mapped[int] = mapped_column(default=0)
    followup_quota: Mapped[int] = mapped_column(default=0)
    area_quota: Mapped[int] = mapped_column(default=0)
    on_holidays: Mapped[OnHolidays] = mapped_column(
        stored_enum(OnHolidays, "on_holidays"), default=OnHolidays.AS_WORKDAYS
    )
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ExceptionKind(StrEnum):
    """No clinic (请假); a clinic beside the template, or instead of it (加诊); a clinic moved (换班)."""

    LEAVE = "leave"
    EXTRA = "extra"
    SWAP = "swap"


class RosterException(Base):
    """What departs from a doctor's template in one period of one day, until it is revoked.

    An extra clinic has hours, quota and fee. A swap exchanges this clinic with a colleague's of the same period
    (``swap_with_id``: mostly none, the colleague stands in) or with the doctor's own of another day (``swap_day``).
    """

    __tablename__ = "roster_exceptions"
    __table_args__ = (
        CheckConstraint("(kind = 'swap') = (num_nonnulls(swap_with_id, swap_day) = 1)", name="swap"),
        CheckConstraint(
            "(kind = 'extra') = (num_nonnulls(starts, ends, quota, fee_fen, clinic_type) = 5)", name="extra"
        ),
        CheckConstraint("swap_day <> day and swap_with_id <> practitioner_id", name="other"),
        CheckConstraint("quota between 1 and 200", name="quota"),
        CheckConstraint("fee_fen >= 0", name="fee_fen"),
        CheckConstraint("ends > starts", name="hours"),
        Index(
            "uq_roster_exceptions_live",
            "practitioner_id",
            "day",
            "period",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
        Index(None, "practitioner_id", "day"),
        Index(None, "day"),
    )

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    day: Mapped[date]
    period: Mapped[Period] = mapped_column(stored_enum(Period, "period"))
    kind: Mapped[ExceptionKind] = mapped_column(stored_enum(ExceptionKind, "kind"))
    starts: Mapped[time | None]
    ends: Mapped[time | None]
    quota: Mapped[int | None]
    fee_fen: Mapped[int | None]
    clinic_type: Mapped[ClinicType | None] = mapped_column(stored_enum(ClinicType, "clinic_type"))
    swap_with_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    swap_day: Mapped[date | None] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(REASON), default="")
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class DayKind(StrEnum):
    """A public holiday; a workday although it is a weekend (调休), or although the public calendar says holiday."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


class CalendarDay(Base):
    """One day of the hospital's own table, which goes before the public calendar. ``as_weekday``: of a workday, the
    weekday (0 = Monday) it makes up for; empty: its own."""

    __tablename__ = "calendar_days"
    __table_args__ = (
        CheckConstraint("as_weekday between 0 and 6", name="as_weekday"),
        CheckConstraint("kind = 'workday' or as_weekday is null", name="workday"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[DayKind] = mapped_column(stored_enum(DayKind, "kind"))
    as_weekday: Mapped[int | None]


class CalendarYear(Base):
    """A year that the public calendar does not know yet and whose table somebody has said to be complete."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    at: Mapped[datetime]


class RosterFile(Base):
    """A file that was read without a fault and waits for its sender's yes; ``content`` is CSV as exported."""

    __tablename__ = "roster_files"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    what: Mapped[str] = mapped_column(String(12))
    content: Mapped[str]
    created_at: Mapped[datetime]
