"""What tests of the waiting list share: a full period, families in line, money that comes or does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import HOLDING, Appointment, Schedule, Slot, SlotStatus
from booking.roster_models import Roster
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import today
from config.policy import Policy
from payments import actions as payments
from payments import gateway
from payments.models import Payment
from people.models import Account, Patient
from tests.product import Hospital, guardian, patient

POLICY = Policy()


def family(session: Session, of: Account, n: int, now: datetime) -> Patient:
    """One more child of an account."""
    child = patient(session, f"QR-W{n:03}", "周小", today(now) - timedelta(days=1000), now)
    guardian(session, of, child, now)
    return child


def with_one_number(session: Session, hospital: Hospital) -> Hospital:
    """The hospital, but for all numbers above the first of each schedule."""
    session.execute(update(Roster).values(quota=1))
    session.execute(delete(Slot).where(Slot.number > 1))
    session.commit()
    return hospital


def mornings(session: Session, hospital: Hospital, now: datetime, *, ahead: int = 2) -> list[Schedule]:
    """The doctor's and the colleague's morning of that day."""
    day = today(now) + timedelta(days=ahead)
    found = select(Schedule).where(Schedule.day == day, Schedule.period == "morning")
    both = {schedule.practitioner_id: schedule for schedule in session.scalars(found)}
    return [both[hospital.doctor.id], both[hospital.colleague.id]]


def fill(session: Session, schedule: Schedule, by: Account, now: datetime) -> list[Appointment]:
    """Book every free number of a schedule without a fee, each for a child of its own."""
    free = session.scalars(select(Slot.id).where(Slot.schedule_id == schedule.id, Slot.status == SlotStatus.FREE)).all()
    return [
        actions.book(session, schedule.id, family(session, by, int(schedule.id) % 100_000 + n, now), by.id, now, POLICY)
        for n, _ in enumerate(free)
    ]


def line(session: Session, schedule_id: UUID) -> list[WaitingEntry]:
    """Who waits, the first in line first."""
    found = select(WaitingEntry).where(
        WaitingEntry.schedule_id == schedule_id, WaitingEntry.status == WaitingStatus.WAITING
    )
    return list(session.scalars(found.order_by(WaitingEntry.id).execution_options(populate_existing=True)))


def holding(session: Session, schedule_id: UUID, number: int = 1) -> Appointment | None:
    """Who holds a number."""
    return session.scalar(
        select(Appointment)
        .where(Appointment.schedule_id == schedule_id, Appointment.number == number, Appointment.status.in_(HOLDING))
        .execution_options(populate_existing=True)
    )


def pay(session: Session, payment_id: UUID, now: datetime) -> None:
    """WeChat says that it was paid, and the fact is handled."""
    payment = session.get_one(Payment, payment_id)
    state = gateway.TradeState.SUCCESS
    payments.settle(session, gateway.Payment(payment.number, state, "4200", payment.amount_fen, None, now), now)
    actions.payment_settled(session, payment_id, now)


def close(session: Session, payment_id: UUID, now: datetime) -> None:
    """The order was closed unpaid, and the fact is handled."""
    if payments.closed(session, payment_id, now):
        actions.payment_closed(session, payment_id, now)
