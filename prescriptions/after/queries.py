"""Reads of what comes after a prescription. Each takes who looks, or is for somebody who was let to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import NotFound
from people.access import Member
from people.models import Role
from prescriptions.after.library import Sign
from prescriptions.after.library import reactions as listed
from prescriptions.after.models import (
    AdverseEvent,
    Causality,
    CourseEnd,
    MedicineReminder,
    ReactionNote,
    ReactionStatus,
    Reporter,
)
from prescriptions.formulary.product import Both, Product
from prescriptions.models import MedicationVersion
from prescriptions.rules import Reacted
from prescriptions.writing.models import Prescription, PrescriptionLine


def course(session: Session, prescription_id: UUID, *, lock: bool = False) -> CourseEnd | None:
    """The course of a prescription; None while the medicine is not with the child."""
    wanted = select(CourseEnd).where(CourseEnd.prescription_id == prescription_id)
    return session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)


def reminder(
    session: Session, prescription_id: UUID, account_id: UUID, *, lock: bool = False
) -> MedicineReminder | None:
    """What an account asked to be reminded of."""
    wanted = select(MedicineReminder).where(
        MedicineReminder.prescription_id == prescription_id, MedicineReminder.account_id == account_id
    )
    return session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)


def courses(session: Session, encounter_id: UUID) -> Sequence[CourseEnd]:
    """The courses of an encounter's prescriptions, for its doctor; the latest first."""
    wanted = (
        select(CourseEnd)
        .join(Prescription, Prescription.id == CourseEnd.prescription_id)
        .where(Prescription.encounter_id == encounter_id)
    )
    return session.scalars(wanted.order_by(CourseEnd.id.desc())).all()


def reactions(
    session: Session, *, prescription_id: UUID | None = None, patient_id: UUID | None = None
) -> Sequence[AdverseEvent]:
    """Those to a prescription, or of a child, to whom the caller was let; the latest first."""
    wanted = select(AdverseEvent).order_by(AdverseEvent.id.desc())
    if prescription_id:
        wanted = wanted.where(AdverseEvent.prescription_id == prescription_id)
    if patient_id:
        wanted = wanted.where(AdverseEvent.patient_id == patient_id)
    return session.scalars(wanted).all()


def reaction_for(
    session: Session, member: Member, reaction_id: UUID, *, lock: bool = False, roles: Collection[Role] = ()
) -> AdverseEvent:
    """A reaction, for the pharmacists, the doctor who prescribed, and the staff who reported it; ``roles``: for holders
    of these only. Raises NotFound for everybody else."""
    found = session.get(AdverseEvent, reaction_id, with_for_update=lock or None, populate_existing=lock)
    if found is None or (roles and not member.roles & set(roles)):
        raise NotFound
    treats = session.get_one(Prescription, found.prescription_id).practitioner_id == member.practitioner.id
    reported = found.account_id == member.practitioner.account_id and found.reporter is not Reporter.FAMILY
    if Role.PHARMACIST not in member.roles and not treats and not reported:
        raise NotFound
    return found


def reactions_for(
    session: Session, member: Member, limit: int = 50
) -> tuple[Sequence[AdverseEvent], Sequence[AdverseEvent]]:
    """What a member of staff may read: the open ones, the most urgent first, and the latest closed ones."""
    theirs: ColumnElement[bool] = true()
    if Role.PHARMACIST not in member.roles:
        own = (AdverseEvent.account_id == member.practitioner.account_id) & (AdverseEvent.reporter != Reporter.FAMILY)
        prescribed = select(Prescription.id).where(Prescription.practitioner_id == member.practitioner.id)
        theirs = or_(AdverseEvent.prescription_id.in_(prescribed), own)
    shut = AdverseEvent.status == ReactionStatus.CLOSED
    waiting = select(AdverseEvent).where(~shut, theirs).order_by(AdverseEvent.look_at, AdverseEvent.id)
    past = select(AdverseEvent).where(shut, theirs).order_by(AdverseEvent.id.desc()).limit(limit)
    return session.scalars(waiting).all(), session.scalars(past).all()


def notes(session: Session, reaction_id: UUID) -> Sequence[ReactionNote]:
    """What was found and done, in order."""
    wanted = select(ReactionNote).where(ReactionNote.adverse_event_id == reaction_id).order_by(ReactionNote.id)
    return session.scalars(wanted).all()


def suspected(session: Session, found: AdverseEvent) -> list[tuple[PrescriptionLine, Product]]:
    """The medicine that is suspected, or all of the prescription."""
    wanted = (
        select(PrescriptionLine, MedicationVersion.content)
        .join(MedicationVersion, MedicationVersion.id == PrescriptionLine.version_id)
        .where(PrescriptionLine.prescription_id == found.prescription_id)
        .order_by(PrescriptionLine.n)
    )
    if found.prescription_line_id:
        wanted = wanted.where(PrescriptionLine.id == found.prescription_line_id)
    return [(line, Product.model_validate(content)) for line, content in session.execute(wanted)]


def reacted(session: Session, patient_id: UUID) -> list[Reacted]:
    """What a child has reacted to, but for what was found to be unlikely; the latest first."""
    found = reactions(session, patient_id=patient_id)
    return [_reacted(session, one) for one in found if one.causality is not Causality.UNLIKELY]


def _reacted(session: Session, found: AdverseEvent) -> Reacted:
    signs = signs_of(found)
    return Reacted(
        frozenset(content.ingredient for _, product in suspected(session, found) for content in product.contents),
        Both(zh_CN="、".join(one.term.zh_CN for one in signs), en=", ".join(one.term.en for one in signs)),
        today(found.reported_at),
        found.severe,
    )


def signs_of(found: AdverseEvent) -> list[Sign]:
    """The signs of a reaction that are still in the list."""
    return [sign for code in found.signs if (sign := listed().find(code))]
