"""What is said of visits in writing: to the doctor that a family waits for an answer, to the family that there is."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking.events import AppointmentBooked
from booking.queries import visit
from config.policy import current
from config.text import N_, known, translate
from consultation.encounters.models import Encounter, EncounterStatus, Kind
from consultation.encounters.rooms import known as encounter_of
from consultation.written import actions
from consultation.written.events import WrittenAnswered, WrittenAsked
from notifications import rules
from notifications.writing import Values, put, visit_values
from people.models import Account, GuardianStatus, Practitioner
from people.queries import guardians

# At most 20 characters each, in both languages.
ASK_HINT = N_("Answer in writing")
ANSWER_HINT = N_("The doctor answered")


def tell_asked(session: Session, fact: WrittenAsked, now: datetime) -> None:
    """The treating doctor: until when an answer is waited for; gathered with others, and not at night."""
    encounter = session.get_one(Encounter, fact.encounter_id)
    doctor = session.get_one(Practitioner, encounter.practitioner_id)
    until = encounter.reply_by
    if doctor.account_id is None or until is None or encounter.status is not EncounterStatus.IN_PROGRESS:
        return
    about = visit(session, encounter.appointment_id)
    policy = current(session, now, about.department.code)
    account = session.get_one(Account, doctor.account_id)
    values = _values(session, encounter, known(account.locale), ASK_HINT) | {"time": until}
    due_at = rules.not_before(now + timedelta(minutes=policy.doctor_group_minutes), policy)
    source = encounter.appointment_id
    put(
        session, "written-question", account, source, values, now,
        link=source, occasion=fact.occasion, due_at=due_at, expires_at=until,
    )  # fmt: skip


def tell_answered(session: Session, fact: WrittenAnswered, now: datetime) -> None:
    """The guardian who writes, as long as they are the child's guardian; nothing of what was said."""
    encounter = session.get_one(Encounter, fact.encounter_id)
    active = {one.account_id for one in guardians(session, encounter.patient_id) if one.status is GuardianStatus.ACTIVE}
    if encounter.account_id not in active:
        return
    account = session.get_one(Account, encounter.account_id)
    values = _values(session, encounter, known(account.locale), ANSWER_HINT) | {"time": encounter.answered_at or now}
    source = encounter.appointment_id
    put(session, "written-answer", account, source, values, now, link=source, occasion=fact.occasion)


def _values(session: Session, encounter: Encounter, locale: str, hint: str) -> Values:
    doctor = session.get_one(Practitioner, encounter.practitioner_id)
    said = visit_values(visit(session, encounter.appointment_id), locale)
    return said | {"doctor": doctor.name[locale], "hint": translate(locale, hint)}


def carry_writing(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """After a change of the time a visit in writing stays one."""
    about = visit(session, fact.appointment_id)
    before = about.appointment.replaces_id and encounter_of(session, about.appointment.replaces_id)
    if before and before.kind is Kind.TEXT:
        actions.choose(session, about, about.appointment.account_id, now)
