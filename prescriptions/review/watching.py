"""The clock of a prescription: a review that is late, a validity that ends soon, one that has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from booking.queries import visit as whole
from config.jobs import emit
from config.policy import current
from people import tasks
from prescriptions.orders.models import MedicineOrder, OrderStatus
from prescriptions.review import asking
from prescriptions.writing.events import PrescriptionExpiring
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import appointment_of
from prescriptions.writing.submitting import cancel

LIMIT = 200
CLOCK = "clinic"


def watch(session: Session, now: datetime) -> int:
    """See to everything that is due. Returns how many prescriptions it was."""
    return _end(session, now) + _alarm(session, now) + _warn(session, now)


def _alarm(session: Session, now: datetime) -> int:
    """A review that nobody has done in time is everybody's again, and the administrators'."""
    late = session.scalars(
        select(Prescription)
        .where(Prescription.status == PrescriptionStatus.IN_REVIEW, Prescription.review_by <= now)
        .limit(LIMIT)
    ).all()
    new = [row for row in late if not tasks.is_open(session, asking.OVERDUE, row.id) and not _alarmed(session, row)]
    for row in new:
        tasks.give_back(session, asking.REVIEW, row.id)
        asking.alarm(session, row, whole(session, appointment_of(session, row)), now)
    return len(new)


def _alarmed(session: Session, row: Prescription) -> bool:
    """Whether the administrators have had this task already, and have done it."""
    had = select(tasks.Task.id).where(tasks.Task.kind == asking.OVERDUE, tasks.Task.subject_id == row.id)
    return session.scalar(had.limit(1)) is not None


def _warn(session: Session, now: datetime) -> int:
    """Doctor and family are told before it ends: nobody has reviewed it, or nobody has ordered it."""
    before = timedelta(minutes=current(session, now).expiry_warning_minutes)
    soon = session.scalars(
        select(Prescription)
        .where(Prescription.status.in_((PrescriptionStatus.IN_REVIEW, PrescriptionStatus.APPROVED)))
        .where(Prescription.valid_until > now, Prescription.valid_until <= now + before)
        .where(Prescription.warned_at.is_(None), ~_ordered())
        .limit(LIMIT)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in soon:
        row.warned_at = now
        emit(session, PrescriptionExpiring(prescription_id=row.id))
    return len(soon)


def _ordered() -> ColumnElement[bool]:
    standing = select(MedicineOrder.id).where(
        MedicineOrder.prescription_id == Prescription.id, MedicineOrder.status != OrderStatus.CANCELLED
    )
    return standing.exists()


def _end(session: Session, now: datetime) -> int:
    """What nobody has reviewed, or nobody has corrected, when its validity ends is over."""
    waiting = (PrescriptionStatus.IN_REVIEW, PrescriptionStatus.REJECTED)
    later = aliased(Prescription)
    replaced = select(later.id).where(later.replaces_id == Prescription.id, later.digest.is_not(None))
    over = session.scalars(
        select(Prescription)
        .where(Prescription.status.in_(waiting), Prescription.valid_until <= now, ~replaced.exists())
        .limit(LIMIT)
        .with_for_update(skip_locked=True, of=Prescription)
        .execution_options(populate_existing=True)
    ).all()
    for row in over:
        cancel(session, row, by=CLOCK, why="not reviewed in time", now=now)
    return len(over)
