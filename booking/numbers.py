"""The hot path: one statement takes a schedule's lowest free number and inserts its appointment.

``FOR UPDATE SKIP LOCKED`` lets everybody in the rush take a different number without waiting for each other. A number
with a fee is held until it is paid, one without is booked. ``book`` writes the record and the fact with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
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
    true,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from booking.events import AppointmentBooked
from booking.models import (
    CHILD_DAY_INDEX,
    Appointment,
    AppointmentStatus,
    Pool,
    Schedule,
    ScheduleStatus,
    Slot,
    SlotStatus,
)
from config.database import Json
from config.hot import ASKED, Hot, Many
from config.ids import new_id
from config.jobs import HANDLE_FACT, QUEUE, QUEUE_NAME, as_job
from payments import actions as payments
from people.models import AuditEvent

PURPOSE = "appointment"  # of a payment: its reference is the appointment's id
TABLE = cast(Table, Appointment.__table__)
AUDIT = cast(Table, AuditEvent.__table__)
MOMENT = TABLE.c.booked_at.type
Columns = dict[str, ColumnElement[Any]]
OWED = ("id", "account_id", "fee_fen", "hold_until", "booked_at")
OF_SCHEDULE = ("department_id", "day", "fee_fen", "delay_minutes")
NEW: ColumnElement[UUID] = bindparam("new_id", type_=Uuid())
NUMBERS = cast(Table, Slot.__table__).alias("numbers")
CHILD_DAY = next(index for index in TABLE.indexes if index.name == CHILD_DAY_INDEX)


class Taken(NamedTuple):
    """The appointment of a number just taken, and whether it is only held."""

    id: UUID
    held: bool


def _opened(which: ColumnElement[bool]) -> Select[Any]:
    """The schedules that are not stopped: whoever stops a clinic (booking/actions/stopping.py) and whoever books wait
    for each other here."""
    said = (Schedule.__table__.c[name] for name in OF_SCHEDULE)
    found = select(Schedule.id, *said).where(which, Schedule.status == ScheduleStatus.ACTIVE)
    return found.with_for_update(read=True, key_share=True)


def _free(schedule_id: ColumnElement[UUID], *wanted: ColumnElement[bool]) -> Select[Any]:
    """A schedule's free numbers, the lowest first; whoever takes others is passed by."""
    found = select(NUMBERS.c.id, NUMBERS.c.number, NUMBERS.c.starts_at)
    found = found.where(NUMBERS.c.schedule_id == schedule_id, NUMBERS.c.status == SlotStatus.FREE, *wanted)
    return found.order_by(NUMBERS.c.pool, NUMBERS.c.number).with_for_update(skip_locked=True)


def _of_pool(pool: ColumnElement[str]) -> ColumnElement[bool]:
    """The pool is asked for as one of a list: to PostgreSQL it is then no constant, so only ``ix_slots_free`` brings
    the numbers in this order. By the index of all numbers it would walk over every number taken before."""
    return NUMBERS.c.pool == any_(array([pool]))


def _taken(*, this_one: bool = False) -> CTE:
    """The number that is taken, with what its schedule says of it. The schedule is locked before the number."""
    opened = _opened(Schedule.id == bindparam("for_schedule", type_=Uuid())).subquery("opened")
    wanted = NUMBERS.c.id == bindparam("for_slot") if this_one else _of_pool(bindparam("from_pool", type_=String()))
    lowest = _free(opened.c.id, wanted).limit(1).lateral("lowest")
    said = [opened.c[name] for name in OF_SCHEDULE]
    free = select(lowest.c.id, *said).join_from(opened, lowest, true()).subquery("free")
    return (
        update(Slot)
        .where(Slot.id == free.c.id)
        .values(status=_when(free, SlotStatus.BUSY_TENTATIVE, SlotStatus.BUSY))
        .returning(Slot.id, Slot.schedule_id, Slot.number, Slot.starts_at, *(free.c[name] for name in OF_SCHEDULE))
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
        "id": NEW,
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
        "payment_id": _when(taken, bindparam("payment", type_=Uuid()), null()),
    }


