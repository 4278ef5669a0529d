"""What a pharmacist does with a prescription that waits: takes it, asks the doctor, accepts it, sends it back.

Whether the member is a pharmacist is asked by the view; that it is not the prescriber's own, here and by a CHECK.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import visit as whole
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from people import tasks
from people.access import Member
from people.audit import record as audit
from prescriptions.review import asking, queries
from prescriptions.review.reasons import reasons
from prescriptions.review.refusals import Decided, OwnPrescription, ReasonsNeeded, StillBlocked
from prescriptions.rules.finding import BLOCK
from prescriptions.signing.actions import sign, verify
from prescriptions.signing.keys import Signer
from prescriptions.signing.models import SignatureRole
from prescriptions.writing.events import PrescriptionApproved, PrescriptionRejected
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import appointment_of, found

TEXT = 300  # characters


def take(session: Session, member: Member, prescription_id: UUID, now: datetime) -> None:
    """The member looks at it: colleagues see that. Raises Decided, OwnPrescription."""
    row = _waiting(session, member, prescription_id, now)
    task = session.scalar(
        select(tasks.Task.id).where(
            tasks.Task.kind == asking.REVIEW,
            tasks.Task.subject_id == row.id,
            tasks.Task.status == tasks.TaskStatus.OPEN,
        )
    )
    if task is None:
        raise Decided
    tasks.take(session, member, task)


def accept(
    session: Session,
    member: Member,
    prescription_id: UUID,
    signer: Signer,
    now: datetime,
    policy: Policy,
    *,
    verified_only: bool,
) -> Prescription:
    """It counts from now on. Raises Decided, OwnPrescription, StillBlocked, Damaged, NoAuthority, NoCertificate."""
    row = _waiting(session, member, prescription_id, now)
    seen = queries.judged(session, row, now, policy, verified_only=verified_only)
    if any(one.severity is BLOCK for one in seen.findings):
        raise StillBlocked
    _decide(session, row, member, PrescriptionStatus.APPROVED, [], None, signer, now)
    emit(session, PrescriptionApproved(prescription_id=row.id))
    return row


def reject(
    session: Session,
    member: Member,
    prescription_id: UUID,
    codes: Sequence[str],
    text: str,
    signer: Signer,
    now: datetime,
) -> Prescription:
    """It goes back to the doctor, with coded reasons and what is to be changed.

    Raises Decided, OwnPrescription, ReasonsNeeded, Damaged, NoAuthority, NoCertificate.
    """
    row = _waiting(session, member, prescription_id, now)
    chosen, said = reasons().known(codes), text.strip()[:TEXT]
    if not chosen or not said:
        raise ReasonsNeeded(field="codes" if not chosen else "text")
    verify(session, row)
    _decide(session, row, member, PrescriptionStatus.REJECTED, chosen, said, signer, now)
    asking.correct(session, row, whole(session, appointment_of(session, row)), now)
    emit(session, PrescriptionRejected(prescription_id=row.id))
    return row


def _decide(
    session: Session,
    row: Prescription,
    member: Member,
    to: PrescriptionStatus,
    codes: list[Any],
    text: str | None,
    signer: Signer,
    now: datetime,
) -> None:
    who = member.practitioner
    row.reviewer_id, row.reviewed_at, row.codes, row.review_text = who.id, now, codes, text
    decision = "accept" if to is PrescriptionStatus.APPROVED else "reject"
    advance(row, to, by=f"practitioner:{who.id}", why=decision, now=now)
    session.flush()
    more = {"decision": decision, "codes": codes, "text": text}
    sign(session, row, SignatureRole.REVIEWER, who, more, signer, now)
    asking.settle(session, row.id, decision, now)
    by = who.account_id
    action = f"{decision}-prescription"
    audit(session, action, at=now, entity="prescription", entity_id=row.id, account_id=by, codes=codes)


def _waiting(session: Session, member: Member, prescription_id: UUID, now: datetime) -> Prescription:
    """A prescription that waits for this member, its row locked."""
    row = found(session, prescription_id, lock=True)
    if row.practitioner_id == member.practitioner.id:
        raise OwnPrescription
    if row.status is not PrescriptionStatus.IN_REVIEW or row.valid_until is None or now >= row.valid_until:
        raise Decided
    return row
