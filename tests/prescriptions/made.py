"""Prescriptions as rows, for tests of what comes after: signed and approved without a desk."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import local, today
from config.ids import new_id
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import encounter_of
from consultation.record.content import canonical, digest
from people.models import Role
from prescriptions.formulary.actions import load
from prescriptions.models import Medication, MedicationVersion
from prescriptions.rules import packages
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus
from tests.prescriptions.orders import FEVER, proposed
from tests.product import Hospital, member, visit_ahead


def room(session: Session, hospital: Hospital, now: datetime) -> Encounter:
    """The room of a visit of the first family's child."""
    return encounter_of(session, visit_ahead(session, hospital, hospital.child, now), now)


def signed(
    session: Session,
    hospital: Hospital,
    now: datetime,
    *codes: str,
    status: PrescriptionStatus = PrescriptionStatus.APPROVED,
    encounter: Encounter | None = None,
) -> Prescription:
    """A prescription of the proposed doses (paracetamol unless products are named), good until tomorrow's midnight. Its
    signature is none: only what does not look at that can be tested with it."""
    if session.scalar(select(Medication.id).limit(1)) is None:
        load(session, now)
    where, made_id = encounter or room(session, hospital, now), new_id()
    text = canonical({"test": str(made_id)})
    reviewed = status in {PrescriptionStatus.APPROVED, PrescriptionStatus.REJECTED}
    made = Prescription(
        id=made_id,
        number=f"T{made_id.hex[-12:]}",
        encounter_id=where.id,
        patient_id=where.patient_id,
        practitioner_id=where.practitioner_id,
        department_id=where.department_id,
        status=status,
        version=1,
        content=text,
        digest=digest(text),
        created_at=now,
        signed_at=now,
        valid_until=local(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2),
        review_by=now + timedelta(minutes=30),
        reviewer_id=member(session, f"rx-{made_id.hex[-8:]}", None, Role.PHARMACIST).id if reviewed else None,
        reviewed_at=now if reviewed else None,
        codes=[],
    )
    session.add(made)
    session.flush()
    for n, code in enumerate(codes or (FEVER,), start=1):
        _line(session, made, n, code, now)
    session.flush()
    return made


def _line(session: Session, made: Prescription, n: int, code: str, now: datetime) -> None:
    product, line, day = (
        session.scalars(select(Medication).where(Medication.code == code)).one(),
        proposed(code),
        today(now),
    )
    version = session.scalars(select(MedicationVersion).where(MedicationVersion.medication_id == product.id)).one()
    session.add(
        PrescriptionLine(
            prescription_id=made.id,
            patient_id=made.patient_id,
            n=n,
            medication_id=product.id,
            version_id=version.id,
            rule=line.rule,
            dose=line.dose,
            times=line.times,
            interval=line.interval,
            days=line.days,
            packages=packages(line),
            starts_on=day,
            until=day + timedelta(days=line.days - 1),
        )
    )
