"""Signing a prescription, which hands it to the pharmacists; and taking one back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.clock import local, today
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import Seat
from consultation.line import queries as line
from consultation.line.refusals import CheckNeeded
from consultation.record.content import Outcome, digest
from people.audit import record as audit
from people.models import Practitioner
from prescriptions.dispensing.models import DispenseStatus, MedicationDispense
from prescriptions.review import asking
from prescriptions.rules.finding import BLOCK, REASON
from prescriptions.signing.actions import sign as put_signature
from prescriptions.signing.keys import Signer
from prescriptions.signing.models import SignatureRole
from prescriptions.writing import queries
from prescriptions.writing.actions import treating
from prescriptions.writing.case import Judged, draft_of, judged, may_write
from prescriptions.writing.content import Case, Ordered, rows, text
from prescriptions.writing.draft import REASON as LONGEST
from prescriptions.writing.draft import Draft, settled, unknown
from prescriptions.writing.events import PrescriptionCancelled, PrescriptionSubmitted
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.refusals import (
    AlreadyDispensed,
    Blocked,
    NoDiagnosis,
    NoReason,
    NotAttested,
    NothingOrdered,
    NotNow,
    NotStanding,
    OldVersion,
    OutOfUse,
    ReasonsMissing,
    ToHospital,
    ValidityReason,
)

PACKED = (DispenseStatus.IN_PROGRESS, DispenseStatus.COMPLETED)
STANDING = (PrescriptionStatus.IN_REVIEW, PrescriptionStatus.APPROVED, PrescriptionStatus.REJECTED)


def sign(
    session: Session,
    seat: Seat,
    visit: Visit,
    version: int,
    signer: Signer,
    now: datetime,
    policy: Policy,
    *,
    verified_only: bool,
) -> Prescription:
    """Sign the draft as it was last saved: it is never changed any more, and waits for a pharmacist.

    Raises NotFound, OldVersion, CheckNeeded, NotNow, NotAttested and what else ``refusals`` names, Damaged (the
    record), NoAuthority, NoCertificate.
    """
    treating(seat)
    encounter, row = seat.encounter, queries.draft_row(session, seat.encounter.id)
    if row is None:
        raise NothingOrdered
    if row.version != version:
        raise OldVersion
    draft = draft_of(row)
    seen = judged(session, visit, encounter, draft, now, policy, verified_only=verified_only)
    may_sign(session, encounter, now, policy)
    complete(draft, seen)
    draft = settled(draft, (one.key for one in seen.findings if one.severity is REASON))
    _write(session, row, visit, encounter, draft, seen, now, policy)
    doctor = session.get_one(Practitioner, row.practitioner_id)
    put_signature(session, row, SignatureRole.PRESCRIBER, doctor, {}, signer, now)
    asking.ask(session, row, visit, now)
    asking.settle_rejected(session, encounter.appointment_id, "signed anew", now)
    who = seat.account_id
    audit(session, "sign-prescription", at=now, entity="prescription", entity_id=row.id, account_id=who)
    emit(session, PrescriptionSubmitted(prescription_id=row.id))
    return row


def may_sign(session: Session, encounter: Encounter, now: datetime, policy: Policy) -> None:
    """Whether this doctor may sign for this child now. Raises NotNow, CheckNeeded, NotAttested."""
    if not may_write(encounter, now, policy):
        raise NotNow(hours=policy.prescribe_hours)
    if not line.checked(session, encounter.practitioner_id, encounter.schedule_id):
        raise CheckNeeded
    if not line.attested(session, encounter, policy):
        raise NotAttested(years=policy.attest_under_years)


def complete(draft: Draft, seen: Judged) -> None:
    """Whether the draft is whole and nothing stands against it. Raises what is missing first."""
    if not draft.lines:
        raise NothingOrdered
    if unknown(draft, seen.entries):
        raise OutOfUse
    if seen.outcome is Outcome.HOSPITAL:
        raise ToHospital
    if not seen.conditions:
        raise NoDiagnosis
    if any(one.severity is BLOCK for one in seen.findings):
        raise Blocked
    asked = [one.key for one in seen.findings if one.severity is REASON]
    if missing := [key for key in asked if not draft.reasons.get(key, "").strip()]:
        raise ReasonsMissing(missing)
    if draft.valid_days > 1 and not draft.validity_reason.strip():
        raise ValidityReason(field="validity_reason")


def _write(
    session: Session,
    row: Prescription,
    visit: Visit,
    encounter: Encounter,
    draft: Draft,
    seen: Judged,
    now: datetime,
    policy: Policy,
) -> None:
    """The row, its lines and its content as they are signed."""
    row.practitioner_id, row.department_id = encounter.practitioner_id, encounter.department_id
    case = Case(
        visit=visit,
        encounter=encounter,
        doctor=session.get_one(Practitioner, encounter.practitioner_id),
        conditions=seen.conditions,
        context=seen.context,
        findings=seen.findings,
        reasons=draft.reasons,
        attested=[str(one) for one in line.confirmed(session, encounter)],
        validity_reason=draft.validity_reason.strip() if draft.valid_days > 1 else "",
    )
    with session.no_autoflush:  # the row is whole again only once its content is there
        midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
        row.valid_until = midnight + timedelta(days=draft.valid_days)
        row.review_by = min(now + timedelta(minutes=policy.review_minutes), row.valid_until)
        row.emergency, row.signed_at = draft.emergency, now
        ordered = [Ordered.of(one.line(seen.entries[one.code]), seen.entries[one.code]) for one in draft.lines]
        lines = rows(row, ordered, today(now))
        row.content = text(row, lines, ordered, case)
        row.digest, row.draft, row.version = digest(row.content), None, row.version + 1
    by = f"practitioner:{row.practitioner_id}"
    advance(row, PrescriptionStatus.IN_REVIEW, by=by, why="signed", now=now)
    session.flush()
    session.add_all(lines)
    session.flush()


def withdraw(session: Session, seat: Seat, prescription_id: UUID, reason: str, now: datetime) -> Prescription:
    """The doctor takes a signed prescription back, as long as nothing of it was packed.

    Raises NotFound, NoReason, NotStanding, AlreadyDispensed.
    """
    treating(seat)
    row = queries.found(session, prescription_id, lock=True)
    if row.encounter_id != seat.encounter.id:
        raise NotFound
    if not reason.strip():
        raise NoReason(field="withdraw_reason")
    if row.status not in STANDING or queries.replaced(session, row.id):
        raise NotStanding
    packed = select(MedicationDispense.id).where(MedicationDispense.prescription_id == row.id)
    if session.scalar(packed.where(MedicationDispense.status.in_(PACKED)).limit(1)):
        raise AlreadyDispensed
    row.withdrawn = reason.strip()[:LONGEST]
    cancel(session, row, by=f"practitioner:{row.practitioner_id}", why="withdrawn", now=now)
    who = seat.account_id
    audit(session, "withdraw-prescription", at=now, entity="prescription", entity_id=row.id, account_id=who)
    return row


def cancel(session: Session, row: Prescription, *, by: str, why: str, now: datetime) -> None:
    """It counts no more; whoever waited for it is told."""
    advance(row, PrescriptionStatus.CANCELLED, by=by, why=why, now=now)
    asking.settle(session, row.id, why, now)
    asking.settle_rejected(session, queries.appointment_of(session, row), why, now)
    emit(session, PrescriptionCancelled(prescription_id=row.id))
