"""What this room keeps of a child (people/keeping/holdings.py), in the order in which it can go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select

from people.keeping.holdings import Clock, Holding, of, through
from people.models import Patient
from prescriptions import told
from prescriptions.after.models import AdverseEvent, CourseEnd, MedicineReminder, ReactionNote, ReactionStatus
from prescriptions.delivery.models import Delivery, DeliveryStatus, DeliveryStep
from prescriptions.dispensing.models import DispensedItem, MedicationDispense
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine, OrderStatus
from prescriptions.signing.models import Signature
from prescriptions.stock.models import RecalledChild, Reservation, StockMove
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionQuestion

_lines = through(MedicineOrderLine.order_id, MedicineOrder.id, of(MedicineOrder.patient_id))


def unsettled() -> Select[Any]:
    """The children of whom an order waits for money or for its medicines, a parcel is under way, or a reaction is not
    over: nothing of them is removed."""
    orders = select(MedicineOrder.patient_id).where(MedicineOrder.status.in_((OrderStatus.PENDING, OrderStatus.PAID)))
    parcels = select(Delivery.patient_id).where(
        Delivery.status.in_((DeliveryStatus.ORDERED, DeliveryStatus.SHIPPED, DeliveryStatus.FAILED))
    )
    reactions = select(AdverseEvent.patient_id).where(AdverseEvent.status != ReactionStatus.CLOSED)
    return select(Patient.id).where(or_(*(Patient.id.in_(reason) for reason in (orders, parcels, reactions))))


HOLDINGS = (
    Holding(
        ReactionNote,
        through(ReactionNote.adverse_event_id, AdverseEvent.id, of(AdverseEvent.patient_id)),
        ReactionNote.at,
        told=told.note,
    ),
    Holding(AdverseEvent, of(AdverseEvent.patient_id), AdverseEvent.reported_at, told=told.reaction),
    Holding(CourseEnd, of(CourseEnd.patient_id), CourseEnd.ask_at, told=told.course),
    Holding(
        MedicineReminder,
        of(MedicineReminder.patient_id),
        MedicineReminder.created_at,
        Clock.PROCESS,
        told=told.reminder,
    ),
    Holding(
        DeliveryStep,
        through(DeliveryStep.delivery_id, Delivery.id, of(Delivery.patient_id)),
        DeliveryStep.at,
        told=told.step,
    ),
    Holding(Delivery, of(Delivery.patient_id), Delivery.created_at, told=told.delivery),
    Holding(
        DispensedItem,
        through(DispensedItem.dispense_id, MedicationDispense.id, of(MedicationDispense.patient_id)),
        None,
        told=told.item,
    ),
    Holding(MedicationDispense, of(MedicationDispense.patient_id), MedicationDispense.created_at),
    Holding(RecalledChild, of(RecalledChild.patient_id), RecalledChild.created_at),
    Holding(Reservation, through(Reservation.order_line_id, MedicineOrderLine.id, _lines), None),
    Holding(StockMove, through(StockMove.order_line_id, MedicineOrderLine.id, _lines), StockMove.at),
    Holding(MedicineOrderLine, _lines, None, told=told.order_line),
    Holding(MedicineOrder, of(MedicineOrder.patient_id), MedicineOrder.created_at, told=told.order),
    Holding(
        Signature,
        through(Signature.prescription_id, Prescription.id, of(Prescription.patient_id)),
        Signature.at,
        told=told.signature,
    ),
    Holding(
        PrescriptionQuestion,
        through(PrescriptionQuestion.prescription_id, Prescription.id, of(Prescription.patient_id)),
        PrescriptionQuestion.asked_at,
    ),
    Holding(PrescriptionLine, of(PrescriptionLine.patient_id), None, told=told.line),
    Holding(
        Prescription,
        of(Prescription.patient_id),
        Prescription.created_at,
        unlink=(Prescription.replaces_id,),
        told=told.prescription,
    ),
)
