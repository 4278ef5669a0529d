"""Reads of prescriptions. ``for_family`` and the seat of the visit are the only ways to one for a viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from consultation.encounters.models import Encounter
from people.access import Viewer, patient_of
from prescriptions.formulary.product import Product
from prescriptions.models import MedicationVersion
from prescriptions.rules import Line, Running
from prescriptions.signing.verifying import verified
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus

SIGNED = (PrescriptionStatus.IN_REVIEW, PrescriptionStatus.APPROVED)


@dataclass(frozen=True)
class Medicine:
    """A line of a signed prescription with the product as it was when it was signed."""

    line: PrescriptionLine
    product: Product

    def as_rule(self) -> Line:
        """As the dose rules see it."""
        row = self.line
        return Line(self.product, row.dose, row.times, row.interval, row.days, row.rule)


def found(session: Session, prescription_id: UUID, *, lock: bool = False) -> Prescription:
    """One prescription, for the clinic's own work: no viewer, never for a page. Raises NotFound."""
    wanted = select(Prescription).where(Prescription.id == prescription_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    row = session.scalar(wanted)
    if row is None:
        raise NotFound
    return row


def medicines(session: Session, prescription_id: UUID) -> list[Medicine]:
    """The lines of a signed prescription, in order; none of a draft. Raises Damaged when it is not what was signed."""
    prescription = found(session, prescription_id)
    if prescription.digest is None:
        return []
    verified(session, prescription)
    rows = session.execute(
        select(PrescriptionLine, MedicationVersion.content)
        .join(MedicationVersion, MedicationVersion.id == PrescriptionLine.version_id)
        .where(PrescriptionLine.prescription_id == prescription_id)
        .order_by(PrescriptionLine.n)
    )
    return [Medicine(line, Product.model_validate(content)) for line, content in rows]


def running(session: Session, patient_id: UUID, on: date, *, but: UUID | None = None) -> list[Running]:
    """The lines of a child's signed prescriptions that have not ended on a day; ``but`` leaves one prescription out.
    They are counted as they stand: a damaged one counts too, as leaving it out would only make the checks weaker."""
    wanted = (
        select(PrescriptionLine, MedicationVersion.content)
        .join(Prescription, Prescription.id == PrescriptionLine.prescription_id)
        .join(MedicationVersion, MedicationVersion.id == PrescriptionLine.version_id)
        .where(PrescriptionLine.patient_id == patient_id, PrescriptionLine.until >= on)
        .where(Prescription.status.in_(SIGNED))
        .order_by(PrescriptionLine.id)
    )
    if but:
        wanted = wanted.where(Prescription.id != but)
    known = [Medicine(line, Product.model_validate(content)) for line, content in session.execute(wanted)]
    return [Running(one.as_rule(), one.line.starts_on, one.line.until) for one in known]


def draft_row(session: Session, encounter_id: UUID) -> Prescription | None:
    """What is being written in an encounter to which the caller was let."""
    return session.scalar(
        select(Prescription).where(
            Prescription.encounter_id == encounter_id, Prescription.status == PrescriptionStatus.DRAFT
        )
    )


def version(session: Session, encounter_id: UUID) -> int:
    """How often something was saved, signed or given up in an encounter to which the caller was let: 0 for never."""
    return session.scalar(select(func.max(Prescription.version)).where(Prescription.encounter_id == encounter_id)) or 0


def of_encounter(session: Session, encounter_id: UUID) -> Sequence[Prescription]:
    """What was signed in an encounter to which the caller was let, newest first."""
    return session.scalars(
        select(Prescription)
        .where(Prescription.encounter_id == encounter_id, Prescription.digest.is_not(None))
        .order_by(Prescription.id.desc())
    ).all()


def replaced(session: Session, prescription_id: UUID) -> bool:
    """Whether a later one that was signed stands in its place."""
    later = select(Prescription.id).where(Prescription.replaces_id == prescription_id, Prescription.digest.is_not(None))
    return session.scalar(later.limit(1)) is not None


def last_approved(session: Session, patient_id: UUID) -> Prescription | None:
    """The child's newest prescription that a pharmacist has accepted, for a doctor who was let to the child."""
    return session.scalar(
        select(Prescription)
        .where(Prescription.patient_id == patient_id, Prescription.status == PrescriptionStatus.APPROVED)
        .order_by(Prescription.id.desc())
        .limit(1)
    )


def appointment_of(session: Session, row: Prescription) -> UUID:
    """The visit in which it was written."""
    return session.get_one(Encounter, row.encounter_id).appointment_id


def orderable(prescription: Prescription, now: datetime) -> bool:
    """Whether a family can still order it."""
    until = prescription.valid_until
    return prescription.status is PrescriptionStatus.APPROVED and until is not None and now < until


def for_family(session: Session, viewer: Viewer, prescription_id: UUID) -> Prescription:
    """A signed prescription of the viewer's child. What stands in it is shown once it is approved: until then it is
    being reviewed, also after a pharmacist has sent it back. Raises NotFound for a draft and for a stranger's child."""
    row = found(session, prescription_id)
    patient_of(session, viewer, row.patient_id)
    if row.digest is None:
        raise NotFound
    return row


def of_children(session: Session, viewer_children: Sequence[UUID], limit: int = 50) -> Sequence[Prescription]:
    """The signed prescriptions of these children that were not replaced, newest first."""
    replaced = select(Prescription.replaces_id).where(
        Prescription.replaces_id.is_not(None), Prescription.digest.is_not(None)
    )
    wanted = select(Prescription).where(
        Prescription.patient_id.in_(viewer_children),
        Prescription.digest.is_not(None),
        Prescription.id.not_in(replaced),
    )
    return session.scalars(wanted.order_by(Prescription.id.desc()).limit(limit)).all()
