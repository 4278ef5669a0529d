"""Another doctor sees the child, under their own name, when the parent agrees."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import COMING, Appointment, Schedule
from config.jobs import emit
from config.nudges import nudge
from config.policy import Policy
from config.states import advance
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind
from consultation.encounters.rooms import happened, line_topic, move
from consultation.line import queries
from consultation.line.actions.ending import finish
from consultation.line.actions.holding import by, hold, hold_line
from consultation.line.events import HandoverAsked
from consultation.line.late import settled
from consultation.line.models import Handover, HandoverStatus
from consultation.line.refusals import DoctorNotThere, HandoverOver, NotWaiting
from consultation.written.events import WrittenAsked
from people import tasks
from people.audit import record as audit
from people.models import Practitioner

Answer = Literal["agree", "wait", "cancel"]
OPEN = (EncounterStatus.ARRIVED, EncounterStatus.IN_PROGRESS)


def offer(session: Session, encounter: Encounter, to_id: UUID, asked_by: Practitioner, now: datetime) -> Handover:
    """Ask the parent whether another doctor may see the child. Who may ask is decided before (the treating doctor, who
    leads the team, the colleague to whom the child was offered). An open question is replaced.

    Raises NotWaiting, DoctorNotThere.
    """
    encounter = hold(session, encounter.id)
    if encounter.status not in OPEN:
        raise NotWaiting
    there = queries.doctors_there(session, encounter.department_id, now, but=encounter.practitioner_id)
    if to_id not in {doctor.id for doctor, _ in there}:
        raise DoctorNotThere(field="practitioner")
    if before := queries.asked(session, encounter):
        if before.to_id == to_id:
            return before
        _answered(before, HandoverStatus.WITHDRAWN, "clinic", now)
        session.flush()
    made = Handover(
        encounter_id=encounter.id,
        from_id=encounter.practitioner_id,
        to_id=to_id,
        asked_by_id=asked_by.id,
        status=HandoverStatus.ASKED,
        asked_at=now,
    )
    session.add(made)
    happened(session, encounter, "handover", now, by=asked_by.account_id, to_doctor=str(to_id))
    nudge(session, line_topic(encounter.practitioner_id))
    emit(session, HandoverAsked(encounter_id=encounter.id, handover_id=made.id))
    _audit(session, "offer-handover", encounter, asked_by.account_id, now, doctor=str(to_id))
    return made


def withdraw(session: Session, encounter: Encounter, account_id: UUID, now: datetime) -> None:
    """The question is taken back. Raises HandoverOver."""
    encounter = hold(session, encounter.id)
    asked = queries.asked(session, encounter)
    if asked is None:
        raise HandoverOver
    _answered(asked, HandoverStatus.WITHDRAWN, by(account_id), now)
    happened(session, encounter, "handover", now, by=account_id)


def answer(
    session: Session,
    encounter: Encounter,
    handover_id: UUID,
    said: Answer,
    account_id: UUID,
    now: datetime,
    policy: Policy,
) -> None:
    """The guardian with the child agrees, would rather wait for their doctor, or cancels with the fee back.

    Raises HandoverOver.
    """
    from_id, asked = encounter.practitioner_id, session.get(Handover, handover_id)
    if asked is None or asked.encounter_id != encounter.id:
        raise HandoverOver
    for line in sorted({from_id, asked.to_id}):
        hold_line(session, line)
    encounter = hold(session, encounter.id)
    session.refresh(asked)
    if asked.status is not HandoverStatus.ASKED or encounter.practitioner_id != from_id:
        raise HandoverOver
    to = HandoverStatus.AGREED if said == "agree" else HandoverStatus.DECLINED
    _answered(asked, to, by(account_id), now)
    if said == "agree":
        _hand_over(session, encounter, asked, by(account_id), now)
    elif said == "cancel":
        finish(session, encounter, Ending.CANCELLED, now, policy, by(account_id))
    else:
        happened(session, encounter, "handover", now, by=account_id)
    _audit(session, "answer-handover", encounter, account_id, now, said=said)


def _hand_over(session: Session, encounter: Encounter, asked: Handover, who: str, now: datetime) -> None:
    encounter.practitioner_id = asked.to_id
    encounter.called_at = encounter.extended_at = None
    if encounter.status is EncounterStatus.IN_PROGRESS and encounter.kind is Kind.VIDEO:
        move(session, encounter, EncounterStatus.ARRIVED, now, by=who, why="handed over")
    happened(session, encounter, "handed-over", now, to_doctor=str(asked.to_id))
    settled(session, encounter, "handed over", now)
    tasks.pass_on(session, [encounter.appointment_id], asked.from_id, asked.to_id)
    _tell_waits(session, encounter, now)
    for line in (asked.from_id, asked.to_id):
        nudge(session, line_topic(line))


def _tell_waits(session: Session, encounter: Encounter, now: datetime) -> None:
    """In writing the new doctor is told of a question that waits for them."""
    if encounter.reply_by and encounter.status is EncounterStatus.IN_PROGRESS:
        emit(session, WrittenAsked(encounter_id=encounter.id, occasion=f"{now:%y%m%d%H%M%S}"))


def _answered(asked: Handover, to: HandoverStatus, who: str, now: datetime) -> None:
    advance(asked, to, by=who, why="hand-over", now=now)
    asked.answered_at = now


def doctor_replaced(session: Session, schedule_id: UUID, from_id: UUID, to_id: UUID, now: datetime) -> None:
    """Somebody stands in for the doctor of a period: who waits there, or writes, waits for them; so do their tasks."""
    writes = (Encounter.kind == Kind.TEXT) & (Encounter.status == EncounterStatus.IN_PROGRESS)
    waiting = select(Encounter.id).where(
        Encounter.schedule_id == schedule_id,
        Encounter.practitioner_id == from_id,
        Encounter.status.in_((EncounterStatus.PLANNED, EncounterStatus.ARRIVED)) | writes,
    )
    elsewhere = select(Encounter.appointment_id).where(
        Encounter.schedule_id == schedule_id, Encounter.practitioner_id != to_id
    )
    for line in sorted({from_id, to_id}):
        hold_line(session, line)
    for encounter_id in session.scalars(waiting.order_by(Encounter.id)).all():
        encounter = hold(session, encounter_id)
        encounter.practitioner_id, encounter.called_at = to_id, None
        happened(session, encounter, "handed-over", now, to_doctor=str(to_id))
        _tell_waits(session, encounter, now)
    theirs = select(Appointment.id).where(
        Appointment.schedule_id == schedule_id, Appointment.status.in_(COMING), Appointment.id.not_in(elsewhere)
    )
    tasks.pass_on(session, session.scalars(theirs).all(), from_id, to_id)
    for line in (from_id, to_id):
        nudge(session, line_topic(line))


def line_changed(session: Session, schedule_id: UUID) -> None:
    """The doctor of a period is late, or less late: who waits looks again."""
    nudge(session, line_topic(session.get_one(Schedule, schedule_id).practitioner_id))


def _audit(
    session: Session, action: str, encounter: Encounter, account_id: UUID | None, now: datetime, **detail: str
) -> None:
    audit(session, action, at=now, entity="encounter", entity_id=encounter.id, account_id=account_id, **detail)
