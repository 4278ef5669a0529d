"""The course of a prescription: it begins when the medicine is with the child, and at its end the family is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.clock import at, today
from config.ids import new_id
from config.jobs import emit
from config.policy import Policy, current
from people.access import Viewer
from people.audit import record as audit
from people.models import Department
from prescriptions.after import queries
from prescriptions.after.actions.reminders import lines, start
from prescriptions.after.events import CourseEnded
from prescriptions.after.models import CourseEnd, MedicineReminder, Recovery
from prescriptions.after.refusals import CourseOpen
from prescriptions.after.rules import last_day
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import for_family


def begun(session: Session, prescription_id: UUID, now: datetime) -> None:
    """The medicine is with the child: its days are counted from now, and reminders that were asked for begin. Heard
    twice, it has begun once; one that was withdrawn meanwhile does not begin."""
    found = session.get_one(Prescription, prescription_id, with_for_update=True, populate_existing=True)
    if found.status is not PrescriptionStatus.APPROVED:
        return
    department = session.get_one(Department, found.department_id)
    if not _begin(session, found, now, current(session, now, department.code)):
        return
    course = queries.course(session, prescription_id)
    asked = select(MedicineReminder).where(MedicineReminder.prescription_id == prescription_id)
    for reminder in session.scalars(asked.with_for_update()):
        start(session, reminder, course, now)
    session.flush()


def _begin(session: Session, prescription: Prescription, now: datetime, policy: Policy) -> bool:
    """Write down the course; False if it was there."""
    until = max(last_day(today(now), line.days) for line in lines(session, prescription.id))
    made = insert(CourseEnd).values(
        id=new_id(),
        prescription_id=prescription.id,
        patient_id=prescription.patient_id,
        began_at=now,
        until=until,
        ask_at=at(until + timedelta(days=1), policy.course_asked_at),
    )
    new = made.on_conflict_do_nothing(index_elements=["prescription_id"]).returning(CourseEnd.id)
    return session.scalar(new) is not None


def stopped(session: Session, prescription_id: UUID, now: datetime) -> None:  # noqa: ARG001 - as every verb
    """The prescription is withdrawn: nobody is reminded of it any more, and nobody asked who was not asked yet."""
    mine = MedicineReminder.prescription_id == prescription_id
    for reminder in session.scalars(select(MedicineReminder).where(mine).with_for_update()):
        reminder.active, reminder.next_at = False, None
    open_still = CourseEnd.prescription_id == prescription_id, CourseEnd.asked_at.is_(None)
    session.execute(delete(CourseEnd).where(*open_still, CourseEnd.answer.is_(None)))
    session.flush()


def ask_due(session: Session, now: datetime, limit: int = 200) -> int:
    """Ask the families whose course is over; each once. Returns how many."""
    due = session.scalars(
        select(CourseEnd)
        .where(CourseEnd.ask_at <= now, CourseEnd.asked_at.is_(None))
        .order_by(CourseEnd.ask_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for course in due:
        course.asked_at = now
        emit(session, CourseEnded(course.prescription_id))
    session.flush()
    return len(due)


def answer(session: Session, viewer: Viewer, prescription_id: UUID, how: Recovery, now: datetime) -> CourseEnd:
    """How the child is; a later answer of any guardian counts. Raises NotFound, CourseOpen."""
    for_family(session, viewer, prescription_id)
    found = queries.course(session, prescription_id, lock=True)
    if found is None or found.asked_at is None:
        raise CourseOpen
    found.answer, found.answered_by_id, found.answered_at = how, viewer.account_id, now
    audit(
        session, "answer-course", at=now, entity="prescription", entity_id=prescription_id,
        account_id=viewer.account_id, answer=how.value,
    )  # fmt: skip
    session.flush()
    return found
