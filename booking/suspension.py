"""The no-show ladder (爽约): how many missed visits close booking, for whom and for how long; and who is suspended.

A miss counts twice: for the child, and for the account that booked. So a child whose guardians take turns in not coming
is suspended, and so is an account that books for many children and brings none. Each count closes booking only for its
own subject: a grandparent who missed visits of two families' children can't book for a time, while the parents of both
children still can.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, literal, or_, select
from sqlalchemy.orm import Session

from booking.fair_models import Suspension, SuspensionStatus
from booking.models import Appointment, AppointmentStatus, Schedule
from booking.queries import Visit
from booking.refusals import Suspended
from config.clock import at, today
from config.database import UtcDateTime
from config.errors import NotFound
from config.policy import Policy
from people.access import Viewer
from people.models import Department, GuardianStatus, Patient, Practitioner, RelatedPerson

YEAR = timedelta(days=365)
_MOMENT = UtcDateTime()


@dataclass(frozen=True)
class Standing:
    """A suspension with the missed visits behind it, latest first. ``child`` is None when it is an account's."""

    suspension: Suspension
    child: Patient | None
    visits: list[Visit]


def days_closed(missed: int, policy: Policy) -> int | None:
    """For how many days the latest of so many misses within a year closes booking (Beijing unified booking rules)."""
    if missed >= policy.noshow_second:
        return policy.noshow_second_days
    return policy.noshow_first_days if missed == policy.noshow_first else None


def closed_until(now: datetime, days: int) -> datetime:
    """The midnight after so many days."""
    return at(today(now) + timedelta(days=days), time())


def counted(of: ColumnElement[bool], since: datetime, until: datetime) -> ColumnElement[bool]:
    """The misses of a child or an account that count: not to be taken back any more, and not excused."""
    return (
        of
        & (Appointment.status == AppointmentStatus.NOSHOW)
        & Appointment.final_at.is_(None)
        & Appointment.excused_at.is_(None)
        & Appointment.starts_at.between(since, until)
    )


def suspended_until(session: Session, patient_id: UUID, account_id: UUID, now: datetime) -> datetime | None:
    """Until when the child or the account may not book; None: they may."""
    return session.scalar(select(latest_end(literal(patient_id), literal(account_id), literal(now, _MOMENT))))


def latest_end(
    patient_id: ColumnElement[UUID], account_id: ColumnElement[UUID], now: ColumnElement[datetime]
) -> ScalarSelect[datetime]:
    """What ``suspended_until`` says, as part of a statement."""
    return (
        select(func.max(Suspension.until))
        .where(or_(Suspension.patient_id == patient_id, Suspension.account_id == account_id))
        .where(Suspension.until > now, Suspension.status != SuspensionStatus.LIFTED)
        .scalar_subquery()
    )


def check(session: Session, patient_id: UUID, account_id: UUID, now: datetime) -> None:
    """Raises Suspended when the child or the account may not book now."""
    until = suspended_until(session, patient_id, account_id, now)
    if until:
        raise Suspended(until=until)


def mine(session: Session, viewer: Viewer, now: datetime) -> list[Standing]:
    """What concerns the viewer: their account's and their children's suspensions that are in force, or were lifted
    before their time, the latest first."""
    concerned = _concerning(viewer)
    found = session.scalars(
        select(Suspension).where(concerned, Suspension.until > now).order_by(Suspension.until.desc(), Suspension.id)
    ).all()
    return [_standing(session, suspension, viewer) for suspension in found]


def mine_one(session: Session, viewer: Viewer, suspension_id: UUID) -> Standing:
    """One suspension that concerns the viewer. Raises NotFound for anybody else's."""
    found = session.scalar(select(Suspension).where(Suspension.id == suspension_id, _concerning(viewer)))
    if found is None:
        raise NotFound
    return _standing(session, found, viewer)


def one(session: Session, suspension_id: UUID) -> Standing:
    """One suspension, for the staff who decide. Raises NotFound."""
    found = session.get(Suspension, suspension_id)
    if found is None:
        raise NotFound
    return _standing(session, found, None)


def _concerning(viewer: Viewer) -> ColumnElement[bool]:
    return or_(Suspension.account_id == viewer.account_id, Suspension.patient_id.in_(_children(viewer)))


def _children(viewer: Viewer) -> Select[UUID]:
    return select(RelatedPerson.patient_id).where(
        RelatedPerson.account_id == viewer.account_id, RelatedPerson.status == GuardianStatus.ACTIVE
    )


def _standing(session: Session, suspension: Suspension, viewer: Viewer | None) -> Standing:
    child = session.get(Patient, suspension.patient_id) if suspension.patient_id else None
    return Standing(suspension, child, _missed(session, suspension, viewer))


def _missed(session: Session, suspension: Suspension, viewer: Viewer | None) -> list[Visit]:
    """The visits that led to it. A viewer does not see those of a child that is no longer theirs."""
    of = (
        Appointment.patient_id == suspension.patient_id
        if suspension.patient_id
        else Appointment.account_id == suspension.account_id
    )
    query = (
        select(Appointment, Schedule, Practitioner, Department, Patient)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Appointment.department_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(of, Appointment.status == AppointmentStatus.NOSHOW, Appointment.final_at.is_(None))
        .where(Appointment.starts_at.between(suspension.since - YEAR, suspension.since))
        .order_by(Appointment.starts_at.desc())
    )
    if viewer:
        query = query.where(Appointment.patient_id.in_(_children(viewer)))
    return [Visit(*row) for row in session.execute(query)]
