"""Where a family's prescriptions stand, from the doctor's signature to the end of the course: what is said of each, and
what can be done next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import today
from people.access import Viewer, children_of
from people.models import Patient, Practitioner
from prescriptions.after.models import CourseEnd
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.dispensing.models import DispenseStatus, MedicationDispense
from prescriptions.orders.models import MedicineOrder, OrderStatus, Way
from prescriptions.signing.refusals import Damaged
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import Medicine, medicines, of_children


class Stands(StrEnum):
    """As the family sees it. What a pharmacist sent back is being reviewed, too."""

    REVIEW = "review"
    ORDER = "order"
    PAY = "pay"
    PREPARING = "preparing"
    READY = "ready"
    SHIPPED = "shipped"
    FAILED = "failed"
    ARRIVED = "arrived"
    ENDED = "ended"
    DAMAGED = "damaged"  # it is not what was signed


@dataclass(frozen=True)
class Known:
    """What there is of one prescription."""

    prescription: Prescription
    order: MedicineOrder | None = None
    dispense: MedicationDispense | None = None
    delivery: Delivery | None = None
    course: CourseEnd | None = None


@dataclass(frozen=True)
class Shown:
    """One line of the list. ``medicines`` is empty until it was approved."""

    known: Known
    stands: Stands
    patient: Patient
    doctor: Practitioner
    medicines: Sequence[Medicine]


def stands(known: Known, now: datetime) -> Stands:
    """Pure: where a prescription stands at a moment."""
    found, order = known.prescription, known.order
    if found.status in (PrescriptionStatus.IN_REVIEW, PrescriptionStatus.REJECTED):
        return Stands.REVIEW if found.valid_until and now < found.valid_until else Stands.ENDED
    if known.course:
        return Stands.ARRIVED if today(now) <= known.course.until else Stands.ENDED
    if found.status is not PrescriptionStatus.APPROVED:
        return Stands.ENDED
    if order is None:
        return Stands.ORDER if found.valid_until and now < found.valid_until else Stands.ENDED
    if order.status is OrderStatus.PENDING:
        return Stands.PAY
    return Stands.ARRIVED if order.status is OrderStatus.COMPLETED else _underway(known, order)


def _underway(known: Known, order: MedicineOrder) -> Stands:
    """A paid order: with the pharmacy, ready at its window, with the courier, or in trouble."""
    parcel = known.delivery.status if known.delivery else None
    if parcel in (DeliveryStatus.FAILED, DeliveryStatus.RETURNED):
        return Stands.FAILED
    if parcel in (DeliveryStatus.SHIPPED, DeliveryStatus.DELIVERED):
        return Stands.SHIPPED
    ready = known.dispense is not None and known.dispense.status is DispenseStatus.COMPLETED
    return Stands.READY if order.way is Way.PICKUP and ready else Stands.PREPARING


def listed(session: Session, viewer: Viewer, now: datetime) -> list[Shown]:
    """The signed prescriptions of the viewer's children, newest first."""
    found = of_children(session, session.scalars(children_of(viewer)).all())
    return [_shown(session, one, now) for one in known(session, found)]


def known(session: Session, found: Sequence[Prescription]) -> list[Known]:
    """What there is of each, for somebody who was let to them."""
    ids = [one.id for one in found]
    orders = {one.prescription_id: one for one in _orders(session, ids)}
    work = select(MedicationDispense).where(MedicationDispense.prescription_id.in_(ids)).order_by(MedicationDispense.id)
    dispenses = {one.order_id: one for one in session.scalars(work)}
    parcels = select(Delivery).where(Delivery.prescription_id.in_(ids)).order_by(Delivery.id)
    deliveries = {one.order_id: one for one in session.scalars(parcels)}
    begun = select(CourseEnd).where(CourseEnd.prescription_id.in_(ids))
    courses = {one.prescription_id: one for one in session.scalars(begun)}
    made = []
    for one in found:
        order = orders.get(one.id)
        more = (dispenses.get(order.id), deliveries.get(order.id)) if order else (None, None)
        made.append(Known(one, order, *more, courses.get(one.id)))
    return made


def _orders(session: Session, ids: Collection[UUID]) -> Sequence[MedicineOrder]:
    wanted = MedicineOrder.prescription_id.in_(ids), MedicineOrder.status != OrderStatus.CANCELLED
    return session.scalars(select(MedicineOrder).where(*wanted)).all()


def _shown(session: Session, one: Known, now: datetime) -> Shown:
    """One that was changed does not hide the others."""
    found, where, given = one.prescription, stands(one, now), list[Medicine]()
    if found.accepted:
        try:
            given = medicines(session, found.id)
        except Damaged:
            where = Stands.DAMAGED
    patient = session.get_one(Patient, found.patient_id)
    return Shown(one, where, patient, session.get_one(Practitioner, found.practitioner_id), given)
