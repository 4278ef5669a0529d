"""Reads for those who decide over a department's clinics: its periods, and who could stand in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.models import COMING, Appointment, Schedule, Slot
from booking.stop_queries import stop_over
from config.errors import NotFound
from people.access import Member, leads
from people.models import Department, Practitioner, PractitionerRole, Role


@dataclass(frozen=True)
class Clinic:
    """One doctor's period: numbers in all, and children still coming."""

    schedule: Schedule
    practitioner: Practitioner
    department: Department
    total: int
    coming: int
    instead_of: Practitioner | None


def clinics(session: Session, department_id: UUID, day: date) -> list[Clinic]:
    """A department's periods of a day, stopped ones too."""
    ids = select(Schedule.id).where(Schedule.department_id == department_id, Schedule.day == day)
    return _clinics(session, list(session.scalars(ids)))


def clinic_of(session: Session, member: Member, schedule_id: UUID) -> Clinic:
    """A period that the member decides over or that is their own. Raises NotFound."""
    found = _clinics(session, [schedule_id])
    if not found:
        raise NotFound
    schedule = found[0].schedule
    own = schedule.practitioner_id == member.practitioner.id and Role.DOCTOR in member.roles
    if not own and not leads(member, schedule.department_id):
        raise NotFound
    return found[0]


def _clinics(session: Session, ids: list[UUID]) -> list[Clinic]:
    still = (
        select(func.count())
        .where(Appointment.schedule_id == Schedule.id, Appointment.status.in_(COMING))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Schedule, Practitioner, Department, func.count(Slot.id), still)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Schedule.department_id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(Schedule.id.in_(ids))
        .group_by(Schedule.id, Practitioner.id, Department.id)
        .order_by(Schedule.starts_at, Practitioner.code)
    ).all()
    replaced = {row[0].stands_in_for_id for row in rows if row[0].stands_in_for_id}
    people = {p.id: p for p in session.scalars(select(Practitioner).where(Practitioner.id.in_(replaced)))}
    return [
        Clinic(schedule, doctor, where, total, coming, people.get(schedule.stands_in_for_id))
        for schedule, doctor, where, total, coming in rows
    ]


def free_doctors(session: Session, schedule: Schedule) -> list[Practitioner]:
    """The department's doctors who could take a period over: with no period of their own then and not stopped. The
    doctor whom somebody stands in for is one of them."""
    busy = select(Schedule.practitioner_id).where(
        Schedule.day == schedule.day,
        Schedule.period == schedule.period,
        Schedule.practitioner_id.is_distinct_from(schedule.stands_in_for_id),
    )
    doctors = session.scalars(
        select(Practitioner)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role == Role.DOCTOR, Practitioner.active, Practitioner.title.is_not(None))
        .where(Practitioner.department_id == schedule.department_id, Practitioner.id.not_in(busy))
        .order_by(Practitioner.code)
    )
    return [
        doctor
        for doctor in doctors
        if not stop_over(session, schedule.department_id, doctor.id, schedule.day, schedule.period)
    ]
