"""The family tells about the child before a visit: every save is a version, what was typed stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Appointment, AppointmentStatus
from booking.queries import Visit
from config.policy import Policy
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import known
from consultation.intake import queries
from consultation.intake.answers import MOST, PARTS, ROWS, Reading, read
from consultation.intake.models import QuestionnaireResponse, ResponseStatus, WeightObservation, sealed
from consultation.intake.queries import Told
from consultation.intake.questionnaire import Item, intake
from consultation.intake.refusals import IntakeClosed, IntakeIncomplete
from people.audit import record as audit

OPEN = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)
BEFORE_CALL = (EncounterStatus.PLANNED, EncounterStatus.ARRIVED)


def is_open(session: Session, visit: Visit, now: datetime) -> bool:
    """Whether the family can tell or change something: until the doctor calls, or the period ends without a visit."""
    encounter = known(session, visit.appointment.id)
    if visit.appointment.status not in OPEN:
        return False
    if encounter is None:
        return visit.schedule.over_at > now
    arrived = encounter.status is EncounterStatus.ARRIVED
    return encounter.status in BEFORE_CALL and (arrived or visit.schedule.over_at > now)


def save(
    session: Session, visit: Visit, account_id: UUID, step: Item, sent: Mapping[str, Sequence[str]], now: datetime,
    policy: Policy,
) -> Told:  # fmt: skip
    """Keep one step as it was typed (``visit`` from booking.queries, which asked access), the others stay as they were.

    What did not change makes no new version. Raises IntakeClosed.
    """
    told = _locked(session, visit, now, policy)
    typed = {name: list(texts) for name, texts in told.typed.items() if not _of(step, name)}
    typed |= {
        name: [text[:MOST] for text in texts][:20] for name, texts in sent.items() if _of(step, name) and any(texts)
    }
    if told.response and typed == told.typed and told.response.appointment_id == visit.appointment.id:
        return told
    status = ResponseStatus.AMENDED if told.done else ResponseStatus.IN_PROGRESS
    return _kept(session, visit, account_id, typed, status, now, policy)


def complete(session: Session, visit: Visit, account_id: UUID, now: datetime, policy: Policy) -> Told:
    """The family says that this is all. Raises IntakeClosed, IntakeIncomplete (``missing``: the questions' ids)."""
    told = _locked(session, visit, now, policy)
    if told.reading.missing or told.reading.problems:
        raise IntakeIncomplete
    if told.done and told.response and told.response.appointment_id == visit.appointment.id:
        return told
    status = ResponseStatus.AMENDED if told.done else ResponseStatus.COMPLETED
    audit(session, "intake", at=now, entity="appointment", entity_id=visit.appointment.id, account_id=account_id)
    return _kept(session, visit, account_id, told.typed, status, now, policy)


def _locked(session: Session, visit: Visit, now: datetime, policy: Policy) -> Told:
    """What was told; nobody else saves before this transaction ends. Raises IntakeClosed."""
    session.scalars(
        select(Appointment).where(Appointment.id == visit.appointment.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()
    if not is_open(session, visit, now):
        raise IntakeClosed
    return queries.told(session, visit, now, policy)


def _of(step: Item, name: str) -> bool:
    """Whether a field belongs to the step: a question, one of its few rows, or a part of a weight."""
    first, dot, rest = name.partition(".")
    if dot and rest not in PARTS and not (rest.isdecimal() and int(rest) < ROWS):
        return False
    return any(first in {item.linkId, *(row.linkId for row in item.item)} for item in step.item)


def _kept(
    session: Session, visit: Visit, account_id: UUID, typed: Mapping[str, Sequence[str]], status: ResponseStatus,
    now: datetime, policy: Policy,
) -> Told:  # fmt: skip
    questions = intake()
    before = queries.weight_before(session, visit)
    reading = read(questions, typed, queries.about_visit(visit, before, now, policy))
    made = [version.version for version in queries.versions(session, visit.appointment.id)]
    session.add(
        QuestionnaireResponse(
            appointment_id=visit.appointment.id,
            patient_id=visit.patient.id,
            account_id=account_id,
            version=max(made, default=0) + 1,
            questionnaire=questions.linkId,
            questionnaire_version=questions.version,
            status=status,
            content=sealed(typed, reading.answers),
            at=now,
        )
    )
    _weigh(session, visit, account_id, reading, now)
    session.flush()
    return queries.told(session, visit, now, policy)


def _weigh(session: Session, visit: Visit, account_id: UUID, reading: Reading, now: datetime) -> None:
    """One weight per visit: a slip that is put right leaves nothing behind but the versions of the answers."""
    held = select(WeightObservation).where(WeightObservation.appointment_id == visit.appointment.id)
    kept, given = session.scalar(held), reading.answers.get("weight")
    if given is None:
        if kept:
            session.delete(kept)
        return
    if kept is None:
        kept = WeightObservation(patient_id=visit.patient.id, appointment_id=visit.appointment.id)
        session.add(kept)
    kept.account_id, kept.at = account_id, now
    kept.grams, kept.measured_on = str(given["grams"]), date.fromisoformat(given["on"])
    kept.confirmed = given["confirmed"]
