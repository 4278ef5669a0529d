"""What a copy of a child's file says of its medicines, with FHIR R4 names where it has the thing. What a pharmacist has
not accepted is the hospital's to read, not yet the family's."""

from __future__ import annotations

import base64
import json
from typing import Any

from sqlalchemy.orm import Session

from people.keeping.holdings import Reader, Resource, reference, resource
from prescriptions.after.fhir import adverse_event
from prescriptions.dispensing.models import MedicationDispense
from prescriptions.formulary.amounts import number
from prescriptions.formulary.product import Product
from prescriptions.models import Medication, MedicationVersion
from prescriptions.orders.models import MedicineOrderLine
from prescriptions.stock.models import Lot
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus

STATUSES = {
    PrescriptionStatus.IN_REVIEW: "on-hold",
    PrescriptionStatus.APPROVED: "active",
    PrescriptionStatus.REJECTED: "entered-in-error",
    PrescriptionStatus.CANCELLED: "cancelled",
}
AUTHOR = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1", "display": "Author's Signature"}


def _shown(found: Prescription, reader: Reader) -> bool:
    """Whether the reader may have what stands in it."""
    return found.content is not None and (reader.account_id is None or found.accepted)


def prescription(_: Session, row: Any, reader: Reader) -> Resource | None:
    """As it was signed, with its digest."""
    if not _shown(row, reader):
        return None
    said = {"content": json.loads(row.content), "digest": row.digest.hex()}
    about = {"encounter": reference("Encounter", row.encounter_id)}
    return resource("Prescription", row, "number", "status", "signed_at", "valid_until", "reviewed_at", **said, **about)


def line(session: Session, row: Any, reader: Reader) -> Resource | None:
    """A MedicationRequest for each medicine."""
    of = session.get_one(Prescription, row.prescription_id)
    if not _shown(of, reader) or of.status not in STATUSES or of.signed_at is None or of.valid_until is None:
        return None
    product = _product(session, row)
    return {
        "resourceType": "MedicationRequest",
        "id": str(row.id),
        "groupIdentifier": {"value": of.number},
        "status": STATUSES[of.status],
        "intent": "order",
        "medicationCodeableConcept": _named(product),
        "subject": reference("Patient", row.patient_id),
        "encounter": reference("Encounter", of.encounter_id),
        "authoredOn": of.signed_at.isoformat(),
        "requester": reference("Practitioner", of.practitioner_id),
        "dosageInstruction": [_dosage(row, product)],
        "dispenseRequest": {
            "validityPeriod": {"start": of.signed_at.isoformat(), "end": of.valid_until.isoformat()},
            "quantity": {"value": row.packages, "unit": "package"},
        },
    }


