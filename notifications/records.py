"""What is told of medical records: to the family that there is something to read, to doctors that some are unsigned."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import visit
from config.clock import local, today
from config.policy import current
from config.text import N_, known, translate
from consultation.encounters.models import Encounter
from consultation.record.content import Outcome
from consultation.record.events import RecordSigned
from consultation.record.models import Composition
from consultation.record.queries import overdue, versions
from notifications import rules
from notifications.models import Notification
from notifications.writing import put, visit_values
from people.models import Account, GuardianStatus, Practitioner
from people.queries import guardians

READY, UNSIGNED = "record-ready", "records-unsigned"
READ = N_("Read doctor's advice")
READ_NOW = N_("Please read it now")
CORRECTED = N_("Corrected by doctor")
SIGN = N_("Please sign them")


def tell_signed(session: Session, fact: RecordSigned, now: datetime) -> None:
    """The child's active guardians learn that the doctor has written for them; nothing of what."""
    composition = session.get_one(Composition, fact.composition_id)
    signed = next(one for one in versions(session, composition) if one.id == fact.version_id)
    about = visit(session, signed.appointment_id)
    urgent = signed.record.outcome is Outcome.HOSPITAL
    hint = READ_NOW if urgent else CORRECTED if signed.n > 1 else READ
    for guardian in guardians(session, about.patient.id):
        if guardian.status is not GuardianStatus.ACTIVE:
            continue
        account = session.get_one(Account, guardian.account_id)
        locale = known(account.locale)
        values = visit_values(about, locale) | {"time": signed.signed_at, "hint": translate(locale, hint)}
        put(session, READY, account, fact.version_id, values, now, link=about.appointment.id)


def tell_unsigned(session: Session, now: datetime) -> int:
    """Once a day, from the policy's hour for doctors' lists on, tell each doctor how many records are unsigned.

    Returns how many doctors were told. In the quiet hours the message waits for the morning.
    """
    policy = current(session, now)
    if local(now).time() < policy.doctor_list_at:
        return 0
    occasion = today(now).isoformat()
    told = set(
        session.scalars(
            select(Notification.source_id).where(Notification.message == UNSIGNED, Notification.occasion == occasion)
        )
    )
    waiting: dict[Practitioner, list[Encounter]] = {}
    for encounter in overdue(session, now):
        if encounter.practitioner_id not in told:
            waiting.setdefault(session.get_one(Practitioner, encounter.practitioner_id), []).append(encounter)
    reached = [(doctor, doctor.account_id, found) for doctor, found in waiting.items() if doctor.account_id]
    for doctor, account_id, found in reached:
        account = session.get_one(Account, account_id)
        put(
            session,
            UNSIGNED,
            account,
            doctor.id,
            {
                "count": len(found),
                "time": found[0].ended_at or now,
                "hint": translate(known(account.locale), SIGN),
            },
            now,
            occasion=occasion,
            due_at=rules.not_before(now, policy),
        )
    return len(reached)
