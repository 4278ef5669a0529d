"""Reads about waiting lists. What belongs to a child takes the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from booking.models import Appointment, Schedule
from booking.waiting_models import OPEN, WaitingEntry, WaitingStatus
from config.errors import NotFound
from people.access import Viewer, children_of
from people.models import Department, Patient, Practitioner


@dataclass(frozen=True)
class Wait:
    """A child's place on a list: how many are ``ahead`` of it, and the number that was offered, if one was."""

    entry: WaitingEntry
    schedule: Schedule
    practitioner: Practitioner
    department: Department
    patient: Patient
    appointment: Appointment | None
    ahead: int


def wait_of(session: Session, viewer: Viewer, entry_id: UUID) -> Wait:
    """One place of one of the viewer's children. Raises NotFound for anybody else's."""
    found = _waits().where(WaitingEntry.id == entry_id, WaitingEntry.patient_id.in_(children_of(viewer)))
    row = session.execute(found).one_or_none()
    if row is None:
        raise NotFound
    return Wait(*row)


def waits(session: Session, viewer: Viewer) -> list[Wait]:
    """Where the viewer's children wait: offers first, then by the day of the visit."""
    rows = session.execute(
        _waits()
        .where(WaitingEntry.patient_id.in_(children_of(viewer)), WaitingEntry.status.in_(OPEN))
        .order_by(WaitingEntry.status, Schedule.starts_at, WaitingEntry.id)
    )
    return [Wait(*row) for row in rows]


def wait(session: Session, entry_id: UUID) -> Wait:
    """One place, for the clinic's own messages: no viewer, never for a page."""
    return Wait(*session.execute(_waits().where(WaitingEntry.id == entry_id)).one())


def entry_for(session: Session, appointment_id: UUID) -> UUID | None:
    """The place on a list for which a number was offered."""
    return session.scalar(select(WaitingEntry.id).where(WaitingEntry.appointment_id == appointment_id))


def waiting_counts(session: Session, schedule_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many wait for each of these periods; periods for which nobody does are left out."""
    rows = session.execute(
        select(WaitingEntry.schedule_id, func.count())
        .where(WaitingEntry.schedule_id.in_(schedule_ids), WaitingEntry.status == WaitingStatus.WAITING)
        .group_by(WaitingEntry.schedule_id)
    )
    return {schedule_id: count for schedule_id, count in rows}


def waiting_for(session: Session, schedule_id: UUID, patient_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Which of these children wait for the period or are offered a number of it: child to place."""
    rows = session.execute(
        select(WaitingEntry.patient_id, WaitingEntry.id).where(
            WaitingEntry.schedule_id == schedule_id,
            WaitingEntry.patient_id.in_(patient_ids),
            WaitingEntry.status.in_(OPEN),
        )
    )
    return {patient_id: entry_id for patient_id, entry_id in rows}


def _waits() -> Select[WaitingEntry, Schedule, Practitioner, Department, Patient, Appointment, int]:
    other = aliased(WaitingEntry)
    ahead = select(func.count()).where(
        other.schedule_id == WaitingEntry.schedule_id,
        other.status == WaitingStatus.WAITING,
        other.id < WaitingEntry.id,
    )
    return (
        select(
            WaitingEntry,
            Schedule,
            Practitioner,
            Department,
            Patient,
            Appointment,
            ahead.correlate(WaitingEntry).scalar_subquery(),
        )
        .join(Schedule, Schedule.id == WaitingEntry.schedule_id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .join(Department, Department.id == Schedule.department_id)
        .join(Patient, Patient.id == WaitingEntry.patient_id)
        .outerjoin(Appointment, Appointment.id == WaitingEntry.appointment_id)
    )