def _noted(made: CTE) -> CTE:
    """The record of each booking, as people.audit.record writes it."""
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
    rows = select(*values.values()).join_from(made, ASKED, made.c.id == NEW)
    return insert(AUDIT).from_select(list(values), rows, include_defaults=False).cte("noted")


def _told(made: CTE) -> CTE:
    """The fact of each number that is booked at once, as config.jobs.emit writes it."""
    values: Columns = {
        "queue_name": literal(QUEUE_NAME),
        "task_name": literal(HANDLE_FACT),
        "lock": bindparam("fact_lock", type_=String()),
        "args": bindparam("fact", type_=JSONB()),
    }
    rows = select(*values.values()).join_from(made, ASKED, made.c.id == NEW)
    booked = rows.where(made.c.status == AppointmentStatus.BOOKED)
    return insert(QUEUE).from_select(list(values), booked, include_defaults=False).cte("told")


def _owed(made: CTE) -> CTE:
    """The payment of each number that is only held, as payments.actions.charge writes it."""
    bill: ColumnElement[str] = bindparam("bill", type_=String())
    row = select(*(made.c[name] for name in (*OWED, "payment_id")), bill.label("bill")).join_from(
        made, ASKED, made.c.id == NEW
    )
    owed = row.where(made.c.payment_id.is_not(None)).cte("owed")
    charged = payments.charging(
        owed,
        payment_id=owed.c.payment_id,
        account_id=owed.c.account_id,
        purpose=PURPOSE,
        reference_id=owed.c.id,
        description=owed.c.bill,
        amount_fen=owed.c.fee_fen,
        expires_at=owed.c.hold_until,
        now=owed.c.booked_at,
    )
    return charged.cte("charged")


def _for_one(*, this_one: bool = False) -> ReturningInsert[UUID, bool]:
    values = _values(_taken(this_one=this_one))
    row = insert(TABLE).from_select(list(values), select(*values.values()), include_defaults=False)
    return row.returning(TABLE.c.id, TABLE.c.status == AppointmentStatus.PENDING)


def for_many(*, whole: bool) -> Many:
    """The statement for several children; ``whole``: with record, fact and payment, as ``book`` asks it.

    Each schedule's lowest numbers go to those who want one in the order in which they came; a child who has one already
    gets none, and that number stays free.
    """
    turns = _turns()
    free = _numbers(turns)
    values = _values(free) | (_whole(free) if whole else {})
    rows = (
        select(*values.values())
        .join_from(free, turns, and_(*(free.c[name] == turns.c[name] for name in ("schedule_id", "pool", "turn"))))
        .join(ASKED, ASKED.c.place == turns.c.place)
        .order_by(values["patient_id"])  # the one order of locks
    )
    row = postgresql.insert(TABLE).from_select(list(values), rows, include_defaults=False)
    made = (
        row.on_conflict_do_nothing(
            index_elements=CHILD_DAY.columns, index_where=CHILD_DAY.dialect_options["postgresql"]["where"]
        )
        .returning(TABLE.c.slot_id, TABLE.c.status, TABLE.c.payment_id, *(TABLE.c[name] for name in OWED))
        .cte("made")
    )
    held = select(made.c.slot_id).where(made.c.status == AppointmentStatus.PENDING)
    taken = (
        update(Slot)
        .where(Slot.id == _any_of(select(made.c.slot_id)))
        .values(status=case((Slot.id.in_(held), _plain(SlotStatus.BUSY_TENTATIVE)), else_=_plain(SlotStatus.BUSY)))
    )
    answer = select(ASKED.c.place, made.c.id, made.c.status == AppointmentStatus.PENDING)
    answer = answer.join_from(made, ASKED, made.c.id == NEW).add_cte(taken.cte("taken"))
    return Many(answer.add_cte(_noted(made), _told(made), _owed(made)) if whole else answer, writes=True)


