"""Reads about the intake. Visits come from queries that asked access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.admission import Age
from booking.models import Appointment
from booking.queries import Visit
from config.policy import Policy, current
from consultation.intake.answers import About, Reading, read
from consultation.intake.models import QuestionnaireResponse, ResponseStatus, WeightObservation
from consultation.intake.questionnaire import Questionnaire, intake
from consultation.intake.weights import Weight, stale

MOST_CHANGES = 20  # of one visit to another time, that answers are followed through


@dataclass(frozen=True)
class Told:
    """What the family has told of a visit so far: the latest version (None: nothing yet), read as of now; ``before`` is
    the child's latest weight that was not given for this visit."""

    questions: Questionnaire
    response: QuestionnaireResponse | None
    reading: Reading
    about: About
    before: Weight | None

    @property
    def typed(self) -> dict[str, list[str]]:
        """Every field as it was typed."""
        return self.response.typed if self.response else {}

    @property
    def done(self) -> bool:
        """Whether the family has said that this is all."""
        return self.response is not None and self.response.status is not ResponseStatus.IN_PROGRESS


def latest_weight(session: Session, patient_id: UUID) -> Weight | None:
    """The child's weight measured last; None when there is none."""
    found = weights(session, patient_id)
    return found[-1] if found else None


def weight_before(session: Session, visit: Visit) -> Weight | None:
    """The child's latest weight that was not given for this visit."""
    row = session.scalar(
        select(WeightObservation)
        .where(WeightObservation.patient_id == visit.patient.id)
        .where(WeightObservation.appointment_id != visit.appointment.id)
        .order_by(WeightObservation.measured_on.desc(), WeightObservation.at.desc())
        .limit(1)
    )
    return Weight(int(row.grams), row.measured_on) if row else None


def weights(session: Session, patient_id: UUID) -> list[Weight]:
    """Every weight of the child, the oldest first."""
    rows = session.scalars(
        select(WeightObservation)
        .where(WeightObservation.patient_id == patient_id)
        .order_by(WeightObservation.measured_on, WeightObservation.at)
    )
    return [Weight(int(row.grams), row.measured_on) for row in rows]


def response(session: Session, appointment: Appointment) -> QuestionnaireResponse | None:
    """The latest answers for an appointment; when it replaced another and has none, those of the other."""
    held: Appointment | None = appointment
    for _ in range(MOST_CHANGES):
        if held is None:
            return None
        if found := _latest(session, held.id):
            return found
        held = session.get(Appointment, held.replaces_id) if held.replaces_id else None
    return None


def _latest(session: Session, appointment_id: UUID) -> QuestionnaireResponse | None:
    return session.scalar(
        select(QuestionnaireResponse)
        .where(QuestionnaireResponse.appointment_id == appointment_id)
        .order_by(QuestionnaireResponse.version.desc())
        .limit(1)
    )


def versions(session: Session, appointment_id: UUID) -> Sequence[QuestionnaireResponse]:
    """Every version of the answers for an appointment, the oldest first."""
    return session.scalars(
        select(QuestionnaireResponse)
        .where(QuestionnaireResponse.appointment_id == appointment_id)
        .order_by(QuestionnaireResponse.version)
    ).all()


def told(session: Session, visit: Visit, now: datetime, policy: Policy | None = None) -> Told:
    """What the family has told of a visit. Raises BrokenQuestionnaire."""
    questions, found = intake(), response(session, visit.appointment)
    before = weight_before(session, visit)
    about = about_visit(visit, before, now, policy or current(session, now, visit.department.code))
    return Told(questions, found, read(questions, found.typed if found else {}, about), about, before)


def about_visit(visit: Visit, before: Weight | None, now: datetime, policy: Policy) -> About:
    """The child as of the visit's day; infants need a newer weight."""
    patient, day = visit.patient, visit.appointment.day
    age = Age.of(patient.birth_date, day)
    fresh = before is not None and not stale(
        before.measured_on, day, age.months, policy.weight_days, policy.weight_infant_days
    )
    return About(age, patient.sex, patient.birth_date, now, fresh)


def told_all(session: Session, appointments: Sequence[Appointment]) -> frozenset[UUID]:
    """The ids of those appointments whose family has said that it has told all."""
    rows = session.scalars(
        select(QuestionnaireResponse.appointment_id).where(
            QuestionnaireResponse.appointment_id.in_([held.id for held in appointments]),
            QuestionnaireResponse.status != ResponseStatus.IN_PROGRESS,
        )
    )
    own = frozenset(rows)
    carried = [held for held in appointments if held.replaces_id and held.id not in own]
    states = {held.id: found.status for held in carried if (found := response(session, held))}
    return own | {id_ for id_, status in states.items() if status is not ResponseStatus.IN_PROGRESS}
