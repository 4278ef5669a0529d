"""Who may take numbers that are kept back: children the doctor invited to a follow-up, children in controlled areas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.events import FollowupInvited
from booking.models import Appointment, AppointmentStatus, Pool, Schedule
from booking.queries import Offer
from booking.refusals import NotDeclared, NotInvited
from booking.rights_models import AreaDeclaration, FollowupGrant
from config.clock import today
from config.errors import NotFound
from config.ids import new_id
from config.jobs import emit
from config.policy import Policy
from people.access import Viewer, binding_of
from people.audit import record as audit
from people.models import Department, Patient, Practitioner

SEEN = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)


@dataclass(frozen=True)
class Invitation:
    """A doctor's invitation with those whom it joins; ``used``: its number is booked."""

    grant: FollowupGrant
    patient: Patient
    practitioner: Practitioner
    department: Department
    used: bool


def controlled_areas(policy: Policy) -> list[str]:
    """The areas under control measures, as the policy lists them."""
    return [name.strip() for name in re.split(r"[,，、;；]", policy.controlled_areas) if name.strip()]


def require(
    session: Session, pool: Pool, patient_id: UUID, schedule: Schedule, now: datetime, policy: Policy
) -> FollowupGrant | None:
    """The right to a kept-back pool's number: the invitation that will be used up (row locked), or None where none is.

    Raises NotInvited; NotDeclared for areas, and for numbers that are for nobody yet.
    """
    if pool is Pool.FOLLOWUP:
        return _unused(session, patient_id, schedule)
    if pool is Pool.AREA and declared(session, patient_id, now, policy):
        return None
    raise NotDeclared


def may(session: Session, pool: Pool, patient_id: UUID, offer: Offer, now: datetime, policy: Policy) -> bool:
    """Whether a child may have a kept-back pool's number of a period."""
    try:
        require(session, pool, patient_id, offer.schedule, now, policy)
    except (NotInvited, NotDeclared):
        return False
    return True


def _unused(session: Session, patient_id: UUID, schedule: Schedule) -> FollowupGrant:
    found = session.scalar(
        select(FollowupGrant)
        .where(FollowupGrant.patient_id == patient_id, FollowupGrant.until >= schedule.day)
        .where(FollowupGrant.practitioner_id == schedule.practitioner_id)
        .where(FollowupGrant.department_id == schedule.department_id)
        .with_for_update()
    )
    if found is None or _used(session, found):
        raise NotInvited
    return found


def _used(session: Session, grant: FollowupGrant) -> bool:
    if grant.appointment_id is None:
        return False
    return session.get_one(Appointment, grant.appointment_id).status is not AppointmentStatus.CANCELLED


def invite(session: Session, doctor: Practitioner, appointment_id: UUID, now: datetime, policy: Policy) -> None:
    """The doctor invites the child of an own past visit to a follow-up; again: for longer, and once more when used.

    Raises NotFound for a visit that is another doctor's, or that has not been.
    """
    visit = _seen(session, doctor, appointment_id, now)
    give(session, doctor, visit.patient_id, visit.department_id, now, policy)


def give(
    session: Session,
    doctor: Practitioner,
    patient_id: UUID,
    department_id: UUID,
    now: datetime,
    policy: Policy,
    *,
    at_least: int = 0,
) -> None:
    """Invite a child whom the doctor treats, for as many days as the policy says and ``at_least`` so many."""
    until = today(now) + timedelta(days=max(policy.followup_days, at_least))
    fresh = {"until": until, "granted_at": now, "appointment_id": None}
    given: UUID = session.execute(
        insert(FollowupGrant)
        .values(
            id=new_id(),
            patient_id=patient_id,
            practitioner_id=doctor.id,
            department_id=department_id,
            **fresh,
        )
        .on_conflict_do_update(index_elements=["practitioner_id", "department_id", "patient_id"], set_=fresh)
        .returning(FollowupGrant.id)
    ).scalar_one()
    audit(session, "invite-followup", at=now, entity="followup-grant", entity_id=given, account_id=doctor.account_id)
    emit(session, FollowupInvited(grant_id=given))