def _any_of(ids: Select[UUID]) -> ColumnElement[Any]:
    """One of these few: looked up by the index, however the planner guesses."""
    return any_(func.array(ids.scalar_subquery()))


def _turns() -> CTE:
    """Who is the how-manieth to want a number of a schedule's pool."""
    schedule_id, pool = bindparam("for_schedule", type_=Uuid()), bindparam("from_pool", type_=String())
    turn = func.row_number().over(partition_by=(schedule_id, pool), order_by=ASKED.c.place)
    return select(ASKED.c.place, schedule_id.label("schedule_id"), pool.label("pool"), turn.label("turn")).cte("turns")


def _numbers(turns: CTE) -> CTE:
    """As many free numbers of each schedule's pool as are wanted."""
    wanted = (
        select(turns.c.schedule_id, turns.c.pool, func.count().label("number"))
        .group_by(turns.c.schedule_id, turns.c.pool)
        .cte("wanted")
    )
    opened = _opened(Schedule.id == _any_of(select(wanted.c.schedule_id))).order_by(Schedule.id).cte("opened")
    found = _free(opened.c.id, _of_pool(wanted.c.pool)).limit(wanted.c.number).lateral("found")
    turn = func.row_number().over(partition_by=(wanted.c.schedule_id, wanted.c.pool), order_by=found.c.number)
    said = (opened.c[name] for name in OF_SCHEDULE)
    rows = select(*found.c, wanted.c.schedule_id, wanted.c.pool, *said, turn.label("turn"))
    rows = rows.join_from(wanted, opened, opened.c.id == wanted.c.schedule_id).join(found, true())
    return rows.cte("free")


TAKE, TAKE_THIS, BOOK = Hot(_for_one()), Hot(_for_one(this_one=True)), for_many(whole=True)


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


class Wanted(NamedTuple):
    """A whole booking: as ``take``'s, with evidence, answers, reminders, and what its bill says if it has a fee."""

    schedule_id: UUID
    patient_id: UUID
    account_id: UUID
    now: datetime
    hold_until: datetime
    pool: Pool
    evidence: Json
    screen_id: UUID
    remind_day_at: datetime | None
    remind_before: timedelta
    bill: str

    def values(self) -> dict[str, object]:
        """With the ids of what will be written."""
        made = new_id()
        lock, fact = as_job(AppointmentBooked(appointment_id=made))
        return {
            "new_id": made,
            "for_schedule": self.schedule_id,
            "from_pool": self.pool,
            "for_patient": self.patient_id,
            "by_account": self.account_id,
            "at_moment": self.now,
            "until": self.hold_until,
            "instead_of": None,
            "evidence": self.evidence,
            "screen": self.screen_id,
            "day_before": self.remind_day_at,
            "remind_before": self.remind_before,
            "payment": new_id(),
            "bill": self.bill,
            "note_id": new_id(),
            "fact_lock": lock,
            "fact": fact,
        }


def book(session: Session, wanted: Sequence[Wanted]) -> list[Taken | None]:
    """Numbers for all of these by one statement, with the record of each, the fact of those booked at once, and the
    payment of those held.

    Who comes first is served first. None: nothing was free, or the child holds a number of that department and day.
    Each of these is asked for once more by itself: what was kept from it for one who got nothing may be free.
    """
    found = _book(session, wanted)
    for place, taken in enumerate(found):
        if taken is None:
            (found[place],) = _book(session, [wanted[place]])
    return found


def _book(session: Session, wanted: Sequence[Wanted]) -> list[Taken | None]:
    asked = [one.values() for one in wanted]
    return [Taken(*rows[0]) if rows else None for rows in BOOK(session, asked)] if asked else []


def _twice(
    session: Session, statement: Hot, values: Mapping[str, object], wanted: list[dict[str, object]]
) -> Taken | None:
    for which in wanted * 2:
        for row in statement(session, {**values, **which}):
            return Taken(*row)
    return None
