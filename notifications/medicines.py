"""What is told of prescriptions and of what comes after them. No message names a medicine: it may show on a locked
screen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.formats import masked
from config.text import N_, known, translate
from consultation.encounters.models import Encounter
from notifications.catalogue import messages
from notifications.preferences import muted
from notifications.writing import Values, put
from people.models import Account, Department, GuardianStatus, Patient, Practitioner, PractitionerRole, Role
from people.queries import guardians
from prescriptions.after import actions as after
from prescriptions.after.actions.reminders import SLOT
from prescriptions.after.events import CourseEnded, MedicineDue, ReactionReported
from prescriptions.after.models import AdverseEvent, MedicineReminder
from prescriptions.after.rules import LATE
from prescriptions.writing.events import (
    PrescriptionApproved,
    PrescriptionCancelled,
    PrescriptionExpiring,
    PrescriptionRejected,
)
from prescriptions.writing.models import Prescription, PrescriptionStatus

# At most 20 characters each, in both languages (``thing``).
APPROVED_HINT = N_("You can order now")
EXPIRING_HINT = N_("Order before it ends")
REVIEW_HINT = N_("Review takes longer")
CANCELLED_HINT = N_("No longer valid")
REJECTED_HINT = N_("Review sent it back")
UNREVIEWED_HINT = N_("Not reviewed yet")
DUE_HINT = N_("Time for a medicine")
COURSE_HINT = N_("How is your child?")
REACTION, SEVERE = N_("Reaction reported"), N_("Severe reaction")
REACTION_HINT = N_("Open and look")
TEXTS = (
    APPROVED_HINT, EXPIRING_HINT, REVIEW_HINT, CANCELLED_HINT, REJECTED_HINT, UNREVIEWED_HINT, DUE_HINT, COURSE_HINT,
    REACTION, SEVERE, REACTION_HINT,
)  # fmt: skip


def tell_approved(session: Session, fact: PrescriptionApproved, now: datetime) -> None:
    """The family can order."""
    found = session.get_one(Prescription, fact.prescription_id)
    if found.status is PrescriptionStatus.APPROVED:
        _tell_family(session, "prescription-approved", found, APPROVED_HINT, now)


def tell_rejected(session: Session, fact: PrescriptionRejected, now: datetime) -> None:
    """The doctor corrects it; the family is told nothing."""
    found = session.get_one(Prescription, fact.prescription_id)
    _tell_doctor(session, "prescription-returned", found, REJECTED_HINT, now)


def tell_expiring(session: Session, fact: PrescriptionExpiring, now: datetime) -> None:
    """Before its time is over: the family, and the doctor of one that nobody has reviewed."""
    found = session.get_one(Prescription, fact.prescription_id)
    if found.status is PrescriptionStatus.APPROVED:
        _tell_family(session, "prescription-expiring", found, EXPIRING_HINT, now)
    elif found.status is PrescriptionStatus.IN_REVIEW:
        _tell_doctor(session, "prescription-unreviewed", found, UNREVIEWED_HINT, now)
        _tell_family(session, "prescription-expiring", found, REVIEW_HINT, now)


def tell_cancelled(session: Session, fact: PrescriptionCancelled, now: datetime) -> None:
    """The family learns that it is not good any more, and nobody is reminded of it; one that was replaced is told of by
    what replaces it."""
    after.stopped(session, fact.prescription_id, now)
    found = session.get_one(Prescription, fact.prescription_id)
    if found.content is not None and not _replaced(session, found.id):
        _tell_family(session, "prescription-cancelled", found, CANCELLED_HINT, now)


def tell_due(session: Session, fact: MedicineDue, now: datetime) -> None:
    """Who asked is reminded of one moment, unless it is long past, they muted it, or are no guardian any more."""
    reminder = session.get_one(MedicineReminder, fact.reminder_id)
    at = datetime.strptime(fact.slot, SLOT).replace(tzinfo=UTC)
    wanted = reminder.active and "medicine-time" not in muted(session, reminder.account_id)
    family = {account.id: account for account in _family(session, reminder.patient_id)}
    if not wanted or reminder.account_id not in family or now > at + LATE:
        return
    account, found = family[reminder.account_id], session.get_one(Prescription, reminder.prescription_id)
    values = _values(session, found, account, DUE_HINT, at)
    put(
        session, "medicine-time", account, reminder.id, values, now,
        link=found.id, occasion=fact.slot, expires_at=at + LATE,
    )  # fmt: skip


def ask_family(session: Session, fact: CourseEnded, now: datetime) -> None:
    """The course is over: how is the child?"""
    found = session.get_one(Prescription, fact.prescription_id)
    _tell_family(session, "course-over", found, COURSE_HINT, now)


def tell_reaction(session: Session, fact: ReactionReported, now: datetime) -> None:
    """The pharmacists, and of a severe one the doctor who prescribed, by day and by night; the signs stay inside."""
    reaction = session.get_one(AdverseEvent, fact.reaction_id)
    found = session.get_one(Prescription, reaction.prescription_id)
    told = _pharmacists(session)
    if reaction.severe and (doctor := _doctor(session, found)):
        told = [*told, doctor]
    for account in dict.fromkeys(told):
        said = _values(session, found, account, REACTION_HINT, reaction.reported_at)
        level = translate(known(account.locale), SEVERE if reaction.severe else REACTION)
        values: Values = {name: said[name] for name in ("child", "department", "time", "hint")} | {"level": level}
        put(session, "reaction-reported", account, reaction.id, values, now, link=reaction.id)


def _tell_family(session: Session, message: str, found: Prescription, hint: str, now: datetime) -> None:
    for account in _family(session, found.patient_id):
        if not (messages()[message].mutable and message in muted(session, account.id)):
            values = _values(session, found, account, hint, now)
            put(session, message, account, found.id, values, now, link=found.id)


def _tell_doctor(session: Session, message: str, found: Prescription, hint: str, now: datetime) -> None:
    if account := _doctor(session, found):
        about = session.get_one(Encounter, found.encounter_id).appointment_id
        values = _values(session, found, account, hint, now)
        put(session, message, account, found.id, values, now, link=about)


def _values(session: Session, found: Prescription, account: Account, hint: str, at: datetime) -> Values:
    locale = known(account.locale)
    return {
        "child": masked(session.get_one(Patient, found.patient_id).name),
        "department": session.get_one(Department, found.department_id).name[locale],
        "doctor": session.get_one(Practitioner, found.practitioner_id).name[locale],
        "time": at,
        "hint": translate(locale, hint),
    }


def _family(session: Session, patient_id: UUID) -> list[Account]:
    bound = (one for one in guardians(session, patient_id) if one.status is GuardianStatus.ACTIVE)
    return [session.get_one(Account, one.account_id) for one in bound]


def _doctor(session: Session, found: Prescription) -> Account | None:
    doctor = session.get_one(Practitioner, found.practitioner_id)
    return session.get_one(Account, doctor.account_id) if doctor.account_id and doctor.active else None


def _pharmacists(session: Session) -> Iterable[Account]:
    wanted = (
        select(Account)
        .join(Practitioner, Practitioner.account_id == Account.id)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role == Role.PHARMACIST, Practitioner.active)
    )
    return session.scalars(wanted.order_by(Account.id)).all()


def _replaced(session: Session, prescription_id: UUID) -> bool:
    later = select(Prescription.id).where(
        Prescription.replaces_id == prescription_id, Prescription.content.is_not(None)
    )
    return bool(session.scalar(select(later.exists())))
