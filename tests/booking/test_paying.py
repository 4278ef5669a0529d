"""Held, paid, booked; not paid in time; paid too late: what payments mean for a number."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Appointment, AppointmentStatus, Schedule, Slot, SlotStatus, Why
from booking.refusals import AlreadyHolding, TooLateToCancel
from config.policy import Policy
from payments import actions as payments
from payments import gateway
from payments.gateway import TradeState
from payments.models import Payment, Refund
from tests.booking.test_booking import facts, schedule_of
from tests.product import Hospital

POLICY = Policy()
FEE = 5000


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """A period of the doctor with a fee."""
    session.execute(update(Schedule).values(fee_fen=FEE))
    session.expire_all()
    return schedule_of(session, hospital, now)


@pytest.fixture
def held(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Appointment:
    """A number that is held for its payment."""
    return actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)


def payment_of(session: Session, appointment: Appointment) -> Payment:
    assert appointment.payment_id
    return session.get_one(Payment, appointment.payment_id)


def pay(session: Session, payment: Payment, now: datetime) -> None:
    """The gateway says it was paid, and the fact is heard."""
    found = gateway.Payment(payment.number, TradeState.SUCCESS, "T1", payment.amount_fen, "o-mother", now)
    payments.settle(session, found, now)
    actions.payment_settled(session, payment.id, now)


def slot_status(session: Session, appointment: Appointment) -> SlotStatus:
    return session.scalars(select(Slot.status).where(Slot.id == appointment.slot_id)).one()


def test_a_number_with_a_fee_is_held_and_its_payment_open(session: Session, held: Appointment, now: datetime) -> None:
    assert held.status is AppointmentStatus.PENDING
    assert held.hold_until == now + timedelta(minutes=10)
    assert slot_status(session, held) is SlotStatus.BUSY_TENTATIVE
    payment = payment_of(session, held)
    assert (payment.amount_fen, payment.expires_at, payment.reference_id) == (FEE, held.hold_until, held.id)
    assert facts(session) == [], "nobody is told of a number that is not booked"


def test_paid_in_time_it_is_booked(session: Session, held: Appointment, now: datetime) -> None:
    pay(session, payment_of(session, held), now + timedelta(minutes=9))
    assert held.status is AppointmentStatus.BOOKED
    assert held.hold_until is None
    assert held.remind_day_at is not None
    assert slot_status(session, held) is SlotStatus.BUSY
    assert "AppointmentBooked" in facts(session)


def test_hearing_twice_that_it_was_paid_changes_nothing(session: Session, held: Appointment, now: datetime) -> None:
    payment = payment_of(session, held)
    pay(session, payment, now)
    told = facts(session)
    pay(session, payment, now)
    actions.payment_closed(session, payment.id, now)
    assert facts(session) == told
    assert held.status is AppointmentStatus.BOOKED


def test_closed_unpaid_it_is_free_again(
    session: Session, hospital: Hospital, schedule: Schedule, held: Appointment, now: datetime
) -> None:
    later = now + timedelta(minutes=10)
    payments.closed(session, payment_of(session, held).id, later)
    actions.payment_closed(session, payment_of(session, held).id, later)
    assert (held.status, held.cancel_reason) == (AppointmentStatus.CANCELLED, Why.UNPAID)
    assert slot_status(session, held) is SlotStatus.FREE
    again = actions.book(session, schedule.id, hospital.child, hospital.mother.id, later, POLICY)
    assert again.number == held.number


def test_money_that_comes_after_the_release_goes_back_in_full(
    session: Session, held: Appointment, now: datetime
) -> None:
    payment, later = payment_of(session, held), now + timedelta(minutes=11)
    payments.closed(session, payment.id, later)
    actions.payment_closed(session, payment.id, later)
    pay(session, payment, later)
    pay(session, payment, later)
    assert held.status is AppointmentStatus.CANCELLED
    refund = session.scalars(select(Refund).where(Refund.payment_id == payment.id)).one()
    assert (refund.amount_fen, refund.reason) == (FEE, "late")
    assert facts(session).count("PaidTooLate") == 1


def test_a_paid_visit_that_is_cancelled_is_paid_back_once(
    session: Session, hospital: Hospital, held: Appointment, now: datetime
) -> None:
    pay(session, payment_of(session, held), now)
    actions.cancel(session, held.id, hospital.mother.id, now, POLICY)
    refunds = session.scalars(select(Refund).where(Refund.payment_id == held.payment_id)).all()
    assert [(refund.amount_fen, refund.reason) for refund in refunds] == [(FEE, "parent")]


def test_a_held_number_can_be_given_back_at_any_time(
    session: Session, hospital: Hospital, held: Appointment, now: datetime
) -> None:
    actions.cancel(session, held.id, hospital.mother.id, held.starts_at, POLICY)
    assert (held.status, held.cancel_reason) == (AppointmentStatus.CANCELLED, Why.DECLINED)
    assert session.scalar(select(func.count()).select_from(Refund)) == 0


def test_a_held_number_counts_as_the_childs_number(
    session: Session, hospital: Hospital, schedule: Schedule, held: Appointment, now: datetime
) -> None:
    with pytest.raises(AlreadyHolding):
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)


def test_worse_at_the_last_minute_gives_everything_back(
    session: Session, hospital: Hospital, held: Appointment, now: datetime
) -> None:
    pay(session, payment_of(session, held), now)
    actions.cancel(session, held.id, hospital.mother.id, held.starts_at, POLICY, Why.WORSENED)
    assert held.cancel_reason is Why.WORSENED
    assert session.scalars(select(Refund.amount_fen)).all() == [FEE]


@pytest.mark.parametrize("why", [Why.DELAYED, Why.REPLACED])
def test_what_the_hospital_answers_for_may_cancel_after_the_deadline(
    session: Session, hospital: Hospital, schedule: Schedule, held: Appointment, now: datetime, why: Why
) -> None:
    pay(session, payment_of(session, held), now)
    late = held.starts_at - timedelta(hours=1)
    with pytest.raises(TooLateToCancel):
        actions.cancel(session, held.id, hospital.mother.id, late, POLICY, why)
    if why is Why.DELAYED:
        schedule.delay_minutes = 40
    else:
        schedule.stands_in_for_id = hospital.colleague.id
    actions.cancel(session, held.id, hospital.mother.id, late, POLICY, why)
    assert held.cancel_reason is why


def test_the_database_knows_no_hold_without_an_end(session: Session, held: Appointment) -> None:
    with pytest.raises(Exception, match="ck_appointments_hold_until"), session.begin_nested():
        session.execute(text("update appointments set hold_until = null"))
