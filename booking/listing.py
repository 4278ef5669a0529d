"""Appointments for the administration: a list in pages that never counts or skips, one visit, and a child's latest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from booking.models import COMING, Appointment, AppointmentStatus, Schedule
from booking.queries import OVER_AT, Visit, whole_visits
from config.clock import at, today
from config.errors import NotFound
from config.states import StatusChange
from people.access import Member, leads

PAGE = 50
Place = tuple[datetime, UUID]  # of a visit in the list: the page after it begins there


@dataclass(frozen=True)
class Wanted:
    """Which appointments: of a day, a department, one of its doctors, a child, in one state; None is any."""

    day: date | None = None
    department_id: UUID | None = None
    practitioner_id: UUID | None = None
    patient_id: UUID | None = None
    status: AppointmentStatus | None = None


@dataclass(frozen=True)
class Listed:
    """One page, the latest visit first, and where the next page begins (None: this was the last)."""

    visits: list[Visit]
    next: Place | None


@dataclass(frozen=True)
class Around:
    """A child's next visit to come, and the latest one that is over or was cancelled."""

    next: Visit | None
    last: Visit | None


_LATEST = (Appointment.starts_at.desc(), Appointment.id.desc())


def listed(session: Session, wanted: Wanted, after: Place | None = None, limit: int = PAGE) -> Listed:
    """The appointments wanted, after one place of the list. The caller has asked whether the viewer may."""
    narrow = _narrow(wanted, after)
    if wanted.patient_id or (wanted.practitioner_id and wanted.status not in COMING):
        ids = _of_one(wanted, narrow, after).limit(limit + 1)
    else:
        ids = _by_status(wanted, narrow, limit + 1)
    rows = session.execute(whole_visits().where(Appointment.id.in_(ids)).order_by(*_LATEST)).all()
    page = [Visit(*row) for row in rows[:limit]]
    last = page[-1].appointment if len(rows) > limit else None
    return Listed(page, (last.starts_at, last.id) if last else None)


def _narrow(wanted: Wanted, after: Place | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.day:
        first, next_day = at(wanted.day, time()), at(wanted.day + timedelta(days=1), time())
        conditions += [Appointment.starts_at >= first, Appointment.starts_at < next_day]
    if wanted.department_id:
        conditions.append(Appointment.department_id == wanted.department_id)
    if after:
        conditions.append(tuple_(Appointment.starts_at, Appointment.id) < tuple_(*after))
    return conditions


def _of_one(wanted: Wanted, narrow: list[ColumnElement[bool]], after: Place | None) -> Select[UUID]:
    """A child's own, or a doctor's, day by day backwards over the doctor's schedules."""
    query = select(Appointment.id).where(*narrow)
    if wanted.status:
        query = query.where(Appointment.status == wanted.status)
    if wanted.patient_id:
        query = query.where(Appointment.patient_id == wanted.patient_id)
    if wanted.practitioner_id is None:
        return query.order_by(*_LATEST)
    last = today(after[0]) if after else date.max
    query = query.join(Schedule, Schedule.id == Appointment.schedule_id).where(
        Schedule.practitioner_id == wanted.practitioner_id, Schedule.day <= min(last, wanted.day or last)
    )
    if wanted.day:
        query = query.where(Schedule.day >= wanted.day)
    return query.order_by(Schedule.day.desc(), *_LATEST)


def _by_status(wanted: Wanted, narrow: list[ColumnElement[bool]], limit: int) -> Select[UUID]:
    """A branch per state, as each is a range of an index: one that is rare is found as quickly. So are a doctor's
    visits to come, which are few among those of all years."""
    found = select(Appointment.id, Appointment.starts_at).where(*narrow).order_by(*_LATEST).limit(limit)
    if wanted.practitioner_id:
        found = found.join(Schedule, Schedule.id == Appointment.schedule_id)
        found = found.where(Schedule.practitioner_id == wanted.practitioner_id)
    statuses = [wanted.status] if wanted.status else AppointmentStatus
    branches = [select(found.where(Appointment.status == status).subquery()) for status in statuses]
    latest = union_all(*branches).subquery()
    return select(latest.c.id).order_by(latest.c.starts_at.desc(), latest.c.id.desc()).limit(limit)


def led_visit(session: Session, member: Member, appointment_id: UUID) -> Visit:
    """One visit in a department that the member leads. Raises NotFound for any other."""
    row = session.execute(whole_visits().where(Appointment.id == appointment_id)).one_or_none()
    if row is None or not leads(member, row[0].department_id):
        raise NotFound
    return Visit(*row)


def moves(session: Session, appointment_id: UUID) -> Sequence[StatusChange]:
    """What became of an appointment, in order."""
    history = select(StatusChange).where(StatusChange.thing_id == appointment_id)
    return session.scalars(history.order_by(StatusChange.id)).all()


def around(session: Session, patient_ids: Collection[UUID], now: datetime) -> dict[UUID, Around]:
    """Each child's next and last visit."""
    coming = Appointment.status.in_(COMING) & (now < OVER_AT)
    of_these = whole_visits().where(Appointment.patient_id.in_(patient_ids)).ext(distinct_on(Appointment.patient_id))
    following = of_these.where(coming).order_by(Appointment.patient_id, Appointment.starts_at, Appointment.id)
    before = of_these.where(~coming).order_by(Appointment.patient_id, *_LATEST)
    nexts, lasts = (
        {visit.patient.id: visit for visit in (Visit(*row) for row in session.execute(query))}
        for query in (following, before)
    )
    return {child: Around(nexts.get(child), lasts.get(child)) for child in patient_ids}
