"""What this room keeps of a child (people/keeping/holdings.py), in the order in which it can go."""

from __future__ import annotations

from people.keeping.holdings import Clock, Holding, of, through
from prescriptions.after.models import AdverseEvent, CourseEnd, MedicineReminder, ReactionNote
from prescriptions.delivery.models import Delivery, DeliveryStep
from prescriptions.dispensing.models import DispensedItem, MedicationDispense
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine
from prescriptions.signing.models import Signature
from prescriptions.stock.models import RecalledChild, Reservation, StockMove
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionQuestion

_lines = through(MedicineOrderLine.order_id, MedicineOrder.id, of(MedicineOrder.patient_id))

HOLDINGS = (
    Holding(
        ReactionNote,
        through(ReactionNote.adverse_event_id, AdverseEvent.id, of(AdverseEvent.patient_id)),
        ReactionNote.at,
    ),
    Holding(AdverseEvent, of(AdverseEvent.patient_id), AdverseEvent.reported_at),
    Holding(CourseEnd, of(CourseEnd.patient_id), CourseEnd.ask_at),
    Holding(MedicineReminder, of(MedicineReminder.patient_id), MedicineReminder.created_at, Clock.PROCESS),
    Holding(DeliveryStep, through(DeliveryStep.delivery_id, Delivery.id, of(Delivery.patient_id)), DeliveryStep.at),
    Holding(Delivery, of(Delivery.patient_id), Delivery.created_at),
    Holding(
        DispensedItem,
        through(DispensedItem.dispense_id, MedicationDispense.id, of(MedicationDispense.patient_id)),
        None,
    ),
    Holding(MedicationDispense, of(MedicationDispense.patient_id), MedicationDispense.created_at),
    Holding(RecalledChild, of(RecalledChild.patient_id), RecalledChild.created_at),
    Holding(Reservation, through(Reservation.order_line_id, MedicineOrderLine.id, _lines), None),
    Holding(StockMove, through(StockMove.order_line_id, MedicineOrderLine.id, _lines), StockMove.at),
    Holding(MedicineOrderLine, _lines, None),
    Holding(MedicineOrder, of(MedicineOrder.patient_id), MedicineOrder.created_at),
    Holding(Signature, through(Signature.prescription_id, Prescription.id, of(Prescription.patient_id)), Signature.at),
    Holding(
        PrescriptionQuestion,
        through(PrescriptionQuestion.prescription_id, Prescription.id, of(Prescription.patient_id)),
        PrescriptionQuestion.asked_at,
    ),
    Holding(PrescriptionLine, of(PrescriptionLine.patient_id), None),
    Holding(Prescription, of(Prescription.patient_id), Prescription.created_at, unlink=(Prescription.replaces_id,)),
)
