"""What must arrive goes out as a text message when WeChat has failed for good.

To whom: every phone that the hospital's own patient index holds for the child. Those were given at the hospital's desk
and only change there, so a guardian added over the internet, or whoever holds a parent's WeChat, can't turn the warning
away. It holds no full name, and nothing that was not already said to the family.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.models import Appointment
from config.ids import new_id
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import known
from notifications.models import Notification, NotificationStatus
from people.models import GuardianStatus, Patient, RelatedPerson
from prescriptions.stock.models import RecalledChild

MOST = 3  # phones of one child
MOBILE = re.compile(r"1\d{10}")  # mainland numbers that can get a text message; a landline can't


def child_of_binding(session: Session, source_id: UUID) -> Patient | None:
    """The child whom a guardian was bound to; None when that has been undone meanwhile."""
    bound = session.get_one(RelatedPerson, source_id)
    return session.get_one(Patient, bound.patient_id) if bound.status is GuardianStatus.ACTIVE else None


def child_of_appointment(session: Session, source_id: UUID) -> Patient | None:
    """The child whose clinic was stopped."""
    return session.get_one(Patient, session.get_one(Appointment, source_id).patient_id)


def child_if_called(session: Session, source_id: UUID) -> Patient | None:
    """The child whom the doctor calls; None when the call is over."""
    found = known(session, source_id)
    called = found and found.status is EncounterStatus.ARRIVED and found.called_at
    return session.get_one(Patient, found.patient_id) if found and called else None


def child_not_reached(session: Session, source_id: UUID) -> Patient | None:
    """The child who got a recalled medicine; None when the family knows."""
    concerned = session.get_one(RecalledChild, source_id)
    return session.get_one(Patient, concerned.patient_id) if concerned.reached_at is None else None


# For each message that must arrive: the child it is about, or None when it no longer needs to.
CHILDREN: Mapping[str, Callable[[Session, UUID], Patient | None]] = {
    "guardian-bound": child_of_binding,
    "clinic-stopped": child_of_appointment,
    "line-called": child_if_called,
    "medicine-recalled": child_not_reached,
}

# For each of them the other way round: what it may be about, for a child.
SOURCES: Mapping[str, Callable[[UUID], Select[UUID]]] = {
    "guardian-bound": lambda patient_id: select(RelatedPerson.id).where(RelatedPerson.patient_id == patient_id)
}


def number_of_child(session: Session, notification_id: UUID) -> str | None:
    """The patient number of the child whom a failed message is about."""
    failed = session.get_one(Notification, notification_id)
    child = CHILDREN[failed.message](session, failed.source_id)
    return child.number if child else None


def mobiles(phones: Sequence[str]) -> list[str]:
    """Those of the index's numbers (digits only) that can get a text message."""
    return [phone for phone in phones if MOBILE.fullmatch(phone)][:MOST]


def put_texts(session: Session, notification_id: UUID, phones: Sequence[str], now: datetime) -> None:
    """Write one text message per phone, once for each event however many guardians WeChat could not reach."""
    failed = session.get_one(Notification, notification_id)
    for place, phone in enumerate(phones, start=1):
        row = insert(Notification).values(
            id=new_id(),
            account_id=failed.account_id,
            message=failed.message,
            source_id=failed.source_id,
            occasion=f"text-{place}",
            data=failed.data,
            path=failed.path,
            status=NotificationStatus.QUEUED,
            due_at=now,
            attempts=0,
            phone=phone,
            created_at=now,
        )
        session.execute(row.on_conflict_do_nothing())
