"""A pharmacist's question to the doctor about a prescription that waits, and the answer; neither decides anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import visit as whole
from config.errors import NotFound
from config.text import N_
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import Seat
from people import tasks
from people.access import Member
from prescriptions.review.asking import about
from prescriptions.review.refusals import Decided, NothingAsked
from prescriptions.writing.models import Prescription, PrescriptionQuestion, PrescriptionStatus
from prescriptions.writing.queries import appointment_of, found

TEXT = 300  # characters
QUESTION = tasks.kind(
    "prescription-question",
    title=N_("A pharmacist asks about the prescription of %(about)s: answer."),
    path="/desk/visits/{id}#rx",
    there=True,
)


def ask(session: Session, member: Member, prescription_id: UUID, text: str, now: datetime) -> None:
    """Ask the doctor; a task leads there. What waits for an answer is not asked twice. Raises NothingAsked, Decided."""
    row, said = found(session, prescription_id, lock=True), text.strip()[:TEXT]
    if not said:
        raise NothingAsked(field="question")
    if row.status is not PrescriptionStatus.IN_REVIEW:
        raise Decided
    if any(said == one.text and one.answered_at is None for one in asked(session, row.id)):
        return
    session.add(
        PrescriptionQuestion(prescription_id=row.id, asked_by_id=member.practitioner.id, text=said, asked_at=now)
    )
    visit = whole(session, appointment_of(session, row))
    tasks.open(
        session,
        kind=QUESTION,
        subject_id=visit.appointment.id,
        about=about(visit, row),
        practitioner_id=row.practitioner_id,
        deadline=row.review_by or now,
        now=now,
    )


def answer(session: Session, seat: Seat, question_id: UUID, text: str, now: datetime) -> None:
    """The treating doctor answers. Raises NotFound, NothingAsked."""
    question = session.get(PrescriptionQuestion, question_id, with_for_update=True)
    if question is None or seat.role is not SeatRole.PRACTITIONER or question.answered_at:
        raise NotFound
    if session.get_one(Prescription, question.prescription_id).encounter_id != seat.encounter.id:
        raise NotFound
    if not text.strip():
        raise NothingAsked(field="answer")
    question.answer, question.answered_at = text.strip()[:TEXT], now
    session.flush()
    open_ = select(PrescriptionQuestion.id).join(Prescription).where(PrescriptionQuestion.answered_at.is_(None))
    if not session.scalar(open_.where(Prescription.encounter_id == seat.encounter.id).limit(1)):
        tasks.settle(session, QUESTION, seat.encounter.appointment_id, why="answered", now=now)


def asked(session: Session, prescription_id: UUID) -> Sequence[PrescriptionQuestion]:
    """What was asked about a prescription to which the caller was let, oldest first."""
    wanted = select(PrescriptionQuestion).where(PrescriptionQuestion.prescription_id == prescription_id)
    return session.scalars(wanted.order_by(PrescriptionQuestion.id)).all()
