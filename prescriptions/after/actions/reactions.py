"""An adverse reaction: reported by a family, a doctor or a pharmacist; watched by a pharmacist, until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import at, today
from config.formats import masked
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from config.text import CHINESE, ENGLISH, N_
from people import tasks
from people.access import Member
from people.audit import record as audit
from people.models import Patient, Role
from prescriptions.after import queries
from prescriptions.after.events import ReactionReported
from prescriptions.after.library import Severity, reactions
from prescriptions.after.models import (
    AdverseEvent,
    Causality,
    ReactionNote,
    ReactionOutcome,
    ReactionStatus,
    Reporter,
)
from prescriptions.after.refusals import (
    BeganUnreadable,
    LookUnreadable,
    MedicineUnknown,
    NoteMissing,
    ReactionClosed,
    SignMissing,
    WordsMissing,
)
from prescriptions.after.rules import NOTE, TEXT
from prescriptions.writing.models import Prescription, PrescriptionLine

EVENING = time(18)
PHARMACIST_TASK = tasks.kind(
    "reaction",
    title=N_("A reaction of %(about)s to a medicine: look at it, and call the family where needed."),
    path="/desk/reactions/{id}",
    there=True,
)
DOCTOR_TASK = tasks.kind(
    "reaction-severe",
    title=N_("%(about)s has a severe reaction to a medicine that you prescribed: look now, and call."),
    path="/desk/reactions/{id}",
)


@dataclass(frozen=True)
class Told:
    """What somebody reports: signs by code, the line that is suspected (by its place; None: any), when it began,
    words, and whether the medicine was stopped (None: not said)."""

    signs: Sequence[str]
    line: int | None
    began_at: datetime | None
    text: str = ""
    stopped: bool | None = None


def report(
    session: Session,
    prescription: Prescription,
    account_id: UUID,
    reporter: Reporter,
    told: Told,
    now: datetime,
    policy: Policy,
) -> AdverseEvent:
    """Keep a reaction to a signed prescription to which the caller was let, and ask the pharmacists to look; a severe
    one alerts the doctor at once. The same sent twice is one.

    Raises SignMissing, WordsMissing, MedicineUnknown, BeganUnreadable, each with its field.
    """
    line, began_at = _checked(session, prescription, told, now)
    words, signs = told.text.strip()[:TEXT], sorted(set(told.signs))
    session.execute(select(Prescription.id).where(Prescription.id == prescription.id).with_for_update(key_share=True))
    same = select(AdverseEvent).where(
        AdverseEvent.prescription_id == prescription.id,
        AdverseEvent.account_id == account_id,
        AdverseEvent.began_at == began_at,
        AdverseEvent.status != ReactionStatus.CLOSED,
    )
    for before in session.scalars(same):
        if (before.signs, before.text, before.prescription_line_id) == (signs, words, line.id if line else None):
            return before
    severe = reactions().severity(signs) is Severity.EMERGENCY
    soon = timedelta(minutes=policy.triage_minutes) if severe else timedelta(hours=policy.reaction_hours)
    made = AdverseEvent(
        prescription_id=prescription.id, prescription_line_id=line.id if line else None,
        patient_id=prescription.patient_id, account_id=account_id, status=ReactionStatus.REPORTED, signs=signs,
        text=words, reporter=reporter, began_at=began_at, severe=severe, stopped=told.stopped, look_at=now + soon,
        reported_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _ask(session, made, prescription, now)
    _audit(session, "report-reaction", made, account_id, now)
    emit(session, ReactionReported(made.id))
    return made


def _checked(
    session: Session, prescription: Prescription, told: Told, now: datetime
) -> tuple[PrescriptionLine | None, datetime]:
    known = [reactions().find(code) for code in told.signs]
    if not known or None in known:
        raise SignMissing(field="signs")
    if any(sign and sign.words for sign in known) and not told.text.strip():
        raise WordsMissing(field="text")
    line = None
    if told.line is not None:
        mine = PrescriptionLine.prescription_id == prescription.id, PrescriptionLine.n == told.line
        line = session.scalar(select(PrescriptionLine).where(*mine))
        if line is None:
            raise MedicineUnknown(field="line")
    signed = prescription.signed_at
    if told.began_at is None or told.began_at > now or signed is None or today(told.began_at) < today(signed):
        raise BeganUnreadable(field="began")
    return line, told.began_at


def _ask(session: Session, found: AdverseEvent, prescription: Prescription, now: datetime) -> None:
    _ask_pharmacists(session, found, now)
    if found.severe:
        doctor = prescription.practitioner_id
        tasks.open(session, kind=DOCTOR_TASK, practitioner_id=doctor, **_task(session, found, now))


def _ask_pharmacists(session: Session, found: AdverseEvent, now: datetime) -> None:
    tasks.open(session, kind=PHARMACIST_TASK, role=Role.PHARMACIST, **_task(session, found, now))


def _task(session: Session, found: AdverseEvent, now: datetime) -> dict[str, Any]:
    name = masked(session.get_one(Patient, found.patient_id).name)
    return {"subject_id": found.id, "about": {CHINESE: name, ENGLISH: name}, "deadline": found.look_at, "now": now}


def note(session: Session, member: Member, reaction_id: UUID, text: str, now: datetime) -> None:
    """Add what was found or done. Raises NotFound, ReactionClosed, NoteMissing."""
    found = _open(session, member, reaction_id)
    _note(session, found, member, text, now)
    if session.get_one(Prescription, found.prescription_id).practitioner_id == member.practitioner.id:
        tasks.settle(session, DOCTOR_TASK, found.id, why="seen", now=now)


def watch(session: Session, member: Member, reaction_id: UUID, text: str, look_on: date | None, now: datetime) -> None:
    """A pharmacist watches it: what was found or done, and the day on which it is looked at again.

    Raises NotFound, ReactionClosed, NoteMissing (``note``), LookUnreadable (``look``).
    """
    found = _open(session, member, reaction_id, Role.PHARMACIST)
    if look_on is None or look_on < today(now):
        raise LookUnreadable(field="look")
    _note(session, found, member, text, now)
    found.practitioner_id, found.look_at = member.practitioner.id, at(look_on, EVENING)
    if found.status is ReactionStatus.REPORTED:
        advance(found, ReactionStatus.WATCHED, by=_by(member), why="watched", now=now)
    tasks.settle(session, PHARMACIST_TASK, found.id, why="watched", now=now)
    session.flush()
    _ask_pharmacists(session, found, now)


def close(
    session: Session,
    member: Member,
    reaction_id: UUID,
    text: str,
    outcome: ReactionOutcome,
    causality: Causality,
    now: datetime,
) -> None:
    """It is over: how it ended, and how likely the medicine was the cause. Raises NotFound, ReactionClosed,
    NoteMissing."""
    found = _open(session, member, reaction_id, Role.PHARMACIST)
    _note(session, found, member, text, now)
    found.practitioner_id = found.practitioner_id or member.practitioner.id
    found.outcome, found.causality, found.closed_at = outcome, causality, now
    advance(found, ReactionStatus.CLOSED, by=_by(member), why=outcome.value, now=now)
    for kind in (PHARMACIST_TASK, DOCTOR_TASK):
        tasks.settle(session, kind, found.id, why="closed", now=now)
    _audit(session, "close-reaction", found, member.practitioner.account_id, now)


def _open(session: Session, member: Member, reaction_id: UUID, *roles: Role) -> AdverseEvent:
    found = queries.reaction_for(session, member, reaction_id, lock=True, roles=roles)
    if found.status is ReactionStatus.CLOSED:
        raise ReactionClosed
    return found


def _note(session: Session, found: AdverseEvent, member: Member, text: str, now: datetime) -> None:
    words = text.strip()[:NOTE]
    if not words:
        raise NoteMissing(field="note")
    mine = ReactionNote.adverse_event_id == found.id, ReactionNote.practitioner_id == member.practitioner.id
    if words in session.scalars(select(ReactionNote.text).where(*mine)):
        return  # tapped twice
    session.add(ReactionNote(adverse_event_id=found.id, practitioner_id=member.practitioner.id, text=words, at=now))
    session.flush()


def _by(member: Member) -> str:
    return f"practitioner:{member.practitioner.id}"


def _audit(session: Session, action: str, found: AdverseEvent, account_id: UUID | None, now: datetime) -> None:
    audit(session, action, at=now, entity="adverse_event", entity_id=found.id, account_id=account_id)
