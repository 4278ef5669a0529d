"""Reads of the pharmacy's work: what waits, what is to be picked of which lot, what was given out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.states import StatusChange
from people.access import Viewer, patient_of
from people.models import Patient
from prescriptions.dispensing.labels import Batch, Given
from prescriptions.dispensing.models import DispensedItem, DispenseStatus, MedicationDispense
from prescriptions.dispensing.rules import Wanted
from prescriptions.models import Medication
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine, OrderStatus, Way
from prescriptions.stock.models import Lot, Reservation
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import Medicine, medicines

LISTED = 100
OPEN = (DispenseStatus.PREPARATION, DispenseStatus.IN_PROGRESS)


@dataclass(frozen=True)
class Work:
    """The work on one order, and what it is for."""

    dispense: MedicationDispense
    order: MedicineOrder
    patient: Patient


@dataclass(frozen=True)
class PickLine:
    """One line to be picked: the medicine, packages, the code on them, the lots kept back, and those free besides."""

    line: MedicineOrderLine
    medicine: Medicine
    code: str
    kept: Sequence[tuple[Lot, int]]
    others: Sequence[Lot]


@dataclass(frozen=True)
class Picked:
    """Packages that were picked, with their lot and medicine."""

    item: DispensedItem
    lot: Lot
    medicine: Medicine
    code: str

    @property
    def wanted(self) -> Wanted:
        """As they are to be scanned."""
        item = self.item
        return Wanted(item.id, self.code, self.lot.number, item.quantity, item.scanned)


def waiting(session: Session) -> list[Work]:
    """What is to be picked or checked, the oldest promise first."""
    wanted = (
        select(MedicationDispense, MedicineOrder, Patient)
        .join(MedicineOrder, MedicineOrder.id == MedicationDispense.order_id)
        .join(Patient, Patient.id == MedicationDispense.patient_id)
        .where(MedicationDispense.status.in_(OPEN))
        .order_by(MedicineOrder.promised_at, MedicationDispense.id)
        .limit(LISTED)
    )
    return [Work(*row) for row in session.execute(wanted)]


def sizes(session: Session, orders: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many medicines and packages each of these orders has."""
    wanted = select(
        MedicineOrderLine.order_id, func.count(), cast(func.sum(MedicineOrderLine.packages), Integer)
    ).where(MedicineOrderLine.order_id.in_(orders))
    rows = session.execute(wanted.group_by(MedicineOrderLine.order_id))
    return {order_id: (medicines, packages) for order_id, medicines, packages in rows}


def at_window(session: Session) -> list[Work]:
    """What lies ready to be fetched, the oldest first."""
    wanted = (
        select(MedicationDispense, MedicineOrder, Patient)
        .join(MedicineOrder, MedicineOrder.id == MedicationDispense.order_id)
        .join(Patient, Patient.id == MedicationDispense.patient_id)
        .where(MedicationDispense.status == DispenseStatus.COMPLETED, MedicineOrder.way == Way.PICKUP)
        .where(MedicineOrder.status == OrderStatus.PAID)
        .order_by(MedicationDispense.completed_at)
        .limit(LISTED)
    )
    return [Work(*row) for row in session.execute(wanted)]


def work(session: Session, dispense_id: UUID) -> Work:
    """One order's work. Raises NotFound."""
    dispense = session.get(MedicationDispense, dispense_id)
    if dispense is None:
        raise NotFound
    order = session.get_one(MedicineOrder, dispense.order_id)
    return Work(dispense, order, session.get_one(Patient, dispense.patient_id))


def sheet(session: Session, order: MedicineOrder) -> list[PickLine]:
    """What is to be picked for an order, in the order of its prescription."""
    found = []
    for line, medicine, code in _lines(session, order):
        rows = session.execute(
            select(Lot, Reservation.quantity)
            .join(Reservation, Reservation.lot_id == Lot.id)
            .where(Reservation.order_line_id == line.id)
            .order_by(Lot.expires_on, Lot.id)
        )
        kept = [(row[0], row[1]) for row in rows]
        free = select(Lot).where(
            Lot.medication_id == line.medication_id,
            Lot.recalled_at.is_(None),
            Lot.on_hand > Lot.reserved,
            Lot.expires_on > medicine.line.until,
            Lot.id.not_in([lot.id for lot, _ in kept]),
        )
        others = session.scalars(free.order_by(Lot.expires_on, Lot.id)).all()
        found.append(PickLine(line, medicine, code, kept, others))
    return found


def picked(session: Session, dispense: MedicationDispense) -> list[Picked]:
    """What was picked, in the order of the prescription."""
    order = session.get_one(MedicineOrder, dispense.order_id)
    by_line = {line.id: (medicine, code) for line, medicine, code in _lines(session, order)}
    wanted = select(DispensedItem, Lot).join(Lot, Lot.id == DispensedItem.lot_id)
    wanted = wanted.where(DispensedItem.dispense_id == dispense.id).execution_options(populate_existing=True)
    rows = session.execute(wanted.order_by(Lot.expires_on, Lot.id)).all()
    place = {line_id: n for n, line_id in enumerate(by_line)}
    rows = sorted(rows, key=lambda row: place[row[0].order_line_id])
    return [Picked(item, lot, *by_line[item.order_line_id]) for item, lot in rows]


def given(session: Session, dispense: MedicationDispense) -> list[Given]:
    """What was given out, medicine by medicine, as its labels say it."""
    found: dict[UUID, tuple[Medicine, list[Batch]]] = {}
    for one in picked(session, dispense):
        _, batches = found.setdefault(one.medicine.line.id, (one.medicine, []))
        batches.append(Batch(one.lot.number, one.lot.expires_on, one.item.quantity))
    return [
        Given(
            medicine.product,
            medicine.line.dose,
            medicine.line.times,
            medicine.line.interval,
            medicine.line.days,
            tuple(batches),
        )
        for medicine, batches in found.values()
    ]


def for_family(session: Session, viewer: Viewer, order_id: UUID) -> tuple[Work, Prescription]:
    """What was given out for an order of the viewer's child. Raises NotFound before it is checked."""
    order = session.get(MedicineOrder, order_id)
    if order is None:
        raise NotFound
    child = patient_of(session, viewer, order.patient_id)
    dispense = of_order(session, order_id)
    if dispense is None or dispense.status is not DispenseStatus.COMPLETED:
        raise NotFound
    return Work(dispense, order, child), session.get_one(Prescription, order.prescription_id)


def of_order(session: Session, order_id: UUID) -> MedicationDispense | None:
    """The work on an order, once it has begun."""
    return session.scalar(select(MedicationDispense).where(MedicationDispense.order_id == order_id))


def _lines(session: Session, order: MedicineOrder) -> list[tuple[MedicineOrderLine, Medicine, str]]:
    rows = session.execute(
        select(MedicineOrderLine, Medication.code)
        .join(Medication, Medication.id == MedicineOrderLine.medication_id)
        .where(MedicineOrderLine.order_id == order.id)
    )
    lines = {line.prescription_line_id: (line, code) for line, code in rows}
    known = medicines(session, order.prescription_id)
    return [(lines[one.line.id][0], one, lines[one.line.id][1]) for one in known if one.line.id in lines]


def sent_back(session: Session, dispense: MedicationDispense) -> str:
    """Why it was sent back to be picked anew, if it was."""
    wanted = select(StatusChange.why).where(
        StatusChange.thing_id == dispense.id, StatusChange.to_status == DispenseStatus.PREPARATION
    )
    why = session.scalar(wanted.order_by(StatusChange.id.desc()).limit(1)) or ""
    return why.partition(": ")[2]
