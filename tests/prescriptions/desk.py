"""A visit that goes on in which something can be prescribed, for the tests of writing and reviewing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.clock import today
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.encounters.rooms import Seat, encounter_of, move, seat
from consultation.intake.models import WeightObservation
from consultation.line.actions.arriving import attest
from consultation.line.models import CheckedDoctor, Confirmed
from consultation.record.content import Content
from consultation.record.icd10 import condition
from consultation.record.models import Composition, CompositionStatus
from people.access import Member, Viewer, member_of
from people.models import Practitioner, Role
from prescriptions.formulary.actions import load
from prescriptions.models import Medication
from prescriptions.writing import actions, case, submitting
from prescriptions.writing.draft import Draft
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import version
from tests.consultation.answering import tell
from tests.prescriptions.made import SIGNER
from tests.prescriptions.orders import FEVER
from tests.product import Hospital, account, member, visit_ahead

POLICY = Policy()
NO_ALLERGY = {"allergic": "no", "given-any": "no", "chronic": "no"}


@dataclass
class Room:
    """The visit of the first family's child with its doctor; everything is confirmed."""

    session: Session
    visit: Visit
    encounter: Encounter
    doctor: Practitioner

    def seat(self) -> Seat:
        assert self.doctor.account_id
        return seat(self.session, Viewer(self.doctor.account_id, "en"), self.visit.appointment.id, lock=True)

    def judged(self, draft: Draft, now: datetime) -> case.Judged:
        return case.judged(self.session, self.visit, self.encounter, draft, now, POLICY, verified_only=False)

    def write(self, now: datetime, *codes: str, **changes: object) -> Prescription:
        """A draft of the proposed doses, in place of what is being written."""
        draft = Draft()
        for code in codes or (FEVER,):
            draft = actions.added(draft, code, self.judged(draft, now))
        return self.save(draft.model_copy(update=changes), now)

    def save(self, draft: Draft, now: datetime) -> Prescription:
        return actions.save(self.session, self.seat(), version(self.session, self.encounter.id), draft, now, POLICY)

    def sign(self, now: datetime, *, verified_only: bool = False) -> Prescription:
        seen, seat_ = version(self.session, self.encounter.id), self.seat()
        return submitting.sign(self.session, seat_, self.visit, seen, SIGNER, now, POLICY, verified_only=verified_only)


def room(session: Session, hospital: Hospital, now: datetime, *, attested: bool = True) -> Room:
    """The room of the first family's child, who weighs 15 kg."""
    if session.scalar(select(Medication.id).limit(1)) is None:
        load(session, now)
    visit = visit_ahead(session, hospital, hospital.child, now)
    made = prepare(session, visit, now, 15_000)
    record(session, made.encounter, now)
    if attested:
        confirm(session, made.encounter, made.doctor, now)
    session.flush()
    return made


def prepare(session: Session, visit: Visit, now: datetime, grams: int) -> Room:
    """The visit goes on: the family has told, the child was weighed today, the doctor's own check was done."""
    encounter = encounter_of(session, visit, now)
    tell(session, visit, now, "medicines", **NO_ALLERGY)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    who, period = encounter.practitioner_id, encounter.schedule_id
    session.add(CheckedDoctor(practitioner_id=who, schedule_id=period, method="test", at=now))
    weigh(session, visit, now, grams)
    return Room(session, visit, encounter, session.get_one(Practitioner, who))


def confirm(session: Session, encounter: Encounter, doctor: Practitioner, now: datetime) -> None:
    """The guardian says that they are there, the doctor who else is."""
    assert doctor.account_id
    attest(session, encounter, encounter.account_id, [Confirmed.PRESENT], now)
    attest(session, encounter, doctor.account_id, [Confirmed.CHILD, Confirmed.GUARDIAN, Confirmed.SPECIALTY], now)


def weigh(session: Session, visit: Visit, now: datetime, grams: int) -> None:
    """Weighed today."""
    session.add(
        WeightObservation(
            patient_id=visit.patient.id,
            appointment_id=visit.appointment.id,
            account_id=visit.appointment.account_id,
            grams=str(grams),
            measured_on=today(now),
            confirmed=True,
            at=now,
        )
    )


def record(session: Session, encounter: Encounter, now: datetime, *codes: str) -> None:
    """A draft of the record with these diagnoses (a cold)."""
    content = Content(conditions=tuple(condition(code) for code in codes or ("J00",)))
    session.add(
        Composition(
            encounter_id=encounter.id,
            patient_id=encounter.patient_id,
            status=CompositionStatus.PRELIMINARY,
            version=1,
            draft=content.model_dump_json(),
            signed=0,
            saved_at=now,
        )
    )


def pharmacist(session: Session, now: datetime, code: str = "PH01", *roles: Role) -> Member:
    """A pharmacist with an account."""
    person = account(session, f"o-{code}", now)
    member(session, code, person, Role.PHARMACIST, *roles)
    return member_of(session, Viewer(person.id, "en"), (Role.PHARMACIST,))