def _dosage(row: PrescriptionLine, product: Product) -> dict[str, Any]:
    """At most so often a day, at least so many hours apart, for the days of the line."""
    repeat = {
        "boundsPeriod": {"start": row.starts_on.isoformat(), "end": row.until.isoformat()},
        "frequency": row.times,
        "period": 1,
        "periodUnit": "d",
    }
    unit = product.unit.zh_CN
    dose = {"value": row.dose / 1000, "unit": unit}
    text = f"{number(row.dose, 1000)} {unit}, {row.times}/d, ≥ {row.interval} h, {row.days} d"
    made: dict[str, Any] = {"text": text, "timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}
    return made | {"route": {"coding": [{"code": str(product.route)}]}}


def item(session: Session, row: Any, _: Reader) -> Resource | None:
    """A MedicationDispense for the packages of each lot that were picked."""
    of = session.get_one(MedicationDispense, row.dispense_id)
    ordered = session.get_one(MedicineOrderLine, row.order_line_id)
    prescribed = session.get_one(PrescriptionLine, ordered.prescription_line_id)
    lot = session.get_one(Lot, row.lot_id)
    staff = [reference("Practitioner", id_) for id_ in (of.picker_id, of.checker_id) if id_]
    medication = {
        "resourceType": "Medication",
        "id": "given",
        "code": _named(_product(session, prescribed)),
        "batch": {"lotNumber": lot.number, "expirationDate": lot.expires_on.isoformat()},
    }
    made: dict[str, Any] = {
        "resourceType": "MedicationDispense",
        "id": str(row.id),
        "contained": [medication],
        "status": of.status.value,
        "medicationReference": {"reference": "#given"},
        "subject": reference("Patient", of.patient_id),
        "performer": [{"actor": one} for one in staff],
        "authorizingPrescription": [reference("MedicationRequest", prescribed.id)],
        "quantity": {"value": row.quantity, "unit": "package"},
        "whenPrepared": of.completed_at.isoformat() if of.completed_at else None,
        "statusReasonCodeableConcept": {"text": of.reason} if of.reason else None,
    }
    return {name: value for name, value in made.items() if value}


def signature(session: Session, row: Any, reader: Reader) -> Resource | None:
    """A Provenance: who signed as what, and the signature itself."""
    if not _shown(session.get_one(Prescription, row.prescription_id), reader):
        return None
    who = reference("Practitioner", row.practitioner_id)
    value = base64.b64encode(row.value).decode()
    return {
        "resourceType": "Provenance",
        "id": str(row.id),
        "target": [reference("Prescription", row.prescription_id)],
        "recorded": row.at.isoformat(),
        "agent": [{"type": {"coding": [{"code": str(row.role)}]}, "who": who}],
        "signature": [{"type": [AUTHOR], "when": row.at.isoformat(), "who": who, "data": value}],
    }


def order(_: Session, row: Any, reader: Reader) -> Resource:
    """Where it went is told to who ordered."""
    address = json.loads(row.address) if row.address and reader.own(row.account_id) else None
    about = {"prescription": reference("Prescription", row.prescription_id), "address": address}
    moments = ("created_at", "paid_at", "promised_at", "completed_at")
    return resource(
        "MedicineOrder", row, "number", "way", "status", "medicines_fen", "delivery_fen", "cancel_reason", *moments,
        **about,
    )  # fmt: skip


def order_line(session: Session, row: Any, _: Reader) -> Resource:
    """Packages and the price that was frozen."""
    product = session.get_one(Medication, row.medication_id)
    about = {"order": reference("MedicineOrder", row.order_id), "medication": product.code}
    return resource("MedicineOrderLine", row, "packages", "price_fen", **about)


def delivery(_: Session, row: Any, __: Reader) -> Resource:
    """The parcel; what is said at the door is not told."""
    about = {"order": reference("MedicineOrder", row.order_id)}
    moments = ("created_at", "shipped_at", "delivered_at")
    return resource("Delivery", row, "courier", "waybill", "status", *moments, **about)


def step(_: Session, row: Any, __: Reader) -> Resource:
    """One step of its trace."""
    return resource("DeliveryStep", row, "mark", "place", "at", delivery=reference("Delivery", row.delivery_id))


def reaction(session: Session, row: Any, reader: Reader) -> Resource:
    """An adverse reaction; the words of another guardian stay theirs."""
    made = adverse_event(session, row)
    if not reader.own(row.account_id):
        made["event"] = {**made["event"], "text": "、".join(one["display"] for one in made["event"]["coding"])}
    return made


def note(_: Session, row: Any, __: Reader) -> Resource:
    """What was found and done about a reaction."""
    return resource("ReactionNote", row, "text", "at", reaction=reference("AdverseEvent", row.adverse_event_id))


def course(_: Session, row: Any, __: Reader) -> Resource:
    """When the medicines were given, and how the child was then."""
    about = {"prescription": reference("Prescription", row.prescription_id)}
    return resource("CourseEnd", row, "began_at", "until", "answer", "answered_at", **about)


def reminder(_: Session, row: Any, reader: Reader) -> Resource | None:
    """Only one's own."""
    if not reader.own(row.account_id):
        return None
    about = {"prescription": reference("Prescription", row.prescription_id)}
    return resource("MedicineReminder", row, "times", "active", "created_at", **about)


def _product(session: Session, of: PrescriptionLine) -> Product:
    return Product.model_validate(session.get_one(MedicationVersion, of.version_id).content)


def _named(product: Product) -> dict[str, Any]:
    coding = [{"system": "http://www.whocc.no/atc", "code": product.atc}] if product.atc else []
    own = {"code": product.code, "display": product.name.zh_CN}
    return {"coding": [*coding, own], "text": f"{product.name.zh_CN} {product.strength}"}
