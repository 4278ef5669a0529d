"""Warning signs in the answers for a booked visit: its doctor is told at once, by day and by night."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from booking.admission import Level
from booking.events import AppointmentBooked, AppointmentCancelled
from booking.queries import visit
from config.text import N_, known, translate
from consultation.encounters.rooms import known as encounter_of
from consultation.intake.queries import response
from consultation.triage import actions
from consultation.triage.events import TriageAlerted
from consultation.triage.models import TriageResult
from notifications.writing import Values, put, visit_values
from people.models import Account, Practitioner

# At most 20 characters each, in both languages.
LEVELS = {Level.EMERGENCY: N_("Emergency"), Level.HOSPITAL_TODAY: N_("Hospital today")}
HINT = N_("Look now: tap here")


def tell_triage(session: Session, fact: TriageAlerted, now: datetime) -> None:
    """The doctor who treats the child now learns of the level, and where to look; the signs themselves stay inside."""
    about, result = visit(session, fact.appointment_id), session.get_one(TriageResult, fact.result_id)
    encounter = encounter_of(session, fact.appointment_id)
    doctor = session.get_one(Practitioner, encounter.practitioner_id) if encounter else about.practitioner
    if doctor.account_id is None or result.level not in LEVELS:
        return
    account = session.get_one(Account, doctor.account_id)
    locale = known(account.locale)
    said = visit_values(about, locale)
    values: Values = {
        "child": said["child"],
        "department": said["department"],
        "time": said["time"],
        "level": translate(locale, LEVELS[result.level]),
        "hint": translate(locale, HINT),
    }
    put(session, "triage-alert", account, result.id, values, now, link=fact.appointment_id)


def judge_carried(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """After a change of the time the answers go along: they are judged for the new visit, whose day is another."""
    about = visit(session, fact.appointment_id)
    if about.appointment.replaces_id and response(session, about.appointment):
        actions.run(session, about, now, "job:change")


def settle_triage(session: Session, fact: AppointmentCancelled, now: datetime) -> None:
    """Nobody has to look at the warning signs of a visit that will not take place."""
    actions.settle_if_over(session, visit(session, fact.appointment_id).appointment, now)
