"""Reads of orders. ``for_family`` is the only way to one for a parent; the staff's pages ask for their roles
themselves."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.access import Viewer, patient_of
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.dispensing.models import DispenseStatus, MedicationDispense
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine, OrderStatus, Way
from prescriptions.orders.refusals import NotTheirs
from prescriptions.orders.regions import named
from prescriptions.writing.queries import Medicine, medicines


@dataclass(frozen=True)
class To:
    """Where an order is sent, as it was when it was made."""

    region: str
    street: str
    name: str
    phone: str

    @property
    def whole(self) -> str:
        """District and street on one line."""
        return f"{named(self.region)}{self.street}"


@dataclass(frozen=True)
class Ordered:
    """A line of an order with its medicine."""

    line: MedicineOrderLine
    medicine: Medicine

    @property
    def sum_fen(self) -> int:
        """What the line costs."""
        return self.line.packages * self.line.price_fen


@dataclass(frozen=True)
class Step:
    """One step of an order's way; ``at``: when it was done, if it was."""

    code: str
    at: datetime | None


def order(session: Session, order_id: UUID) -> MedicineOrder:
    """One order, for the clinic's own work: no viewer, never for a page. Raises NotFound."""
    found = session.get(MedicineOrder, order_id)
    if found is None:
        raise NotFound
    return found


def for_family(session: Session, viewer: Viewer, order_id: UUID) -> MedicineOrder:
    """An order for a child of the viewer's. Raises NotFound."""
    found = order(session, order_id)
    patient_of(session, viewer, found.patient_id)
    return found


def of_payer(session: Session, viewer: Viewer, order_id: UUID) -> MedicineOrder:
    """An order for a child of the viewer's that the viewer has made. Raises NotFound, NotTheirs."""
    found = for_family(session, viewer, order_id)
    if found.account_id != viewer.account_id:
        raise NotTheirs
    return found


def of_children(session: Session, children: Collection[UUID], limit: int = 50) -> Sequence[MedicineOrder]:
    """The orders for these children, the newest first."""
    wanted = select(MedicineOrder).where(MedicineOrder.patient_id.in_(children))
    return session.scalars(wanted.order_by(MedicineOrder.id.desc()).limit(limit)).all()


def standing(session: Session, prescription_id: UUID) -> MedicineOrder | None:
    """The order for a prescription that was not cancelled."""
    return session.scalar(
        select(MedicineOrder).where(
            MedicineOrder.prescription_id == prescription_id, MedicineOrder.status != OrderStatus.CANCELLED
        )
    )


def lines(session: Session, order_id: UUID) -> list[Ordered]:
    """The lines of an order, as the prescription has them in order."""
    found = order(session, order_id)
    rows = session.scalars(select(MedicineOrderLine).where(MedicineOrderLine.order_id == order_id)).all()
    by_line = {row.prescription_line_id: row for row in rows}
    prescribed = medicines(session, found.prescription_id)
    return [Ordered(by_line[one.line.id], one) for one in prescribed if one.line.id in by_line]


def address_of(found: MedicineOrder) -> To | None:
    """Where it is sent; None for what is picked up."""
    return To(**json.loads(found.address)) if found.address else None


def dispense_of(session: Session, order_id: UUID) -> MedicationDispense | None:
    """The pharmacy's work on an order, once it was paid."""
    return session.scalar(select(MedicationDispense).where(MedicationDispense.order_id == order_id))


def delivery_of(session: Session, order_id: UUID) -> Delivery | None:
    """Its last parcel."""
    newest = select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.id.desc()).limit(1)
    return session.scalar(newest)


def begun(work: MedicationDispense | None) -> bool:
    """Whether the pharmacy has begun: from then on a pharmacist decides whether money goes back."""
    return work is not None and work.status in {DispenseStatus.IN_PROGRESS, DispenseStatus.COMPLETED}


def steps(found: MedicineOrder, work: MedicationDispense | None, parcel: Delivery | None) -> list[Step]:
    """The steps of an order that stands, with those that are done."""
    checked = work.completed_at if work and work.status is DispenseStatus.COMPLETED else None
    first = [Step("paid", found.paid_at), Step("prepared", work.picked_at if work and begun(work) else None)]
    first.append(Step("checked", checked))
    if found.way is Way.PICKUP:
        return [*first, Step("ready", checked), Step("there", found.completed_at)]
    sent = parcel.shipped_at if parcel and parcel.status is not DeliveryStatus.ORDERED else None
    return [*first, Step("shipped", sent), Step("there", found.completed_at)]
