"""Which fact is told to whom: one table from facts to handlers, each of which writes one row per recipient.

A handler takes the session, the fact and the moment. Handling a fact twice writes nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking.events import AppointmentBooked, AppointmentCancelled, AppointmentReminderDue
from booking.models import AppointmentStatus
from booking.queries import Visit, visit
from config.formats import masked
from config.jobs import Fact
from config.text import N_, known, translate
from notifications.catalogue import messages
from notifications.doctors import tell_practitioner_booked, tell_practitioner_cancelled
from notifications.preferences import muted
from notifications.writing import Values, put, visit_values
from people.events import GuardianBound
from people.models import Account, GuardianStatus, Patient, RelatedPerson
from people.queries import guardians

# At most 20 characters each, in both languages (``thing``).
REASONS = {"parent": N_("Cancelled by family")}
OTHER_REASON = N_("See the visit's page")
HINTS = {"day": N_("Have reports at hand"), "soon": N_("Starts soon: open it")}
BOUND_HINT = N_("Not family? Tap here")


def tell_booker_booked(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """The parent who booked learns the number."""
    _tell_booker(session, "appointment-booked", visit(session, fact.appointment_id), now)


def tell_booker_cancelled(session: Session, fact: AppointmentCancelled, now: datetime) -> None:
    """The parent who booked learns that the visit won't take place, and why."""
    cancelled = visit(session, fact.appointment_id)
    reason = REASONS.get(cancelled.appointment.cancel_reason or "", OTHER_REASON)
    _tell_booker(session, "appointment-cancelled", cancelled, now, text={"reason": reason})


def remind_booker(session: Session, fact: AppointmentReminderDue, now: datetime) -> None:
    """The parent who booked is reminded, unless the visit was cancelled meanwhile, has begun, or they muted it."""
    coming = visit(session, fact.appointment_id)
    begins = coming.appointment.starts_at
    if coming.appointment.status is AppointmentStatus.BOOKED and begins > now:
        hint = {"hint": HINTS[fact.when]}
        _tell_booker(session, "appointment-reminder", coming, now, text=hint, occasion=fact.when, expires_at=begins)


def tell_other_guardians(session: Session, fact: GuardianBound, now: datetime) -> None:
    """The child's other guardians learn who was added, so that they can stop a stranger."""
    bound = session.get_one(RelatedPerson, fact.related_person_id)
    child = session.get_one(Patient, fact.patient_id)
    for other in guardians(session, fact.patient_id):
        if other.id == bound.id or other.status is not GuardianStatus.ACTIVE:
            continue
        account = session.get_one(Account, other.account_id)
        values: Values = {
            "child": masked(child.name),
            "guardian": masked(bound.name),
            "time": bound.bound_at,
            "hint": translate(known(account.locale), BOUND_HINT),
        }
        put(session, "guardian-bound", account, bound.id, values, now, link=child.id)


HANDLERS: Mapping[type[Fact], tuple[Callable[[Session, Any, datetime], None], ...]] = {
    AppointmentBooked: (tell_booker_booked, tell_practitioner_booked),
    AppointmentCancelled: (tell_booker_cancelled, tell_practitioner_cancelled),
    AppointmentReminderDue: (remind_booker,),
    GuardianBound: (tell_other_guardians,),
}


def handle(session: Session, fact: Fact, now: datetime) -> None:
    """Hand a fact to everyone who listens, in the order of the table. Raises KeyError for a fact nobody hears."""
    for handler in HANDLERS[type(fact)]:
        handler(session, fact, now)


def _tell_booker(
    session: Session,
    message: str,
    about: Visit,
    now: datetime,
    *,
    text: Mapping[str, str] | None = None,
    occasion: str = "",
    expires_at: datetime | None = None,
) -> None:
    account = session.get_one(Account, about.appointment.account_id)
    if messages()[message].mutable and message in muted(session, account.id):
        return
    locale = known(account.locale)
    values = visit_values(about, locale) | {name: translate(locale, msgid) for name, msgid in (text or {}).items()}
    source = about.appointment.id
    put(session, message, account, source, values, now, link=source, occasion=occasion, expires_at=expires_at)
