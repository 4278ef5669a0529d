"""What is said of a prescription beside what its family hears (medicines.py): to pharmacists that one waits, to the
doctor that its time ran out. Never what stands in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import visit
from config.text import N_, known, translate
from notifications.writing import put, visit_values
from people.models import Account, Practitioner, PractitionerRole, Role
from prescriptions.writing.events import PrescriptionCancelled, PrescriptionSubmitted
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import appointment_of, found

TOGETHER = timedelta(minutes=1)  # for which prescriptions to be reviewed are gathered

# At most 20 characters each, in both languages (``thing``).
REVIEW_HINT = N_("Please review it")
LAPSED_HINT = N_("Not reviewed in time")


def tell_submitted(session: Session, fact: PrescriptionSubmitted, now: datetime) -> None:
    """Every pharmacist but who wrote it, together with others that follow closely."""
    row = found(session, fact.prescription_id)
    pharmacists = (
        select(Account)
        .join(Practitioner, Practitioner.account_id == Account.id)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role == Role.PHARMACIST, Practitioner.active, Practitioner.id != row.practitioner_id)
        .order_by(Account.id)
    )
    if row.status is PrescriptionStatus.IN_REVIEW:
        for account in session.scalars(pharmacists):
            _put(session, "prescription-review", account, row, REVIEW_HINT, row.signed_at or now, now, row.id)


def tell_lapsed(session: Session, fact: PrescriptionCancelled, now: datetime) -> None:
    """The doctor, when it was the clock that ended it; who took it back knows."""
    row = found(session, fact.prescription_id)
    doctor = session.get_one(Practitioner, row.practitioner_id)
    lapsed = row.valid_until is not None and row.valid_until <= now
    if lapsed and doctor.account_id and doctor.active:
        account = session.get_one(Account, doctor.account_id)
        _put(session, "prescription-lapsed", account, row, LAPSED_HINT, now, now, appointment_of(session, row))


def _put(
    session: Session,
    message: str,
    account: Account,
    row: Prescription,
    hint: str,
    at: datetime,
    now: datetime,
    link: UUID,
) -> None:
    locale = known(account.locale)
    doctor = session.get_one(Practitioner, row.practitioner_id)
    values = visit_values(visit(session, appointment_of(session, row)), locale)
    values |= {"doctor": doctor.name[locale], "time": at, "hint": translate(locale, hint)}
    due_at = now + TOGETHER if message == "prescription-review" else now
    put(session, message, account, row.id, values, now, link=link, due_at=due_at)
