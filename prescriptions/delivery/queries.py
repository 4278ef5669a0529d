"""Reads of parcels: a family's own, and what stands at the dispatchers' desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.access import Viewer, patient_of
from people.models import AuditEvent, Patient
from prescriptions.delivery.models import Delivery, DeliveryStatus, DeliveryStep
from prescriptions.delivery.rules import in_order
from prescriptions.orders.models import MedicineOrder

LISTED = 100
WRONG = "delivery-wrong"  # of the audit record: a family says so
URGENCY = case(
    (Delivery.status == DeliveryStatus.FAILED, 0),
    (Delivery.status.in_((DeliveryStatus.ORDERED, DeliveryStatus.SHIPPED)), 1),
    else_=2,
)


@dataclass(frozen=True)
class Trace:
    """A parcel with its order and its steps, the newest first."""

    parcel: Delivery
    order: MedicineOrder
    patient: Patient
    steps: Sequence[DeliveryStep]

    def late(self, now: datetime) -> bool:
        """Whether it should have arrived."""
        return self.parcel.status in {DeliveryStatus.ORDERED, DeliveryStatus.SHIPPED} and self.parcel.due_at <= now


def trace(session: Session, delivery_id: UUID) -> Trace:
    """One parcel, for the clinic's own work. Raises NotFound."""
    parcel = session.get(Delivery, delivery_id)
    if parcel is None:
        raise NotFound
    return _trace(session, parcel)


def for_family(session: Session, viewer: Viewer, order_id: UUID) -> Trace:
    """The last parcel of an order of the viewer's child. Raises NotFound."""
    order = session.get(MedicineOrder, order_id)
    if order is None:
        raise NotFound
    patient_of(session, viewer, order.patient_id)
    parcel = of_order(session, order_id)
    if parcel is None:
        raise NotFound
    return _trace(session, parcel)


def of_order(session: Session, order_id: UUID) -> Delivery | None:
    """The last parcel of an order."""
    wanted = select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.id.desc())
    return session.scalar(wanted.limit(1))


def of_prescription(session: Session, prescription_id: UUID) -> list[Trace]:
    """Every parcel of a prescription with its trace, as the regulator asks for it."""
    wanted = select(Delivery).where(Delivery.prescription_id == prescription_id).order_by(Delivery.id)
    return [_trace(session, parcel) for parcel in session.scalars(wanted)]


def listed(session: Session, *, over: bool) -> list[tuple[Delivery, MedicineOrder, Patient]]:
    """Those that are not over, in trouble first, then by when they are due; or the last that are over."""
    ends = (DeliveryStatus.DELIVERED, DeliveryStatus.RETURNED)
    wanted = select(Delivery, MedicineOrder, Patient).join(MedicineOrder, MedicineOrder.id == Delivery.order_id)
    wanted = wanted.join(Patient, Patient.id == Delivery.patient_id)
    if over:
        wanted = wanted.where(Delivery.status.in_(ends)).order_by(Delivery.id.desc())
    else:
        wanted = wanted.where(Delivery.status.not_in(ends)).order_by(URGENCY, Delivery.due_at)
    return [(parcel, order, patient) for parcel, order, patient in session.execute(wanted.limit(LISTED))]


def complaints(session: Session, delivery_id: UUID) -> list[tuple[datetime, str]]:
    """What the family said is wrong, the newest first: when, and which of words.WRONG."""
    wanted = select(AuditEvent).where(AuditEvent.entity_id == delivery_id, AuditEvent.action == WRONG)
    rows = session.scalars(wanted.order_by(AuditEvent.id.desc()).limit(10))
    return [(row.at, str(row.detail.get("what", ""))) for row in rows]


def _trace(session: Session, parcel: Delivery) -> Trace:
    steps = session.scalars(select(DeliveryStep).where(DeliveryStep.delivery_id == parcel.id)).all()
    ordered = [step for step in reversed(in_order(steps)) if isinstance(step, DeliveryStep)]
    order = session.get_one(MedicineOrder, parcel.order_id)
    return Trace(parcel, order, session.get_one(Patient, parcel.patient_id), ordered)
