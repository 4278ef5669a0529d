"""What is said after a visit: a question and its answer, that a child got worse, where a complaint stands."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.admission import Level
from booking.models import Appointment
from booking.queries import visit
from config.policy import current
from config.text import N_, known, translate
from consultation.after.events import ChildWorse, ComplaintMoved, QuestionAnswered, QuestionAsked
from consultation.after.models import AdviceQuestion, Complaint, ComplaintStatus, Worsening
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import known as encounter_of
from notifications import rules
from notifications.triage import HINT, LEVELS
from notifications.writing import Values, put, visit_values
from people.models import Account, GuardianStatus, Practitioner, PractitionerRole, Role
from people.queries import guardians

# At most 20 characters each, in both languages (``thing``).
ASKED_HINT = N_("A question for you")
ANSWERED_HINT = N_("The doctor answered")
WORSE = N_("Worse after visit")
RECEIVED, ANSWERED = N_("Received"), N_("Answered")
RECEIVED_HINT = N_("See when we answer")
ANSWER_HINT = N_("Read our answer")
TEXTS = (ASKED_HINT, ANSWERED_HINT, WORSE, RECEIVED, ANSWERED, RECEIVED_HINT, ANSWER_HINT)


def tell_asked(session: Session, fact: QuestionAsked, now: datetime) -> None:
    """The doctor who saw the child has a question to answer; in the quiet hours it waits for the morning."""
    asked = session.get_one(AdviceQuestion, fact.question_id)
    doctor, account = _doctor(session, asked.appointment_id)
    if account is not None:
        about = visit(session, asked.appointment_id)
        policy = current(session, now, about.department.code)
        values = _news(session, asked.appointment_id, doctor, account, ASKED_HINT, now)
        due_at = rules.not_before(now, policy)
        put(session, "question-asked", account, asked.id, values, now, link=asked.appointment_id, due_at=due_at)


def tell_answered(session: Session, fact: QuestionAnswered, now: datetime) -> None:
    """Who asked learns that the doctor has answered; nothing of what."""
    asked = session.get_one(AdviceQuestion, fact.question_id)
    account = _family(session, asked.account_id, asked.appointment_id)
    if account is None:
        return
    doctor = session.get_one(Practitioner, asked.answered_by_id)
    values = _news(session, asked.appointment_id, doctor, account, ANSWERED_HINT, asked.answered_at or now)
    put(session, "question-answered", account, asked.id, values, now, link=asked.appointment_id)


def tell_worse(session: Session, fact: ChildWorse, now: datetime) -> None:
    """The doctor and who leads the team, by day and by night; the signs themselves stay inside."""
    found = session.get_one(Worsening, fact.worsening_id)
    if found.seen_at is not None:
        return
    about = visit(session, found.appointment_id)
    level = LEVELS[Level(fact.level)] if fact.level else WORSE
    for account in _team(session, found.appointment_id):
        locale = known(account.locale)
        said = visit_values(about, locale)
        values: Values = {
            "child": said["child"],
            "department": said["department"],
            "time": said["time"],
            "level": translate(locale, level),
            "hint": translate(locale, HINT),
        }
        put(session, "child-worse", account, found.id, values, now, link=found.appointment_id, occasion=fact.level)


def tell_complaint(session: Session, fact: ComplaintMoved, now: datetime) -> None:
    """Who filed it: it was received, and later that there is an answer to read."""
    found = session.get_one(Complaint, fact.complaint_id)
    account = _family(session, found.account_id, found.appointment_id)
    if account is None:
        return
    received = fact.status == ComplaintStatus.NEW
    locale = known(account.locale)
    values: Values = {
        "about": found.number,
        "result": translate(locale, RECEIVED if received else ANSWERED),
        "time": found.filed_at if received else found.answered_at or now,
        "hint": translate(locale, RECEIVED_HINT if received else ANSWER_HINT),
    }
    put(session, "complaint-news", account, found.id, values, now, link=found.id, occasion=fact.status)


def _family(session: Session, account_id: UUID, appointment_id: UUID) -> Account | None:
    """The account, as long as it is an active guardian's."""
    child = session.get_one(Appointment, appointment_id).patient_id
    bound = {one.account_id for one in guardians(session, child) if one.status is GuardianStatus.ACTIVE}
    return session.get_one(Account, account_id) if account_id in bound else None


def _news(
    session: Session, appointment_id: UUID, doctor: Practitioner, account: Account, hint: str, at: datetime
) -> Values:
    locale = known(account.locale)
    said = visit_values(visit(session, appointment_id), locale)
    return said | {"doctor": doctor.name[locale], "time": at, "hint": translate(locale, hint)}


def _doctor(session: Session, appointment_id: UUID) -> tuple[Practitioner, Account | None]:
    """Who saw the child, and the account on which they can be told."""
    doctor = session.get_one(Practitioner, _encounter(session, appointment_id).practitioner_id)
    return doctor, session.get_one(Account, doctor.account_id) if doctor.account_id and doctor.active else None


def _encounter(session: Session, appointment_id: UUID) -> Encounter:
    found = encounter_of(session, appointment_id)
    if found is None:
        raise LookupError(appointment_id)
    return found


def _team(session: Session, appointment_id: UUID) -> list[Account]:
    """The accounts of the doctor and of those who lead the department's team, each once."""
    leading = (
        select(Account)
        .join(Practitioner, Practitioner.account_id == Account.id)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role == Role.TEAM_LEAD, Practitioner.active)
        .where(PractitionerRole.department_id == _encounter(session, appointment_id).department_id)
        .order_by(Account.id)
    )
    doctor = _doctor(session, appointment_id)[1]
    return list(dict.fromkeys([*([doctor] if doctor else []), *session.scalars(leading)]))
