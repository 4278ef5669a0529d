"""What people do about parcels: the dispatchers at the desk, and a family for whom something is wrong."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from people import tasks
from people.models import Practitioner
from prescriptions.delivery.actions.following import follow
from prescriptions.delivery.actions.sending import begin
from prescriptions.delivery.actions.troubles import PARCEL_TASK, ask_somebody, locked, trouble
from prescriptions.delivery.couriers import Mark, Step
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.delivery.refusals import NotThisWay, WrongDoorCode
from prescriptions.delivery.rules import OVER

A_DAY = timedelta(days=1)
LATE = "late"
GONE = frozenset({DeliveryStatus.FAILED, DeliveryStatus.RETURNED})
UNDER_WAY = (DeliveryStatus.ORDERED, DeliveryStatus.SHIPPED)


def write_down(
    session: Session, delivery_id: UUID, mark: Mark, by: Practitioner, now: datetime, code: str = ""
) -> None:
    """What somebody at the desk knows of a parcel. That it was handed over is believed with the family's code. Raises
    NotThisWay, WrongDoorCode."""
    parcel = locked(session, delivery_id)
    if parcel.waybill is None or parcel.status is DeliveryStatus.RETURNED:
        raise NotThisWay
    if parcel.status is DeliveryStatus.DELIVERED and mark is not Mark.RETURNED:
        raise NotThisWay
    if mark is Mark.DELIVERED and not secrets.compare_digest(code.strip().encode(), parcel.code.encode()):
        raise WrongDoorCode(field="code")
    follow(session, parcel, (Step(mark, now),), f"practitioner:{by.id}", now)


def anew(session: Session, delivery_id: UUID, by: Practitioner, now: datetime) -> Delivery:
    """A further parcel for an order whose last one did not arrive. Raises NotThisWay."""
    old = locked(session, delivery_id)
    made = begin(session, old.order_id, now) if old.status in GONE else None
    if made is None:
        raise NotThisWay
    made.due_at = max(made.due_at, now + A_DAY)
    tasks.settle(session, PARCEL_TASK, old.id, why=f"anew:{by.id}", now=now)
    return made


def ask_now(session: Session, delivery_id: UUID, now: datetime) -> None:
    """The courier is asked with the next sweep. Raises NotThisWay for a parcel that is there, or back."""
    parcel = locked(session, delivery_id)
    if parcel.status in OVER:
        raise NotThisWay
    parcel.ask_at = now


def warn_late(session: Session, now: datetime) -> bool:
    """One parcel that should have arrived by now: dispatchers and family hear of it, once. False: there is none."""
    due = select(Delivery).where(Delivery.status.in_(UNDER_WAY), Delivery.due_at <= now, Delivery.warned_at.is_(None))
    parcel = session.scalar(due.order_by(Delivery.due_at).limit(1).with_for_update(skip_locked=True))
    if parcel is None:
        return False
    parcel.warned_at = now
    trouble(session, parcel, LATE, now)
    return True


def complain(session: Session, delivery_id: UUID, now: datetime) -> None:
    """The family says that something is wrong: the dispatchers look, and call."""
    ask_somebody(session, locked(session, delivery_id), now)
