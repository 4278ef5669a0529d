"""The hot path: one statement takes a schedule's lowest free number and inserts its appointment.

``FOR UPDATE SKIP LOCKED`` lets everybody in the rush take a different number without waiting for each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, Uuid, and_, bindparam, insert, literal, null, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus, Slot, SlotStatus
from config.ids import new_id


def _statement(slot_status: SlotStatus, status: AppointmentStatus) -> ReturningInsert[UUID]:
    free = (
        select(Slot.id, Schedule.department_id, Schedule.day)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(Slot.schedule_id == bindparam("for_schedule"), Slot.status == SlotStatus.FREE)
        .where(Schedule.status == ScheduleStatus.ACTIVE)
        .order_by(Slot.number)
        .limit(1)
        .with_for_update(of=Slot, skip_locked=True)
        .cte("free")
    )
    taken = (
        update(Slot)
        .where(and_(Slot.id == free.c.id))
        .values(status=slot_status)
        .returning(Slot.id, Slot.schedule_id, Slot.number, Slot.starts_at, free.c.department_id, free.c.day)
        .cte("taken")
    )
    table = cast(Table, Appointment.__table__)
    columns = table.c
    row = select(
        bindparam("new_id", type_=Uuid()),
        taken.c.id,
        taken.c.schedule_id,
        taken.c.department_id,
        bindparam("for_patient", type_=Uuid()),
        bindparam("by_account", type_=Uuid()),
        taken.c.day,
        taken.c.number,
        taken.c.starts_at,
        literal(status, columns.status.type),
        bindparam("at_moment", type_=columns.booked_at.type),
        null(),
        null(),
    )
    names = (
        "id", "slot_id", "schedule_id", "department_id", "patient_id", "account_id", "day", "number", "starts_at",
        "status", "booked_at", "remind_day_at", "remind_soon_at",
    )  # fmt: skip
    return insert(table).from_select(list(names), row, include_defaults=False).returning(table.c.id)


TAKE = _statement(SlotStatus.BUSY, AppointmentStatus.BOOKED)


def take(session: Session, schedule_id: UUID, patient_id: UUID, account_id: UUID, now: datetime) -> UUID | None:
    """Take the schedule's lowest free number for a child. Returns the appointment's id, or None: nothing was free.

    Raises sqlalchemy.exc.IntegrityError when the child holds a number of the department and day already. An empty
    answer is asked once more: a number freed meanwhile, or locked by a booking that rolled back, is not "sold out".
    """
    values = {"for_schedule": schedule_id, "for_patient": patient_id, "by_account": account_id, "at_moment": now}
    for _ in range(2):
        taken: UUID | None = session.execute(TAKE, {"new_id": new_id(), **values}).scalar_one_or_none()
        if taken is not None:
            return taken
    return None
