"""A guardian's wish that something of a child be erased: recorded, a task for the administrators, answered in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.formats import masked
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from config.text import N_
from people import access, tasks
from people.access import Member, Viewer
from people.audit import record as audit
from people.keeping.events import WishAnswered
from people.keeping.models import WORDS, ErasureWish, WishStatus
from people.keeping.refusals import AnswerEmpty, WishEmpty, WishWaits
from people.models import Patient, Role

TASK = tasks.kind(
    "erasure-wish", title=N_("The family of %(about)s wishes to have data erased: answer it."), path="/desk/wishes/{id}"
)


def wish(session: Session, viewer: Viewer, patient_id: UUID, text: str, now: datetime, policy: Policy) -> ErasureWish:
    """Record an active guardian's wish; one at a time. Raises NotFound, WishEmpty, WishWaits."""
    child = access.patient_of(session, viewer, patient_id)
    if not text.strip():
        raise WishEmpty(field="text")
    session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update(key_share=True))
    if any(one.status is WishStatus.OPEN for one in of_mine(session, viewer, patient_id)):
        raise WishWaits(field="text")
    made = ErasureWish(
        patient_id=patient_id,
        account_id=viewer.account_id,
        text=text.strip()[:WORDS],
        status=WishStatus.OPEN,
        asked_at=now,
        deadline=now + timedelta(days=policy.wish_days),
    )
    session.add(made)
    session.flush()
    name = masked(child.name)
    about = {"zh_CN": name, "en": name}
    role = Role.ADMINISTRATOR
    tasks.open(session, kind=TASK, subject_id=made.id, about=about, role=role, deadline=made.deadline, now=now)
    by = viewer.account_id
    audit(session, "erase-ask", at=now, entity="patient", entity_id=patient_id, account_id=by, wish=str(made.id))
    return made


def of_mine(session: Session, viewer: Viewer, patient_id: UUID) -> Sequence[ErasureWish]:
    """An active guardian's own wishes about a child, newest first. Raises NotFound for anybody else."""
    access.binding_of(session, viewer, patient_id)
    mine = select(ErasureWish).where(ErasureWish.patient_id == patient_id, ErasureWish.account_id == viewer.account_id)
    return session.scalars(mine.order_by(ErasureWish.id.desc())).all()


def one(session: Session, wish_id: UUID) -> tuple[ErasureWish, Patient]:
    """A wish and its child, for the administrators. Raises NotFound."""
    found = session.get(ErasureWish, wish_id)
    if found is None:
        raise NotFound
    return found, session.get_one(Patient, found.patient_id)


def waiting(session: Session) -> Sequence[tuple[ErasureWish, Patient]]:
    """The wishes that wait for an answer, the most urgent first."""
    rows = session.execute(
        select(ErasureWish, Patient)
        .join(Patient, Patient.id == ErasureWish.patient_id)
        .where(ErasureWish.status == WishStatus.OPEN)
        .order_by(ErasureWish.deadline)
    )
    return [(row[0], row[1]) for row in rows]


def answer(session: Session, member: Member, wish_id: UUID, text: str, now: datetime) -> None:
    """Answer a wish in words that the family reads; the task is done. Raises NotFound, AnswerEmpty."""
    found = session.scalar(select(ErasureWish).where(ErasureWish.id == wish_id).with_for_update())
    if found is None or found.status is not WishStatus.OPEN:
        raise NotFound
    if not text.strip():
        raise AnswerEmpty(field="answer")
    found.answer, found.answered_at, found.answered_by_id = text.strip()[:WORDS], now, member.practitioner.id
    advance(found, WishStatus.ANSWERED, by=f"practitioner:{member.practitioner.id}", why="answered", now=now)
    tasks.settle(session, TASK, found.id, why="answered", now=now)
    by = member.practitioner.account_id
    audit(
        session, "erase-answer", at=now, entity="patient", entity_id=found.patient_id, account_id=by, wish=str(wish_id)
    )
    emit(session, WishAnswered(found.id, found.account_id))
