"""The copy of a child's file has its medicines, by FHIR R4; nothing of what is still open is removed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from config.policy import Policy
from people.keeping.holdings import Reader
from people.models import Patient
from prescriptions.after import actions
from prescriptions.after.actions.reactions import Told
from prescriptions.after.models import Reporter
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.dispensing.models import DispensedItem, DispenseStatus, MedicationDispense
from prescriptions.holdings import unsettled
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine, OrderStatus, Way
from prescriptions.stock.models import Lot
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus
from prescriptions.writing.submitting import cancel
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER
from tests.product import Hospital, account, member
from worker.copies import gather

FHIR = ("MedicationRequest", "MedicationDispense", "AdverseEvent", "Provenance")
DAY = timedelta(days=1)
CLOSED = text(
    "update adverse_events set status = 'closed', outcome = 'resolved', causality = 'possible', closed_at = :at,"
    " practitioner_id = :by"
)


@pytest.fixture
def made(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    """Ordered, given out of a lot, delivered; a reaction was reported."""
    found = signed(session, hospital, now, FEVER)
    line = session.scalars(select(PrescriptionLine)).one()
    order = MedicineOrder(
        number="M1", prescription_id=found.id, patient_id=found.patient_id, account_id=hospital.mother.id,
        way=Way.DELIVERY, address='{"street": "望京街1号"}', region="110105", status=OrderStatus.COMPLETED,
        medicines_fen=1200, delivery_fen=800, hold_until=now, promised_at=now + DAY, created_at=now, completed_at=now,
    )  # fmt: skip
    lot = Lot(medication_id=line.medication_id, number="L202611", expires_on=(now + 300 * DAY).date(), on_hand=9)
    session.add_all((order, lot))
    session.flush()
    ordered = MedicineOrderLine(
        order_id=order.id, prescription_line_id=line.id, medication_id=line.medication_id, packages=1, price_fen=1200
    )
    picker, checker = (member(session, f"rx-{n}", None) for n in ("p", "c"))
    given = MedicationDispense(
        order_id=order.id, prescription_id=found.id, patient_id=found.patient_id, status=DispenseStatus.COMPLETED,
        picker_id=picker.id, checker_id=checker.id, created_at=now, picked_at=now, completed_at=now,
    )  # fmt: skip
    parcel = Delivery(
        order_id=order.id, prescription_id=found.id, patient_id=found.patient_id, courier="sim", waybill="SF1",
        code="7788", status=DeliveryStatus.DELIVERED, due_at=now, created_at=now, delivered_at=now,
    )  # fmt: skip
    session.add_all((ordered, given, parcel))
    session.flush()
    session.add(DispensedItem(dispense_id=given.id, order_line_id=ordered.id, lot_id=lot.id, quantity=1))
    told = Told(["rash"], 1, now, "背上红点")
    actions.report(session, found, hospital.mother.id, Reporter.FAMILY, told, now, Policy())
    actions.begun(session, found.id, now)
    session.commit()
    return found


def _role(provenance: dict[str, Any]) -> str:
    return str(provenance["agent"][0]["type"]["coding"][0]["code"])


def told(session: Session, child: Patient, account_id: Any, now: datetime) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in gather(session, child.id, Reader(account_id), now).resources:
        found.setdefault(one["resourceType"], []).append(one)
    return found


def test_the_copy_has_the_medicines_by_fhir(
    session: Session, hospital: Hospital, made: Prescription, now: datetime
) -> None:
    found = told(session, hospital.child, hospital.mother.id, now)
    assert {"prescriber", "reviewer"} == {_role(one) for one in found["Provenance"]}
    for kind in FHIR:
        for one in found[kind]:
            get_fhir_model_class(kind).model_validate(one)
    (asked,) = found["MedicationRequest"]
    assert asked["dosageInstruction"][0]["timing"]["repeat"]["frequency"] == 4
    (given,) = found["MedicationDispense"]
    assert given["contained"][0]["batch"]["lotNumber"] == "L202611"
    assert given["authorizingPrescription"] == [{"reference": f"MedicationRequest/{asked['id']}"}]
    assert found["AdverseEvent"][0]["event"]["text"] == "背上红点"
    assert made.digest
    assert found["Prescription"][0]["digest"] == made.digest.hex()
    assert {"MedicineOrder", "Delivery", "CourseEnd"} <= set(found)
    assert found["MedicineOrder"][0]["address"] == {"street": "望京街1号"}
    assert re.search(r"\b7788\b", str(found)) is None, "what is said at the door"


def test_another_guardian_reads_neither_words_nor_address(
    session: Session, hospital: Hospital, made: Prescription, now: datetime
) -> None:
    father = account(session, "o-father", now)
    said = str(told(session, hospital.child, father.id, now))
    assert "背上红点" not in said
    assert "望京街" not in said
    assert "皮疹" in said


@pytest.mark.parametrize("withdrawn", [False, True])
@pytest.mark.parametrize("status", [PrescriptionStatus.IN_REVIEW, PrescriptionStatus.REJECTED])
def test_what_no_pharmacist_accepted_is_not_the_familys_yet(
    session: Session, hospital: Hospital, now: datetime, status: PrescriptionStatus, withdrawn: bool
) -> None:
    made = signed(session, hospital, now, FEVER, status=status)
    if withdrawn:
        cancel(session, made, by="test", why="withdrawn", now=now)
    assert not {"MedicationRequest", "Prescription"} & set(told(session, hospital.child, hospital.mother.id, now))
    assert {"MedicationRequest", "Prescription"} <= set(told(session, hospital.child, None, now))


def test_what_is_open_holds_the_child(session: Session, hospital: Hospital, made: Prescription, now: datetime) -> None:
    def held() -> bool:
        return hospital.child.id in session.scalars(unsettled()).all()

    assert held(), "a reaction that nobody has closed"
    session.execute(CLOSED, {"at": now, "by": member(session, "rx-x", None).id})
    assert not held()
    for status, open_ in ((OrderStatus.PAID, True), (OrderStatus.PENDING, True), (OrderStatus.COMPLETED, False)):
        session.execute(update(MedicineOrder).values(status=status))
        assert held() is open_
