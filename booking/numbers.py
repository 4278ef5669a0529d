"""The hot path: one statement takes a schedule's lowest free number and inserts its appointment.

``FOR UPDATE SKIP LOCKED`` lets everybody in the rush take a different number without waiting for each other. A number
with a fee is held until it is paid, one without is booked. ``book`` writes the record and the fact with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Insert,
    Interval,
    Select,
    String,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.orm import Session

from booking.events import AppointmentBooked
from booking.models import Appointment, AppointmentStatus, Pool, Schedule, ScheduleStatus, Slot, SlotStatus
from config.database import Json
from config.hot import Hot
from config.ids import new_id
from config.jobs import HANDLE_FACT, QUEUE, QUEUE_NAME, as_job
from people.models import AuditEvent

TABLE = cast(Table, Appointment.__table__)
AUDIT = cast(Table, AuditEvent.__table__)
MOMENT = TABLE.c.booked_at.type
Columns = dict[str, ColumnElement[Any]]


class Taken(NamedTuple):
    """The appointment of a number just taken, and whether it is only held."""

    id: UUID
    held: bool


def _taken(*, this_one: bool = False) -> CTE:
    """The number that is taken, with what its schedule says of it.

    The pool is asked for as one of a list: to PostgreSQL it is then no constant, so only ``ix_slots_free`` brings the
    numbers in this order. By the index of all numbers it would walk over every number taken before.
    """
    wanted = Slot.id == bindparam("for_slot") if this_one else Slot.pool == any_(array([bindparam("from_pool")]))
    opened = (  # whoever stops the clinic (booking/actions/stopping.py) and whoever books wait for each other here
        select(Schedule.id, Schedule.department_id, Schedule.day, Schedule.fee_fen, Schedule.delay_minutes)
        .where(Schedule.id == bindparam("for_schedule"), Schedule.status == ScheduleStatus.ACTIVE)
        .with_for_update(read=True, key_share=True)
        .cte("opened")
    )
    of_schedule = (opened.c.department_id, opened.c.day, opened.c.fee_fen, opened.c.delay_minutes)
    free = (
        select(Slot.id, *of_schedule)
        .join(opened, opened.c.id == Slot.schedule_id)
        .where(Slot.schedule_id == bindparam("for_schedule"), Slot.status == SlotStatus.FREE)
        .where(wanted)
        .order_by(Slot.pool, Slot.number)
        .limit(1)
        .with_for_update(of=Slot, skip_locked=True)
        .cte("free")
    )
    return (
        update(Slot)
        .where(and_(Slot.id == free.c.id))
        .values(status=_when(free, SlotStatus.BUSY_TENTATIVE, SlotStatus.BUSY))
        .returning(Slot.id, Slot.schedule_id, Slot.number, Slot.starts_at, *(free.c[part.key] for part in of_schedule))
        .cte("taken")
    )


def _when(number: FromClause, costs: object, free: object) -> ColumnElement[Any]:
    """One value for a number with a fee, another for one without."""
    return case((number.c.fee_fen > 0, _plain(costs)), else_=_plain(free))


def _plain(value: object) -> ColumnElement[Any]:
    return value if isinstance(value, ColumnElement) else literal(str(value))


def _values(taken: CTE) -> Columns:
    """The appointment of a number, held or booked."""
    return {
        "id": bindparam("new_id", type_=Uuid()),
        "slot_id": taken.c.id,
        "schedule_id": taken.c.schedule_id,
        "department_id": taken.c.department_id,
        "patient_id": bindparam("for_patient", type_=Uuid()),
        "account_id": bindparam("by_account", type_=Uuid()),
        "day": taken.c.day,
        "number": taken.c.number,
        "starts_at": taken.c.starts_at,
        "fee_fen": taken.c.fee_fen,
        "status": _when(taken, AppointmentStatus.PENDING, AppointmentStatus.BOOKED),
        "hold_until": _when(taken, bindparam("until", type_=MOMENT), null()),
        "replaces_id": bindparam("instead_of", type_=Uuid()),
        "booked_at": bindparam("at_moment", type_=MOMENT),
    }


def _whole(taken: CTE) -> Columns:
    """What a whole booking has besides: what it rests on, and the reminders of one that costs nothing (the same as
    booking/rules.py has them)."""
    delay = func.make_interval(0, 0, 0, 0, 0, taken.c.delay_minutes)
    soon = taken.c.starts_at + delay - bindparam("remind_before", type_=Interval())
    late = or_(taken.c.fee_fen > 0, soon <= bindparam("at_moment", type_=MOMENT))
    return {
        "evidence": bindparam("evidence", type_=JSONB()),
        "screen_id": bindparam("screen", type_=Uuid()),
        "remind_day_at": _when(taken, null(), bindparam("day_before", type_=MOMENT)),
        "remind_soon_at": case((late, null()), else_=soon),
    }


def _made(values: Columns) -> CTE:
    row = insert(TABLE).from_select(list(values), select(*values.values()), include_defaults=False)
    return row.returning(TABLE.c.id, TABLE.c.status, TABLE.c.account_id).cte("made")


def _noted(made: CTE) -> Insert:
    """The record of the booking, as people.audit.record writes it."""
    values: Columns = {
        "id": bindparam("note_id", type_=Uuid()),
        "at": bindparam("at_moment", type_=MOMENT),
        "account_id": made.c.account_id,
        "action": literal("book"),
        "outcome": literal("done"),
        "entity": literal("appointment"),
        "entity_id": made.c.id,
        "detail": func.jsonb_build_object(),
    }
    return insert(AUDIT).from_select(list(values), select(*values.values()), include_defaults=False)


def _told(made: CTE) -> Insert:
    """The fact of a number that is booked at once, as config.jobs.emit writes it."""
    values: Columns = {
        "queue_name": literal(QUEUE_NAME),
        "task_name": literal(HANDLE_FACT),
        "lock": bindparam("fact_lock", type_=String()),
        "args": bindparam("fact", type_=JSONB()),
    }
    booked = select(*values.values()).where(made.c.status == AppointmentStatus.BOOKED)
    return insert(QUEUE).from_select(list(values), booked, include_defaults=False)


def _statement(*, this_one: bool = False, whole: bool = False) -> Select[UUID, bool]:
    taken = _taken(this_one=this_one)
    made = _made(_values(taken) | (_whole(taken) if whole else {}))
    answer = select(made.c.id, made.c.status == AppointmentStatus.PENDING)
    return answer.add_cte(_noted(made).cte("noted"), _told(made).cte("told")) if whole else answer


TAKE, TAKE_THIS, BOOK = Hot(_statement()), Hot(_statement(this_one=True)), Hot(_statement(whole=True))


def take(
    session: Session,
    schedule_id: UUID,
    patient_id: UUID,
    account_id: UUID,
    now: datetime,
    hold_until: datetime,
    replaces_id: UUID | None = None,
    *,
    pools: Iterable[Pool] = (Pool.OPEN,),
    slot_id: UUID | None = None,
) -> Taken | None:
    """Take the schedule's lowest free number for a child; with a fee it is held until ``hold_until``.

    ``pools``: whose numbers, one after the other. ``slot_id``: this very number, whatever its pool.

    Returns the appointment, or None: nothing was free. Raises psycopg.errors.UniqueViolation when the child holds a
    number of the department and day already. An empty answer is asked once more: a number freed meanwhile, or locked by
    a booking that rolled back, is not "sold out".
    """
    values = {
        "new_id": new_id(),
        "for_schedule": schedule_id,
        "for_patient": patient_id,
        "by_account": account_id,
        "at_moment": now,
        "until": hold_until,
        "instead_of": replaces_id,
    }
    if slot_id:
        return _twice(session, TAKE_THIS, values, [{"for_slot": slot_id}])
    return _twice(session, TAKE, values, [{"from_pool": str(pool)} for pool in pools])


def book(
    session: Session,
    schedule_id: UUID,
    patient_id: UUID,
    account_id: UUID,
    now: datetime,
    hold_until: datetime,
    *,
    pool: Pool,
    evidence: Json,
    screen_id: UUID,
    remind_day_at: datetime | None,
    remind_before: timedelta,
) -> Taken | None:
    """As ``take``, and what belongs to a whole booking: evidence, answers, reminders, the record, and the fact if it is
    booked at once."""
    made = new_id()
    lock, fact = as_job(AppointmentBooked(appointment_id=made))
    values = {
        "new_id": made,
        "for_schedule": schedule_id,
        "for_patient": patient_id,
        "by_account": account_id,
        "at_moment": now,
        "until": hold_until,
        "instead_of": None,
        "evidence": json.dumps(evidence),
        "screen": screen_id,
        "day_before": remind_day_at,
        "remind_before": remind_before,
        "note_id": new_id(),
        "fact_lock": lock,
        "fact": json.dumps(fact),
    }
    return _twice(session, BOOK, values, [{"from_pool": str(pool)}])


def _twice(
    session: Session, statement: Hot, values: Mapping[str, object], wanted: list[dict[str, object]]
) -> Taken | None:
    for which in wanted * 2:
        for row in statement(session, {**values, **which}):
            return Taken(*row)
    return None
