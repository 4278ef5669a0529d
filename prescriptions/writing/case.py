"""Everything that a draft is judged by: read once for a page, and once more to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.clock import today
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Ending
from consultation.record import queries as records
from consultation.record.content import Condition, Content, Outcome
from people.models import Practitioner
from prescriptions import queries as facts
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.queries import Entry, all_entries
from prescriptions.rules import Context, Finding, check
from prescriptions.writing import queries
from prescriptions.writing.draft import Draft, order
from prescriptions.writing.models import Prescription, PrescriptionTemplate


@dataclass(frozen=True)
class Judged:
    """A draft with what the rules see and find. ``entries``: the products in use, by code."""

    context: Context
    conditions: Sequence[Condition]
    outcome: Outcome | None
    entries: Mapping[str, Entry]
    findings: Sequence[Finding]


def judged(
    session: Session,
    visit: Visit,
    encounter: Encounter,
    draft: Draft,
    now: datetime,
    policy: Policy,
    *,
    verified_only: bool,
    but: Prescription | None = None,
) -> Judged:
    """What a draft of this visit is now; ``but`` is a prescription that it stands for already."""
    content = record_of(session, encounter)
    context = facts.context(
        session,
        visit,
        now,
        policy,
        diagnoses=[one.code for one in content.conditions],
        running=queries.running(session, visit.patient.id, today(now), but=but.id if but else None),
        verified_only=verified_only,
    )
    entries = {one.product.code: one for one in all_entries(session) if one.medication.active}
    found = check(order(draft, entries), context, knowledge()) if draft.lines else []
    return Judged(context, content.conditions, content.outcome, entries, found)


def record_of(session: Session, encounter: Encounter) -> Content:
    """The record as it is being written, else as it was signed last. Raises consultation.record.refusals.Damaged."""
    known = records.composition(session, encounter.id)
    if known is None or known.draft is not None:
        return records.draft(known)
    return records.versions(session, known)[-1].record


def may_write(encounter: Encounter, now: datetime, policy: Policy) -> bool:
    """Whether the visit goes on, or ended with an answer not long ago."""
    if encounter.started_at is None:
        return False
    if encounter.status is EncounterStatus.IN_PROGRESS:
        return True
    ended = encounter.ended_at
    answered = encounter.ending is Ending.ANSWERED
    return answered and ended is not None and now < ended + timedelta(hours=policy.prescribe_hours)


def draft_of(row: Prescription | None) -> Draft:
    """What is being written; empty when nobody has begun."""
    return Draft.model_validate_json(row.draft) if row and row.draft else Draft()


def templates(session: Session, doctor: Practitioner) -> Sequence[PrescriptionTemplate]:
    """The doctor's own, by name."""
    wanted = select(PrescriptionTemplate).where(PrescriptionTemplate.practitioner_id == doctor.id)
    return session.scalars(wanted.order_by(PrescriptionTemplate.name)).all()
