"""Handing over at the hospital's window: by the order's number and the family's code, with wrong ones counted."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.jobs import emit
from people.audit import record as audit
from people.models import AuditEvent, Practitioner
from prescriptions.dispensing.events import MedicineHandedOver
from prescriptions.dispensing.models import DispenseStatus, MedicationDispense
from prescriptions.dispensing.refusals import TooManyPickupCodes, WrongPickupCode
from prescriptions.orders import actions as orders
from prescriptions.orders.models import MedicineOrder, OrderStatus, Way

TRIES, WITHIN = 5, timedelta(minutes=30)
ACTION = "hand-over"


def hand_over(session: Session, number: str, code: str, by: Practitioner, now: datetime) -> MedicineOrder:
    """Give an order out to whoever has its number and code. Raises WrongPickupCode, TooManyPickupCodes."""
    wanted = select(MedicineOrder).where(
        MedicineOrder.number == number.strip().upper(), MedicineOrder.way == Way.PICKUP
    )
    order = session.scalar(wanted.with_for_update(key_share=True))
    if order is None:
        raise WrongPickupCode(field="number")
    if _wrong(session, order.id, now) >= TRIES:
        raise TooManyPickupCodes(minutes=int(WITHIN.total_seconds() // 60))
    if not _ready(session, order) or not _same(code, order.pickup_code):
        raise WrongPickupCode(field="code", afterwards=lambda later: _note(later, order.id, by, now, "wrong-code"))
    orders.completed(session, order.id, now)
    _note(session, order.id, by, now, "done")
    emit(session, MedicineHandedOver(order.id))
    return order


def _ready(session: Session, order: MedicineOrder) -> bool:
    state = select(MedicationDispense.status).where(MedicationDispense.order_id == order.id)
    return order.status is OrderStatus.PAID and session.scalar(state) is DispenseStatus.COMPLETED


def _same(code: str, kept: str | None) -> bool:
    return kept is not None and secrets.compare_digest("".join(code.split()).encode(), kept.encode())


def _wrong(session: Session, order_id: UUID, now: datetime) -> int:
    """Wrong codes of the last half hour: the audit record counts, also with Redis down."""
    wanted = select(func.count()).where(
        AuditEvent.action == ACTION,
        AuditEvent.outcome == "wrong-code",
        AuditEvent.entity_id == order_id,
        AuditEvent.at > now - WITHIN,
    )
    return session.scalar(wanted) or 0


def _note(session: Session, order_id: UUID, by: Practitioner, now: datetime, outcome: str) -> None:
    who = by.account_id
    audit(session, ACTION, at=now, entity="medicine_order", entity_id=order_id, account_id=who, outcome=outcome)
