"""What those on a waiting list are told: that a number is held for them, or that there was none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from booking.events import NumberOffered, WaitingClosed
from booking.models import ScheduleStatus
from booking.waiting_queries import Wait, wait
from config.formats import masked
from config.text import N_, known, translate
from notifications.writing import Values, put
from people.models import Account

# At most 20 characters each, in both languages (``thing``).
NONE_FREED, STOPPED = N_("No number came free"), N_("Clinic was stopped")


def tell_offered(session: Session, fact: NumberOffered, now: datetime) -> None:
    """Whoever joined learns that a number is held and until when; nothing any more once it is answered or over."""
    about = wait(session, fact.waiting_id)
    offer = about.appointment
    if offer is None or not offer.unanswered or offer.hold_until is None or offer.hold_until <= now:
        return
    account = session.get_one(Account, about.entry.account_id)
    values: Values = {"time": offer.starts_at, "until": offer.hold_until}
    said = _values(about, known(account.locale)) | values
    put(session, "waiting-offered", account, offer.id, said, now, link=about.entry.id, expires_at=offer.hold_until)


def tell_waiting_closed(session: Session, fact: WaitingClosed, now: datetime) -> None:
    """Whoever joined learns that the list ended without a number for the child, and why."""
    about = wait(session, fact.waiting_id)
    account = session.get_one(Account, about.entry.account_id)
    locale = known(account.locale)
    why = STOPPED if about.schedule.status is ScheduleStatus.SUSPENDED else NONE_FREED
    values: Values = {"time": about.schedule.starts_at, "reason": translate(locale, why)}
    put(session, "waiting-over", account, about.entry.id, _values(about, locale) | values, now, link=about.entry.id)


def _values(about: Wait, locale: str) -> Values:
    return {
        "child": masked(about.patient.name),
        "department": about.department.name[locale],
        "doctor": about.practitioner.name[locale],
    }
