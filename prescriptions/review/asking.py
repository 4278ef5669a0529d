"""The tasks around a review: look at it, look why nobody does, correct what was sent back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from booking.queries import Visit
from config import formats
from config.text import CHINESE, ENGLISH, N_
from people import tasks
from people.models import Role
from prescriptions.writing.models import Prescription

REVIEW = tasks.kind(
    "review-prescription", title=N_("Review the prescription of %(about)s."), path="/desk/reviews/{id}", there=True
)
OVERDUE = tasks.kind(
    "review-overdue", title=N_("Nobody has reviewed the prescription of %(about)s: see to a pharmacist."),
    path="/desk/reviews/{id}",
)  # fmt: skip
REJECTED = tasks.kind(
    "prescription-rejected", title=N_("A pharmacist has sent back the prescription of %(about)s: correct it."),
    path="/desk/visits/{id}#rx",
)  # fmt: skip


def about(visit: Visit, row: Prescription) -> dict[str, str]:
    """A masked name and the number, for the list of tasks."""
    name = formats.masked(visit.patient.name)
    return {CHINESE: f"{name}（{row.number}）", ENGLISH: f"{name} ({row.number})"}


def ask(session: Session, row: Prescription, visit: Visit, now: datetime) -> None:
    """The pharmacists are to look at it, by the row's deadline."""
    tasks.open(
        session,
        kind=REVIEW,
        subject_id=row.id,
        about=about(visit, row),
        role=Role.PHARMACIST,
        deadline=row.review_by or now,
        now=now,
    )


def alarm(session: Session, row: Prescription, visit: Visit, now: datetime) -> None:
    """The deadline is over: the administrators are to see to it."""
    tasks.open(
        session,
        kind=OVERDUE,
        subject_id=row.id,
        about=about(visit, row),
        role=Role.ADMINISTRATOR,
        deadline=row.valid_until or now,
        now=now,
    )


def correct(session: Session, row: Prescription, visit: Visit, now: datetime) -> None:
    """The doctor is to correct it while it would still be good."""
    tasks.open(
        session,
        kind=REJECTED,
        subject_id=visit.appointment.id,
        about=about(visit, row),
        practitioner_id=row.practitioner_id,
        deadline=row.valid_until or now,
        now=now,
    )


def settle(session: Session, prescription_id: UUID, why: str, now: datetime) -> None:
    """Nobody has to review it any more."""
    for kind in (REVIEW, OVERDUE):
        tasks.settle(session, kind, prescription_id, why=why, now=now)


def settle_rejected(session: Session, appointment_id: UUID, why: str, now: datetime) -> None:
    """Nobody has to correct it any more."""
    tasks.settle(session, REJECTED, appointment_id, why=why, now=now)
