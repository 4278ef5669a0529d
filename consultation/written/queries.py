"""Reads about visits in writing. Who may look is asked before: a seat, or the doctor's own list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from booking.models import Appointment
from booking.queries import Visit
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Kind
from consultation.encounters.rooms import GUARDIANS
from consultation.intake.queries import told
from consultation.intake.questionnaire import BrokenQuestionnaire
from consultation.line.queries import Row
from consultation.talk.models import Message
from people.models import Patient

OPEN = (Encounter.kind == Kind.TEXT) & (Encounter.status == EncounterStatus.IN_PROGRESS)


def rows(session: Session, practitioner_id: UUID) -> list[Row]:
    """The doctor's open visits in writing: what is to be answered first comes first, the answered ones last."""
    found = session.execute(
        select(Encounter, Appointment, Patient)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(Encounter.practitioner_id == practitioner_id, OPEN)
        .order_by(Encounter.reply_by.nulls_last(), Encounter.id)
    )
    return [Row(*row) for row in found]


def of(session: Session, appointment_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these visits are held in writing."""
    found = select(Encounter.appointment_id).where(
        Encounter.appointment_id.in_(appointment_ids), Encounter.kind == Kind.TEXT
    )
    return frozenset(session.scalars(found))


def left(session: Session, encounter: Encounter, policy: Policy) -> int:
    """How many messages the family has left."""
    written = select(func.count()).where(
        Message.encounter_id == encounter.id,
        Message.role.in_(GUARDIANS),
        Message.sent_at >= encounter.written_at,
    )
    return max(0, policy.text_messages - (session.scalar(written) or 0))


def told_all(session: Session, visit: Visit, now: datetime, policy: Policy) -> bool:
    """Whether the family has told of the child; questions that can't be read ask nothing."""
    try:
        return told(session, visit, now, policy).done
    except BrokenQuestionnaire:
        return True


def due(session: Session, department_id: UUID, now: datetime, policy: Policy) -> Sequence[UUID]:
    """The encounters of a department whose answer is overdue, or in which nothing has been said for long."""
    silent = and_(Encounter.reply_by.is_(None), Encounter.answered_at <= now - timedelta(hours=policy.text_idle_hours))
    found = select(Encounter.id).where(Encounter.department_id == department_id, OPEN)
    return session.scalars(found.where(or_(Encounter.reply_by <= now, silent)).order_by(Encounter.id)).all()
