"""Reads of the review: the queue, and one prescription with everything that it is judged by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.queries import visit as whole
from config.clock import today
from config.errors import NotFound
from config.policy import Policy
from people.models import Practitioner
from people.tasks import Task, TaskStatus
from prescriptions import queries as facts
from prescriptions.formulary.knowledge import knowledge
from prescriptions.models import MedicationVersion
from prescriptions.review.asking import REVIEW
from prescriptions.rules import Context, Finding, Line, Order, check
from prescriptions.signing.refusals import Damaged
from prescriptions.signing.verifying import Verified, verified
from prescriptions.writing import queries
from prescriptions.writing.models import Prescription, PrescriptionStatus


@dataclass(frozen=True)
class Waiting:
    """One of the queue. ``read`` None: it is not what was signed. ``taken_by``: who looks at it."""

    row: Prescription
    read: Verified | None
    taken_by: UUID | None


@dataclass(frozen=True)
class Dose:
    """A line's dose against the child's weight: milligrams of the main ingredient per kilogram."""

    mg_kg: Fraction | None
    mg_kg_day: Fraction | None


@dataclass(frozen=True)
class Judged:
    """A prescription with what the rules find now."""

    row: Prescription
    visit: Visit
    doctor: Practitioner
    read: Verified
    context: Context
    findings: Sequence[Finding]
    doses: Mapping[int, Dose]
    taken_by: UUID | None

    @property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        """The lines as they were signed."""
        found: Sequence[Mapping[str, Any]] = self.read.content["lines"]
        return found


def queue(session: Session, limit: int = 100) -> list[Waiting]:
    """What waits, the most urgent first."""
    rows = session.scalars(
        select(Prescription)
        .where(Prescription.status == PrescriptionStatus.IN_REVIEW)
        .order_by(Prescription.review_by)
        .limit(limit)
    ).all()
    taken = _taken(session, [row.id for row in rows])
    return [Waiting(row, _read(session, row), taken.get(row.id)) for row in rows]


def _read(session: Session, row: Prescription) -> Verified | None:
    try:
        return verified(session, row)
    except Damaged:
        return None


def _taken(session: Session, ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    found = session.execute(
        select(Task.subject_id, Task.practitioner_id).where(
            Task.kind == REVIEW, Task.subject_id.in_(ids), Task.status == TaskStatus.OPEN
        )
    )
    return {subject: who for subject, who in found}


def judged(session: Session, row: Prescription, now: datetime, policy: Policy, *, verified_only: bool) -> Judged:
    """One signed prescription, checked by the rules as everything is now. Raises Damaged, NotFound for a draft."""
    if row.digest is None:
        raise NotFound
    read = verified(session, row)
    about = whole(session, UUID(read.content["appointment"]))
    context = facts.context(
        session,
        about,
        now,
        policy,
        diagnoses=[one["code"] for one in read.content["conditions"]],
        running=queries.running(session, row.patient_id, today(now), but=row.id),
        verified_only=verified_only,
    )
    lines = _lines(session, row)
    order = Order(tuple(lines), row.emergency, read.content["reasons"])
    taken = _taken(session, [row.id])
    doctor = session.get_one(Practitioner, row.practitioner_id)
    found = check(order, context, knowledge())
    doses = {n: _dose(line, context) for n, line in enumerate(lines, start=1)}
    return Judged(row, about, doctor, read, context, found, doses, taken.get(row.id))


def _lines(session: Session, row: Prescription) -> list[Line]:
    found = []
    for one in queries.medicines(session, row.id):
        version = session.get_one(MedicationVersion, one.line.version_id)
        line, checked = one.line, version.verified_at is not None
        found.append(Line(one.product, line.dose, line.times, line.interval, line.days, line.rule, checked))
    return found


def _dose(line: Line, context: Context) -> Dose:
    weight = context.child.weight
    if weight is None:
        return Dose(None, None)
    each = line.product.main.micrograms_in(line.dose) / weight.grams  # micrograms a gram are milligrams a kilogram
    return Dose(each, each * line.times)
