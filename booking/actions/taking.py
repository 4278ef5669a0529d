"""A number is taken: held until it is paid, or booked at once when it costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking import cases, eligibility, numbers, rights, rules
from booking.actions.ending import end
from booking.cases import Case
from booking.eligibility import Admitted
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
    Why,
)
from booking.numbers import PURPOSE, Taken, Wanted
from booking.queries import holders
from booking.refusals import AlreadyHolding, NotOpen, SoldOut
from booking.rights_models import FollowupGrant
from config.errors import NotFound, Refused
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from config.text import N_, known, translate
from payments import actions as payments
from people.audit import record as audit
from people.audit import refusals
from people.models import Account, Patient

ON_THE_BILL = N_("Internet clinic, registration fee")


def book(
    session: Session,
    schedule_id: UUID,
    patient: Patient,
    account_id: UUID,
    now: datetime,
    policy: Policy,
    pool: Pool = Pool.OPEN,
) -> Appointment:
    """Take the schedule's lowest free number for a child (from people.access), of a kept-back ``pool`` if it may.

    With a fee the number is held (``pending``) for the policy's minutes and its payment is opened; without one it is
    booked and parent and doctor are told. Raises NotFound, NotOpen, what booking.eligibility raises, NotInvited,
    NotDeclared, AlreadyHolding, SoldOut; each audited.
    """
    with _refusals(schedule_id, patient.id, account_id, now):
        case = cases.read(session, schedule_id, patient.id, account_id, now)
    return session.get_one(Appointment, book_case(session, case, now, policy, pool).id)


def book_case(session: Session, case: Case, now: datetime, policy: Policy, pool: Pool = Pool.OPEN) -> Taken:
    """``book`` for a case that was read before. One of the open pool is a single statement."""
    with _refusals(case.schedule_id, case.patient_id, case.account_id, now):
        _require_open(case, now, policy)
        admitted = eligibility.judge(case.facts, policy)
        grant = _right(session, case, pool, now, policy)
        (made,) = numbers.book(session, [_wanted(case, admitted, now, policy, pool)])
        if made is None:
            raise AlreadyHolding if holders(session, [case.patient_id], case.department_id, case.facts.day) else SoldOut
    if grant:
        grant.appointment_id = made.id
    return made


def book_cases(session: Session, cases: Sequence[tuple[Case, Policy]], now: datetime) -> list[Taken | None]:
    """``book_case`` for several of the open pool, by one statement. None: refused, for whichever reason; that is not on
    record yet."""
    wanted: dict[int, Wanted] = {}
    for place, (case, policy) in enumerate(cases):
        with suppress(Refused):
            _require_open(case, now, policy)
            wanted[place] = _wanted(case, eligibility.judge(case.facts, policy), now, policy)
    made = dict(zip(wanted, numbers.book(session, list(wanted.values())), strict=True))
    return [made.get(place) for place in range(len(cases))]


def _require_open(case: Case, now: datetime, policy: Policy) -> None:
    """Raises NotOpen."""
    if not (case.active and rules.is_open(case.facts.day, now, policy)):
        raise NotOpen(first=policy.horizon_first_day, last=policy.horizon_last_day)


def _wanted(case: Case, admitted: Admitted, now: datetime, policy: Policy, pool: Pool = Pool.OPEN) -> Wanted:
    """Raises AlreadyHolding."""
    if case.held:
        raise AlreadyHolding
    return Wanted(
        case.schedule_id,
        case.patient_id,
        case.account_id,
        now,
        now + timedelta(minutes=policy.hold_minutes),
        pool,
        admitted.evidence,
        admitted.screen_id,
        rules.day_reminder(case.starts_at, now, policy),
        timedelta(minutes=policy.remind_minutes_before),
        payments.described(translate(known(case.locale), ON_THE_BILL)),
    )


def _refusals(schedule_id: UUID, patient_id: UUID, account_id: UUID, now: datetime) -> AbstractContextManager[None]:
    return refusals(
        "book", at=now, entity="schedule", entity_id=schedule_id, account_id=account_id, patient=str(patient_id)
    )


def _right(session: Session, case: Case, pool: Pool, now: datetime, policy: Policy) -> FollowupGrant | None:
    """The invitation that is used up by taking a kept-back number. Raises NotInvited, NotDeclared."""
    if pool is Pool.OPEN:
        return None
    return rights.require(session, pool, case.patient_id, session.get_one(Schedule, case.schedule_id), now, policy)


def _holds_one(error: UniqueViolation) -> Exception:
    """What a number refused by the database means."""
    return AlreadyHolding() if error.diag.constraint_name == CHILD_DAY_INDEX else error


def taken(session: Session, appointment: Appointment, now: datetime, policy: Policy) -> None:
    """What follows from a number just taken: it is booked, or its payment is opened; and it is on record."""
    if appointment.status is AppointmentStatus.BOOKED:
        booked(session, appointment, now, policy)
    else:
        ask_for_money(session, appointment, now)
    account_id = appointment.account_id
    audit(session, "book", at=now, entity="appointment", entity_id=appointment.id, account_id=account_id)


def open_schedule(session: Session, schedule_id: UUID, now: datetime, policy: Policy) -> Schedule:
    """The schedule, if its numbers can be taken now. Raises NotFound, NotOpen."""
    schedule = session.get(Schedule, schedule_id)
    if schedule is None:
        raise NotFound
    if not rules.is_open(schedule.day, now, policy) or schedule.status is not ScheduleStatus.ACTIVE:
        raise NotOpen(first=policy.horizon_first_day, last=policy.horizon_last_day)
    return schedule


def take(
    session: Session,
    schedule: Schedule,
    patient_id: UUID,
    account_id: UUID,
    now: datetime,
    policy: Policy,
    *,
    replaces_id: UUID | None = None,
    pools: Iterable[Pool] = (Pool.OPEN,),
    slot_id: UUID | None = None,
) -> Appointment:
    """The schedule's lowest free number of the pools (or this very one), held or booked.

    Raises AlreadyHolding, SoldOut.
    """
    until = now + timedelta(minutes=policy.hold_minutes)
    try:
        with session.begin_nested():
            found = numbers.take(
                session, schedule.id, patient_id, account_id, now, until, replaces_id, pools=pools, slot_id=slot_id
            )
    except UniqueViolation as error:
        raise _holds_one(error) from error
    if found is None:
        raise SoldOut
    return session.get_one(Appointment, found.id)


def ask_for_money(session: Session, appointment: Appointment, now: datetime) -> None:
    """Open the payment of a held number; it can be paid until the hold ends."""
    if appointment.hold_until is None:
        raise ValueError("the number is not held")
    account = session.get_one(Account, appointment.account_id)
    payment = payments.charge(
        session,
        account_id=account.id,
        purpose=PURPOSE,
        reference_id=appointment.id,
        description=translate(known(account.locale), ON_THE_BILL),
        amount_fen=appointment.fee_fen,
        expires_at=appointment.hold_until,
        now=now,
    )
    appointment.payment_id = payment.id


def confirm(session: Session, appointment: Appointment, now: datetime, policy: Policy, *, by: str) -> None:
    """A held number (locked, with the schedule of what it replaces) is booked: paid, or said yes to. What it replaces
    ends first.

    When the child has meanwhile taken another number of that department and day, this one ends with its money back, and
    what it would have replaced stays.
    """
    try:
        with session.begin_nested():
            _end_replaced(session, appointment, now, by=by)
            advance(appointment, AppointmentStatus.BOOKED, by=by, why="confirmed", now=now)
            appointment.hold_until = None
            session.flush()
    except IntegrityError as error:
        if CHILD_DAY_INDEX not in str(error.orig):
            raise
        session.refresh(appointment)
        end(session, appointment, AppointmentStatus.CANCELLED, by=by, why=Why.CONFLICT, now=now)
        return
    session.execute(update(Slot).where(Slot.id == appointment.slot_id).values(status=SlotStatus.BUSY))
    booked(session, appointment, now, policy)


def _end_replaced(session: Session, appointment: Appointment, now: datetime, *, by: str) -> None:
    """End what this one was changed from, if it still stands."""
    if appointment.replaces_id is None:
        return
    chosen = select(Appointment).where(Appointment.id == appointment.replaces_id).with_for_update(key_share=True)
    replaced = session.scalars(chosen.execution_options(populate_existing=True)).one()
    if replaced.status is AppointmentStatus.BOOKED:
        end(session, replaced, AppointmentStatus.CANCELLED, by=by, why=Why.RESCHEDULED, now=now)


def booked(session: Session, appointment: Appointment, now: datetime, policy: Policy) -> None:
    """What follows from a booked number: its reminders, and its fact."""
    appointment.remind_day_at = rules.day_reminder(appointment.starts_at, now, policy)
    delay = session.get_one(Schedule, appointment.schedule_id).delay
    appointment.remind_soon_at = rules.soon_reminder(appointment.starts_at + delay, now, policy)
    emit(session, AppointmentBooked(appointment_id=appointment.id))
