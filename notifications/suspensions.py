"""What is said of missed visits: booking is closed for a while; an appeal was decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from booking.events import AppealDecided, BookingSuspended
from booking.fair_models import Suspension, SuspensionStatus
from config.formats import masked
from config.text import N_, known, translate
from notifications.writing import Values, put
from people.models import Account, GuardianStatus, Patient
from people.queries import guardians

# At most 20 characters each, in both languages (``thing``).
ACCOUNT = N_("Your account")
SUSPENDED_HINT = N_("See why, or appeal")
RESULTS = {SuspensionStatus.LIFTED: N_("Open again"), SuspensionStatus.UPHELD: N_("It stays closed")}
ANSWER_HINT = N_("Read our answer")
TEXTS = (ACCOUNT, SUSPENDED_HINT, *RESULTS.values(), ANSWER_HINT)


def tell_suspended(session: Session, fact: BookingSuspended, now: datetime) -> None:
    """The account, or all active guardians of the child; who is both hears of one miss once."""
    suspension = session.get_one(Suspension, fact.suspension_id)
    if suspension.status is SuspensionStatus.LIFTED:
        return
    for account in _concerned(session, suspension):
        values = _about(session, suspension, account, SUSPENDED_HINT)
        values |= {"count": str(suspension.missed), "until": suspension.until}
        put(session, "booking-suspended", account, suspension.appointment_id, values, now)


def tell_appeal_decided(session: Session, fact: AppealDecided, now: datetime) -> None:
    """Who appealed; what was lifted along with another's appeal is told to all whom it concerns."""
    suspension = session.get_one(Suspension, fact.suspension_id)
    by = suspension.appealed_by_id
    for account in [session.get_one(Account, by)] if by else _concerned(session, suspension):
        values = _about(session, suspension, account, ANSWER_HINT)
        result = translate(known(account.locale), RESULTS[suspension.status])
        values |= {"result": result, "time": suspension.decided_at or now}
        put(session, "appeal-decided", account, suspension.appointment_id, values, now)


def _concerned(session: Session, suspension: Suspension) -> list[Account]:
    if suspension.account_id:
        return [session.get_one(Account, suspension.account_id)]
    if suspension.patient_id is None:
        return []
    bound = guardians(session, suspension.patient_id)
    return [session.get_one(Account, one.account_id) for one in bound if one.status is GuardianStatus.ACTIVE]


def _about(session: Session, suspension: Suspension, account: Account, hint: str) -> Values:
    locale = known(account.locale)
    child = session.get_one(Patient, suspension.patient_id) if suspension.patient_id else None
    return {"about": masked(child.name) if child else translate(locale, ACCOUNT), "hint": translate(locale, hint)}
