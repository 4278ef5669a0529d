"""The one order in which rows are locked; who keeps it can't wait in a circle (docs/booking.md, "The order of locks").

First every schedule that the transaction will need, by id; then appointments. A schedule's lock leaves bookings alone:
their foreign keys point at the row, and nobody here changes its key. ``alone`` waits for those in flight, and lets none
begin.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from booking.models import Appointment, Schedule
from config.errors import NotFound


def lock_schedules(session: Session, ids: Iterable[UUID], *, alone: bool = False) -> list[Schedule]:
    """Those of these schedules that there are, as they are now, by id; their lists are ours until the transaction
    ends."""
    chosen = select(Schedule).where(Schedule.id.in_(set(ids))).order_by(Schedule.id)
    locking = chosen.with_for_update(key_share=not alone)
    return list(session.scalars(locking.execution_options(populate_existing=True)))


def lock_schedule(session: Session, schedule_id: UUID, *, alone: bool = False) -> Schedule:
    """One schedule as it is now. Raises NotFound."""
    found = lock_schedules(session, [schedule_id], alone=alone)
    if not found:
        raise NotFound
    return found[0]


def locked(session: Session, appointment_id: UUID, *schedule_ids: UUID) -> Appointment:
    """The appointment as it is now; nobody else moves it before this transaction ends. Its schedule, that of the number
    which it replaces, and ``schedule_ids`` are locked before it."""
    old = aliased(Appointment)
    places = select(Appointment.schedule_id, old.schedule_id).outerjoin(old, old.id == Appointment.replaces_id)
    own = session.execute(places.where(Appointment.id == appointment_id)).one()
    lock_schedules(session, [one for one in (*own, *schedule_ids) if one])
    chosen = select(Appointment).where(Appointment.id == appointment_id).with_for_update(key_share=True)
    return session.scalars(chosen.execution_options(populate_existing=True)).one()