def withdraw(session: Session, doctor: Practitioner, appointment_id: UUID, now: datetime) -> None:
    """The doctor takes an invitation back; what was booked with it stays. Raises NotFound as ``invite`` does."""
    visit = _seen(session, doctor, appointment_id, now)
    found = session.scalar(
        select(FollowupGrant)
        .where(FollowupGrant.practitioner_id == doctor.id, FollowupGrant.patient_id == visit.patient_id)
        .where(FollowupGrant.department_id == visit.department_id)
        .with_for_update()
    )
    if found is None:
        return
    found.until = min(found.until, today(now) - timedelta(days=1))
    audit(
        session, "withdraw-followup", at=now, entity="followup-grant", entity_id=found.id, account_id=doctor.account_id
    )


def _seen(session: Session, doctor: Practitioner, appointment_id: UUID, now: datetime) -> Appointment:
    found = session.scalar(
        select(Appointment)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .where(Appointment.id == appointment_id, Schedule.practitioner_id == doctor.id)
        .where(Appointment.status.in_(SEEN), Appointment.starts_at <= now)
    )
    if found is None:
        raise NotFound
    return found


def invited(session: Session, doctor: Practitioner, patient_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Which of these children hold an unused invitation of the doctor."""
    rows = session.execute(
        _grants().where(FollowupGrant.practitioner_id == doctor.id, FollowupGrant.patient_id.in_(patient_ids))
    )
    return {row[0].patient_id for row in rows if _is_open(row[0], row[4], now)}


def invitation(session: Session, viewer: Viewer, grant_id: UUID) -> Invitation:
    """An invitation of one of the viewer's children. Raises NotFound for anybody else's."""
    row = session.execute(_grants().where(FollowupGrant.id == grant_id)).one_or_none()
    if row is None:
        raise NotFound
    binding_of(session, viewer, row[0].patient_id)
    return Invitation(row[0], row[1], row[2], row[3], used=_holds(row[0], row[4]))


def _grants() -> Select[FollowupGrant, Patient, Practitioner, Department, AppointmentStatus | None]:
    return (
        select(FollowupGrant, Patient, Practitioner, Department, Appointment.status)
        .join(Patient, Patient.id == FollowupGrant.patient_id)
        .join(Practitioner, Practitioner.id == FollowupGrant.practitioner_id)
        .join(Department, Department.id == FollowupGrant.department_id)
        .outerjoin(Appointment, Appointment.id == FollowupGrant.appointment_id)
    )


def _holds(grant: FollowupGrant, status: AppointmentStatus | None) -> bool:
    return grant.appointment_id is not None and status is not AppointmentStatus.CANCELLED


def _is_open(grant: FollowupGrant, status: AppointmentStatus | None, now: datetime) -> bool:
    return grant.until >= today(now) and not _holds(grant, status)


def declare(
    session: Session, viewer: Viewer, patient_id: UUID, area: str | None, now: datetime, policy: Policy
) -> None:
    """A guardian says in which controlled area a child is; None: in none any more. The last word counts.

    Raises NotFound for a stranger's child, and for an area that the policy does not list.
    """
    binding_of(session, viewer, patient_id)
    for earlier in session.scalars(select(AreaDeclaration).where(_live(now), AreaDeclaration.patient_id == patient_id)):
        earlier.until = now
    if area is not None:
        if area not in controlled_areas(policy):
            raise NotFound
        until = now + timedelta(days=policy.area_days)
        session.add(
            AreaDeclaration(
                patient_id=patient_id, account_id=viewer.account_id, area=area, declared_at=now, until=until
            )
        )
    audit(
        session, "declare-area", at=now, entity="patient", entity_id=patient_id, account_id=viewer.account_id,
        said="none" if area is None else "area",
    )  # fmt: skip


def declared(session: Session, patient_id: UUID, now: datetime, policy: Policy) -> AreaDeclaration | None:
    """The guardian's word that holds now, for an area that is still under control measures."""
    return session.scalar(
        select(AreaDeclaration)
        .where(_live(now), AreaDeclaration.patient_id == patient_id)
        .where(AreaDeclaration.area.in_(controlled_areas(policy)))
        .order_by(AreaDeclaration.id.desc())
        .limit(1)
    )


def _live(now: datetime) -> ColumnElement[bool]:
    return AreaDeclaration.until > now
