"""Prescriptions as rows, for tests of what comes after: signed and approved without a desk, with real signatures."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import visit
from config.clock import local, today
from config.ids import new_id
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import encounter_of
from consultation.record.content import digest
from consultation.record.icd10 import condition
from people.models import Practitioner, Role
from prescriptions.formulary.actions import load
from prescriptions.formulary.queries import find
from prescriptions.models import Medication
from prescriptions.rules import Child, Context, Weighed
from prescriptions.signing.actions import sign
from prescriptions.signing.authority import SetupAuthority
from prescriptions.signing.keys import KeptKeys
from prescriptions.signing.models import SignatureRole
from prescriptions.writing.content import Case, Ordered, rows, text
from prescriptions.writing.models import Prescription, PrescriptionStatus
from tests.prescriptions.orders import FEVER, proposed
from tests.product import Hospital, member, visit_ahead

SECRET = b"dev-index-key-of-the-tests-0123456789"
SIGNER = KeptKeys(SetupAuthority(SECRET))  # as create_app has it in a test
DECIDED = {PrescriptionStatus.APPROVED: "accept", PrescriptionStatus.REJECTED: "reject"}


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
    valid_until: datetime | None = None,
) -> Prescription:
    """A prescription of the proposed doses (paracetamol unless products are named), good until tomorrow's midnight
    unless ``valid_until`` is given, signed by its doctor and, when it was reviewed, by a pharmacist."""
    if session.scalar(select(Medication.id).limit(1)) is None:
        load(session, now)
    where, made_id = encounter or room(session, hospital, now), new_id()
    made = Prescription(
        id=made_id,
        number=f"T{made_id.hex[-12:]}",
        encounter_id=where.id,
        patient_id=where.patient_id,
        practitioner_id=where.practitioner_id,
        department_id=where.department_id,
        status=status,
        version=1,
        emergency=False,
        created_at=now,
        signed_at=now,
        valid_until=valid_until or local(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2),
        review_by=now + timedelta(minutes=30),
        codes=[],
    )
    _fill(session, made, where, codes or (FEVER,), now)
    doctor = session.get_one(Practitioner, made.practitioner_id)
    sign(session, made, SignatureRole.PRESCRIBER, doctor, {}, SIGNER, now)
    if decision := DECIDED.get(status):
        pharmacist = session.get_one(Practitioner, made.reviewer_id)
        codes_ = {"decision": decision, "codes": made.codes, "text": made.review_text}
        sign(session, made, SignatureRole.REVIEWER, pharmacist, codes_, SIGNER, now)
    session.flush()
    return made


def _fill(session: Session, made: Prescription, where: Encounter, codes: tuple[str, ...], now: datetime) -> None:
    ordered = []
    for code in codes:
        entry = find(session, code)
        assert entry
        ordered.append(Ordered.of(proposed(code), entry))
    lines = rows(made, ordered, today(now))
    made.content = text(made, lines, ordered, _case(session, where, now))
    made.digest = digest(made.content)
    if made.status in DECIDED:
        pharmacist = member(session, f"rx-{made.id.hex[-8:]}", None, Role.PHARMACIST)
        made.reviewer_id, made.reviewed_at = pharmacist.id, now
        if made.status is PrescriptionStatus.REJECTED:
            made.codes, made.review_text = ["2-4"], "too much"
    session.add(made)
    session.flush()
    session.add_all(lines)
    session.flush()


def _case(session: Session, where: Encounter, now: datetime) -> Case:
    about = visit(session, where.appointment_id)
    child = Child(about.patient.birth_date, Weighed(15_000, today(now)), ("J00",))
    doctor = session.get_one(Practitioner, where.practitioner_id)
    context = Context(today(now), child, verified_only=False)
    return Case(about, where, doctor, [condition("J00")], context, [], {}, [])
