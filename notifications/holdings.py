"""What this room keeps of a child (people/keeping/holdings.py): what its people were told."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from booking.models import Appointment
from booking.rights_models import FollowupGrant
from booking.waiting_models import WaitingEntry
from consultation.encounters.models import Encounter
from consultation.record.models import Composition, CompositionVersion
from notifications.models import Agreement, Notification, NotificationStatus
from people.keeping.holdings import Children, Clock, Holding
from people.models import RelatedPerson

OVER = (
    NotificationStatus.SENT,
    NotificationStatus.DELIVERED,
    NotificationStatus.FAILED,
    NotificationStatus.DROPPED,
    NotificationStatus.UNKNOWN,
)


def _about(children: Children) -> ColumnElement[bool]:
    """By what messages are about. Those of money and of an account's own affairs are nobody's child's."""
    by_patient = (Appointment, RelatedPerson, FollowupGrant, WaitingEntry, Encounter)
    sources = [select(one.id).where(one.patient_id.in_(children)) for one in by_patient]
    records = select(Composition.id).where(Composition.patient_id.in_(children))
    sources.append(select(CompositionVersion.id).where(CompositionVersion.composition_id.in_(records)))
    found = [Notification.source_id.in_(source) for source in sources]
    return or_(Notification.source_id.in_(children), *found)


HOLDINGS = (
    Holding(
        Notification,
        _about,
        Notification.created_at,
        Clock.PROCESS,
        settled=Notification.status.in_(OVER),
        unlink=(Notification.joined_id, Agreement.notification_id),
    ),
)
