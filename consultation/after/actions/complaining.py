"""Complaints: filed with a number and a deadline, looked into and answered by the head of the department, closed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.rosters.calendar import calendar
from config.clock import today
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from config.text import N_
from consultation.after import queries
from consultation.after.events import ComplaintMoved
from consultation.after.library import lists
from consultation.after.models import Complaint, ComplaintStatus
from consultation.after.refusals import AlreadyAnswered, NoText
from consultation.after.rules import REPLY, TEXT, answer_by
from consultation.encounters.rooms import known
from people import tasks
from people.access import Member, Viewer
from people.audit import record as audit
from people.models import Role

LOCK = text("select pg_advisory_xact_lock(hashtext('complaints'))")
TASK = tasks.kind(
    "complaint", title=N_("Answer complaint %(about)s."), path="/desk/feedback/complaints/{id}", there=True
)


def file(
    session: Session, viewer: Viewer, appointment_id: UUID, category: str, words: str, now: datetime, policy: Policy
) -> Complaint:
    """Receive a complaint about a visit, with its number and deadline; while one is open, a second is the same.

    Raises NotFound, also for a category that is not in the list.
    """
    visit, encounter = bookings.visit_of(session, viewer, appointment_id), known(session, appointment_id)
    if lists().category_of(category) is None:
        raise NotFound
    day, n = today(now), _next(session, today(now))
    if before := queries.open_complaint(session, appointment_id):
        return before
    made = Complaint(
        day=day,
        n=n,
        appointment_id=appointment_id,
        account_id=viewer.account_id,
        department_id=visit.department.id,
        practitioner_id=encounter.practitioner_id if encounter else visit.practitioner.id,
        category=category,
        text=words.strip()[:TEXT],
        status=ComplaintStatus.NEW,
        filed_at=now,
        deadline=answer_by(day, policy.complaint_days, calendar(session)),
    )
    _received(session, made, now)
    return made


def _next(session: Session, day: date) -> int:
    """The day's next number; nobody else takes one before this transaction ends."""
    session.execute(LOCK)
    last = session.scalar(select(func.max(Complaint.n)).where(Complaint.day == day))
    return (last or 0) + 1


def _received(session: Session, made: Complaint, now: datetime) -> None:
    """The family is told, and the head of the department has a task; the administrators when it is about the head."""
    session.add(made)
    session.flush()
    _note(session, "file-complaint", made, made.account_id, now)
    emit(session, ComplaintMoved(made.id, str(made.status)))
    heads = (Role.DEPARTMENT_HEAD,)
    role, where = tasks.owner(session, made.department_id, heads, but=made.practitioner_id)
    about = {"zh_CN": made.number, "en": made.number}
    tasks.open(
        session,
        kind=TASK,
        subject_id=made.id,
        about=about,
        role=role,
        department_id=where,
        deadline=made.deadline,
        now=now,
    )


def take(session: Session, member: Member, complaint_id: UUID, now: datetime) -> Complaint:
    """Somebody looks into it: the family sees that. Raises NotFound, AlreadyAnswered."""
    found = queries.complaint_for(session, member, complaint_id, lock=True)
    if found.status is ComplaintStatus.NEW:
        advance(found, ComplaintStatus.IN_PROGRESS, by=_by(member), why="taken", now=now)
        _note(session, "take-complaint", found, member.practitioner.account_id, now)
    elif found.status is not ComplaintStatus.IN_PROGRESS:
        raise AlreadyAnswered
    return found


def reply(session: Session, member: Member, complaint_id: UUID, words: str, now: datetime) -> Complaint:
    """Answer the family. Raises NotFound, AlreadyAnswered, NoText."""
    found = take(session, member, complaint_id, now)
    answer = words.strip()[:REPLY]
    if not answer:
        raise NoText(field="answer")
    found.answer, found.answered_at, found.answered_by_id = answer, now, member.practitioner.id
    advance(found, ComplaintStatus.ANSWERED, by=_by(member), why="answered", now=now)
    tasks.settle(session, TASK, found.id, why="answered", now=now)
    _note(session, "answer-complaint", found, member.practitioner.account_id, now)
    emit(session, ComplaintMoved(found.id, str(found.status)))
    return found


def close(session: Session, member: Member, complaint_id: UUID, now: datetime) -> Complaint:
    """The clinic closes what it has answered. Raises NotFound, also while there is no answer."""
    found = queries.complaint_for(session, member, complaint_id, lock=True)
    _close(session, found, _by(member), member.practitioner.account_id, now)
    return found


def close_by_family(session: Session, viewer: Viewer, complaint_id: UUID, now: datetime) -> Complaint:
    """The family has nothing more to say to the answer. Raises NotFound, also while there is no answer."""
    found, _ = queries.complaint_of(session, viewer, complaint_id, lock=True)
    _close(session, found, f"account:{viewer.account_id}", viewer.account_id, now)
    return found


def _close(session: Session, found: Complaint, by: str, account_id: UUID | None, now: datetime) -> None:
    if found.status is ComplaintStatus.CLOSED:
        return
    if found.status is not ComplaintStatus.ANSWERED:
        raise NotFound
    advance(found, ComplaintStatus.CLOSED, by=by, why="settled", now=now)
    _note(session, "close-complaint", found, account_id, now)


def _by(member: Member) -> str:
    return f"practitioner:{member.practitioner.id}"


def _note(session: Session, action: str, found: Complaint, account_id: UUID | None, now: datetime) -> None:
    audit(session, action, at=now, entity="complaint", entity_id=found.id, account_id=account_id)
