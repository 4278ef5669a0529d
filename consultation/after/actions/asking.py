"""The one question about a visit's advice, and its answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy
from config.text import N_
from consultation.after import queries
from consultation.after.events import QuestionAnswered, QuestionAsked
from consultation.after.holding import about, over
from consultation.after.models import AdviceQuestion
from consultation.after.refusals import AlreadyAnswered, AlreadyAsked, NoText, QuestionClosed
from consultation.after.rules import REPLY, TEXT, question_until
from consultation.encounters.models import Encounter, SeatRole
from consultation.encounters.rooms import seat
from people import tasks
from people.access import Viewer
from people.audit import record as audit

TASK = tasks.kind(
    "advice-question",
    title=N_("The family of %(about)s has a question about your advice: answer it."),
    path="/desk/visits/{id}",
    there=True,
)


def ask(
    session: Session, viewer: Viewer, appointment_id: UUID, text: str, now: datetime, policy: Policy
) -> AdviceQuestion:
    """Ask the visit's doctor; the same text sent twice is one question.

    Raises NotFound, NotOver, QuestionClosed, AlreadyAsked.
    """
    visit, encounter, _ = over(session, viewer, appointment_id)
    words = text.strip()[:TEXT]
    if before := queries.question(session, appointment_id):
        if (before.account_id, before.text) == (viewer.account_id, words):
            return before
        raise AlreadyAsked
    until = question_until(encounter, policy)
    if until is None or now >= until:
        raise QuestionClosed(hours=policy.question_hours)
    made = AdviceQuestion(appointment_id=appointment_id, account_id=viewer.account_id, text=words, at=now)
    made.due_at = now + timedelta(hours=policy.question_answer_hours)
    session.add(made)
    session.flush()
    _open_task(session, made, visit, encounter)
    _note(session, "ask-question", made, viewer, now)
    emit(session, QuestionAsked(made.id))
    return made


def _open_task(session: Session, made: AdviceQuestion, visit: Visit, encounter: Encounter) -> None:
    tasks.open(
        session,
        kind=TASK,
        subject_id=made.appointment_id,
        about=about(visit),
        practitioner_id=encounter.practitioner_id,
        deadline=made.due_at,
        now=made.at,
    )


def answer(session: Session, viewer: Viewer, appointment_id: UUID, text: str, now: datetime) -> AdviceQuestion:
    """The treating doctor answers. Raises NotFound for everybody else, NoText, AlreadyAnswered."""
    place = seat(session, viewer, appointment_id)
    found = session.scalar(
        select(AdviceQuestion).where(AdviceQuestion.appointment_id == appointment_id).with_for_update()
    )
    if found is None or place.role is not SeatRole.PRACTITIONER:
        raise NotFound
    words = text.strip()[:REPLY]
    if found.answer is not None:
        raise AlreadyAnswered
    if not words:
        raise NoText(field="answer")
    found.answer, found.answered_at, found.answered_by_id = words, now, place.encounter.practitioner_id
    tasks.settle(session, TASK, appointment_id, why="answered", now=now)
    _note(session, "answer-question", found, viewer, now)
    emit(session, QuestionAnswered(found.id))
    return found


def _note(session: Session, action: str, question: AdviceQuestion, viewer: Viewer, now: datetime) -> None:
    where = question.appointment_id
    audit(session, action, at=now, entity="appointment", entity_id=where, account_id=viewer.account_id)
