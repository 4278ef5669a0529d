"""What the verbs share: a parcel of one's own, and whom to tell when something is wrong with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.jobs import emit
from config.text import N_
from people import tasks
from people.models import Role
from prescriptions.delivery.events import DeliveryFailed
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.orders.models import MedicineOrder

SEEN_WITHIN = timedelta(hours=2)
PARCEL_TASK = tasks.kind(
    "delivery-trouble", title=N_("Parcel of order %(about)s: see what is wrong"), path="/desk/deliveries/{id}"
)


def locked(session: Session, delivery_id: UUID) -> Delivery:
    """The parcel, ours until the transaction ends. Raises NotFound."""
    wanted = select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def standing(session: Session, order_id: UUID, but: UUID | None = None) -> bool:
    """Whether a parcel of an order is to come, on its way, or there; ``but`` leaves one out."""
    gone = (DeliveryStatus.FAILED, DeliveryStatus.RETURNED)
    wanted = select(Delivery.id).where(Delivery.order_id == order_id, Delivery.status.not_in(gone), Delivery.id != but)
    return session.scalar(wanted.limit(1)) is not None


def trouble(session: Session, parcel: Delivery, why: str, now: datetime) -> None:
    """It did not arrive: the dispatchers see to it, and the family is told."""
    ask_somebody(session, parcel, now)
    emit(session, DeliveryFailed(parcel.id, why))


def ask_somebody(session: Session, parcel: Delivery, now: datetime) -> None:
    """The dispatchers are to look at a parcel."""
    number = session.get_one(MedicineOrder, parcel.order_id).number
    about = {"zh_CN": number, "en": number}
    deadline = now + SEEN_WITHIN
    kind, role = PARCEL_TASK, Role.DISPATCHER
    tasks.open(session, kind=kind, subject_id=parcel.id, about=about, deadline=deadline, now=now, role=role)
