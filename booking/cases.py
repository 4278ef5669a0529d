"""Everything that a booking is judged by, read by one statement: the period, the child, who books and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, func, literal, or_, select, true, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from booking.fairness import DAY, HOUR, Recent
from booking.models import HOLDING, Appointment, AppointmentStatus, Period, Schedule, ScheduleStatus, Why
from booking.screens import good
from booking.suspension import latest_end
from config.database import UtcDateTime
from config.errors import NotFound
from config.hot import Hot, Many
from people.access import Viewer, is_guardian
from people.consents import agreed
from people.index import Visit
from people.looking import visits_from
from people.models import Account, Department, Patient
from people.sessions import COLUMNS, Known, SignIn

PATIENT: ColumnElement[UUID] = bindparam("patient", type_=Uuid())
ACCOUNT: ColumnElement[UUID] = bindparam("account", type_=Uuid())
NOW: ColumnElement[datetime] = bindparam("now", type_=UtcDateTime())
AROUND = literal(timedelta(days=100))  # more than the quarter of a day reaches

_HOUR, _DAY = literal(HOUR), literal(DAY)
_HELD = Appointment.status.in_(HOLDING)


@dataclass(frozen=True)
class Facts:
    """What the rules look at. ``day`` is the visit's; ``visits`` is None when the index has never been asked; the
    counts are of numbers held in the calendar week (from Monday), month and quarter of that day."""

    born: date
    day: date
    department: str
    consented: bool
    visits: tuple[Visit, ...] | None
    suspended_until: datetime | None = None
    in_week: int = 0
    in_month: int = 0
    in_quarter: int = 0
    screen_id: UUID | None = None


class Case(NamedTuple):
    """A child that is to be booked into a period by an account.

    ``active``: the clinic is not stopped. ``guardian``: the account may book for the child. ``held``: the number that
    the child has in that department on that day. ``locale``: the account's. ``recent``: what the account did lately,
    this child included.
    """

    schedule_id: UUID
    patient_id: UUID
    account_id: UUID
    department_id: UUID
    period: Period
    starts_at: datetime
    fee_fen: int
    active: bool
    guardian: bool
    held: UUID | None
    locale: str | None
    facts: Facts
    recent: Recent

    @property
    def own(self) -> bool:
        """Whether the account is an active guardian of the child, and the clinic is not stopped."""
        return self.guardian and self.active


def read(
    session: Session,
    schedule_id: UUID,
    patient_id: UUID,
    account_id: UUID,
    now: datetime,
    instead_of: UUID | None = None,
) -> Case:
    """The case as it stands; ``instead_of`` is an appointment that does not count. Raises NotFound: there is no such
    period or child."""
    given = {"schedule": schedule_id, "patient": patient_id, "account": account_id, "now": now, "but": instead_of}
    for row in READ(session, given):
        return _case(schedule_id, patient_id, account_id, row)
    raise NotFound


def of(session: Session, viewer: Viewer, schedule_id: UUID, patient_id: UUID, now: datetime) -> Case:
    """The viewer's own case. Raises NotFound also for a child whose active guardian the viewer is not, and where the
    clinic is stopped."""
    case = read(session, schedule_id, patient_id, viewer.account_id, now)
    if not case.own:
        raise NotFound
    return case


class Browser(NamedTuple):
    """Who wants a number, by the sign-in of a browser."""

    sign_in_id: UUID
    schedule_id: UUID
    patient_id: UUID


def of_browsers(session: Session, browsers: Sequence[Browser], now: datetime) -> list[tuple[Known, Case] | None]:
    """``read`` for the accounts of these sign-ins, and the sign-ins, of which nothing is judged here. None: there is no
    such sign-in, period or child."""
    asked = [
        {"schedule": one.schedule_id, "patient": one.patient_id, "sign_in": one.sign_in_id, "now": now, "but": None}
        for one in browsers
    ]
    return [
        _with_sign_in(one, *rows) if rows else None
        for one, rows in zip(browsers, READ_OF_BROWSERS(session, asked), strict=True)
    ]


def _with_sign_in(of: Browser, row: tuple[Any, ...]) -> tuple[Known, Case]:
    found = Known.of(row[-len(COLUMNS) :])
    return found, _case(of.schedule_id, of.patient_id, found.account_id, row[: -len(COLUMNS)])


def _case(schedule_id: UUID, patient_id: UUID, account_id: UUID, row: tuple[Any, ...]) -> Case:
    department_id, period, starts_at, fee_fen, active, guardian, held, locale = row[:8]
    day, code, born, seen, seen_at, consented, until, screen_id, in_week, in_month, in_quarter = row[8:19]
    unpaid, given_back, others, last_at = row[19:]
    visits = visits_from(seen, seen_at)
    facts = Facts(born, day, code, consented, visits, until, in_week, in_month, in_quarter, screen_id)
    recent = Recent(unpaid, given_back, others + 1, last_at)
    whose = schedule_id, patient_id, account_id, department_id
    return Case(*whose, Period(period), starts_at, fee_fen, active, guardian, held, locale, facts, recent)


def _statement(given: ColumnElement[UUID] | None) -> Select[Any]:
    """For an account that is given; else for that of a sign-in, whose columns come last."""
    account: ColumnElement[UUID] = SignIn.__table__.c.account_id if given is None else given
    held, lately = _held(), _lately(account)
    asked = (
        select(
            Schedule.department_id,
            Schedule.period,
            Schedule.starts_at,
            Schedule.fee_fen,
            Schedule.status == ScheduleStatus.ACTIVE,
            is_guardian(account, PATIENT),
            held.c.that_day,
            select(Account.locale).where(Account.id == account).scalar_subquery(),
            Schedule.day,
            Department.code,
            Patient.birth_date,
            Patient.seen,
            Patient.seen_at,
            agreed(account),
            latest_end(PATIENT, account, NOW),
            good(PATIENT, NOW),
            *(held.c.in_week, held.c.in_month, held.c.in_quarter),
            *(lately.c.unpaid, lately.c.given_back, lately.c.others, lately.c.last_at),
        )
        .join(Department, Department.id == Schedule.department_id)
        .join(Patient, Patient.id == PATIENT)
        .where(Schedule.id == bindparam("schedule", type_=Uuid()))
    )
    if given is None:
        asked = asked.join(SignIn, SignIn.id == bindparam("sign_in", type_=Uuid())).add_columns(*COLUMNS)
    return asked.join(held, true()).join(lately, true())


def _held() -> LateralFromClause:
    """The numbers that the child holds around the day.

    Whether one is held is asked of what was found: asked while looking for them, PostgreSQL goes through one of the
    indexes of numbers that are held whenever it takes that for a small one, as in the first hours of a clinic.
    """
    that_day = and_(
        _HELD,
        Appointment.department_id == Schedule.department_id,
        Appointment.day == Schedule.day,
        or_(Appointment.status != AppointmentStatus.PENDING, Appointment.replaces_id.is_(None)),
    )
    return (
        select(
            _within("week").label("in_week"),
            _within("month").label("in_month"),
            _within("quarter").label("in_quarter"),
            _first(that_day).label("that_day"),
        )
        .where(Appointment.patient_id == PATIENT)
        .where(Appointment.starts_at.between(Schedule.starts_at - AROUND, Schedule.starts_at + AROUND))
        .where(Appointment.id.is_distinct_from(bindparam("but", type_=Uuid())))
        .lateral("held")
    )


def _first(which: ColumnElement[bool]) -> ColumnElement[UUID]:
    """The id of the one of which that is true."""
    ids: Any = func.array_agg(Appointment.id, type_=ARRAY(Uuid())).filter(which)
    first: ColumnElement[UUID] = type_coerce(ids, ARRAY(Uuid()))[1]
    return first


def _within(unit: str) -> ColumnElement[int]:
    """How many are in the same calendar week (Monday on), month or quarter."""
    same = func.date_trunc(unit, Appointment.day) == func.date_trunc(unit, Schedule.day)
    return func.count().filter(_HELD, same)


def _lately(account: ColumnElement[UUID]) -> LateralFromClause:
    """What the account did within the hour and the day; of other children than this one."""
    hour = Appointment.booked_at > NOW - _HOUR
    held = hour & (Appointment.status == AppointmentStatus.PENDING)
    lapsed = hour & Appointment.cancel_reason.in_((Why.UNPAID, Why.DECLINED))
    given_back = hour & (Appointment.cancel_reason == Why.PARENT)
    return (
        select(
            func.count().filter(held | lapsed).label("unpaid"),
            func.count().filter(given_back).label("given_back"),
            func.count(Appointment.patient_id.distinct()).filter(Appointment.patient_id != PATIENT).label("others"),
            func.max(Appointment.booked_at).label("last_at"),
        )
        .where(Appointment.account_id == account, Appointment.booked_at > NOW - _DAY)
        .where(Appointment.starts_at > NOW - _DAY)  # booked within a day, it starts no earlier: the index's bound
        .lateral("lately")
    )


READ, READ_OF_BROWSERS = Hot(_statement(ACCOUNT)), Many(_statement(None))
