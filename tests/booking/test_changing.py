"""Changing to another number: never the old one lost without the new one had, and the money with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Appointment, AppointmentStatus, Schedule, Slot, SlotStatus, Why
from booking.refusals import NotChangeable, SamePeriod, SoldOut, TooLateToChange
from config.policy import Policy
from payments.models import Refund
from tests.booking.test_booking import facts, schedule_of
from tests.booking.test_paying import pay, payment_of
from tests.product import Hospital

POLICY = Policy()
FEE = 5000


def booked(session: Session, hospital: Hospital, now: datetime, fee: int = 0) -> Appointment:
    """A booked (and paid) morning of the doctor."""
    session.execute(update(Schedule).values(fee_fen=fee))
    session.expire_all()
    made = actions.book(
        session, schedule_of(session, hospital, now).id, hospital.child, hospital.mother.id, now, POLICY
    )
    if fee:
        pay(session, payment_of(session, made), now)
    return made


def change(session: Session, hospital: Hospital, old: Appointment, to: Schedule, now: datetime) -> Appointment:
    return actions.reschedule(session, old.id, to.id, hospital.mother.id, now, POLICY)


def taken(session: Session) -> int:
    return session.scalar(select(func.count()).where(Slot.status != SlotStatus.FREE)) or 0


def test_to_another_period_of_the_same_day(session: Session, hospital: Hospital, now: datetime) -> None:
    old = booked(session, hospital, now)
    new = change(session, hospital, old, schedule_of(session, hospital, now, period="afternoon"), now)
    assert (new.status, new.replaces_id) == (AppointmentStatus.BOOKED, old.id)
    assert (old.status, old.cancel_reason) == (AppointmentStatus.CANCELLED, Why.RESCHEDULED)
    assert taken(session) == 1
    assert facts(session) == ["AppointmentBooked", "AppointmentCancelled", "AppointmentBooked"]


def test_the_same_fee_moves_along(session: Session, hospital: Hospital, now: datetime) -> None:
    old = booked(session, hospital, now, FEE)
    payment = payment_of(session, old)
    new = change(session, hospital, old, schedule_of(session, hospital, now, ahead=3), now)
    assert new.status is AppointmentStatus.BOOKED
    assert (old.payment_id, new.payment_id) == (None, payment.id)
    assert session.scalar(select(func.count()).select_from(Refund)) == 0
    actions.cancel(session, new.id, hospital.mother.id, now, POLICY)
    assert session.scalars(select(Refund.amount_fen)).all() == [FEE], "the new one gives the money back"


def test_to_a_number_that_costs_nothing_the_money_goes_back(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    old = booked(session, hospital, now, FEE)
    free = schedule_of(session, hospital, now, ahead=3)
    free.fee_fen = 0
    new = change(session, hospital, old, free, now)
    assert new.status is AppointmentStatus.BOOKED
    assert session.scalars(select(Refund.reason)).all() == ["rescheduled"]


@pytest.mark.parametrize("ahead", [2, 3])
def test_another_fee_is_paid_first_and_the_old_number_kept_until_then(
    session: Session, hospital: Hospital, now: datetime, ahead: int
) -> None:
    old = booked(session, hospital, now, FEE)
    dearer = schedule_of(session, hospital, now, ahead=ahead, period="afternoon")
    dearer.fee_fen = 8000
    new = change(session, hospital, old, dearer, now)
    assert (new.status, old.status) == (AppointmentStatus.PENDING, AppointmentStatus.BOOKED)
    pay(session, payment_of(session, new), now)
    assert (new.status, old.status) == (AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED)
    assert session.scalars(select(Refund.amount_fen)).all() == [FEE]
    assert taken(session) == 1


def test_a_change_that_is_not_paid_leaves_the_old_number(session: Session, hospital: Hospital, now: datetime) -> None:
    old = booked(session, hospital, now, FEE)
    dearer = schedule_of(session, hospital, now, period="afternoon")
    dearer.fee_fen = 8000
    new = change(session, hospital, old, dearer, now)
    actions.payment_closed(session, payment_of(session, new).id, now)
    assert (new.status, old.status) == (AppointmentStatus.CANCELLED, AppointmentStatus.BOOKED)
    assert session.scalar(select(func.count()).select_from(Refund)) == 0


def test_a_change_that_is_paid_when_the_child_has_a_third_number_comes_back(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    """The change goes to another day, on which the child takes a number before the change is paid."""
    old = booked(session, hospital, now, FEE)
    dearer = schedule_of(session, hospital, now, ahead=3)
    dearer.fee_fen = 8000
    new = change(session, hospital, old, dearer, now)
    other = schedule_of(session, hospital, now, ahead=3, period="afternoon")
    other.fee_fen = 0
    actions.book(session, other.id, hospital.child, hospital.mother.id, now, POLICY)
    pay(session, payment_of(session, new), now)
    assert (new.status, new.cancel_reason) == (AppointmentStatus.CANCELLED, Why.CONFLICT)
    assert old.status is AppointmentStatus.BOOKED, "the old number stays when the new one can't be had"
    assert session.scalars(select(Refund.amount_fen)).all() == [8000]


def test_a_refused_change_leaves_everything_as_it_was(session: Session, hospital: Hospital, now: datetime) -> None:
    old = booked(session, hospital, now)
    full = schedule_of(session, hospital, now, ahead=3)
    session.execute(update(Slot).where(Slot.schedule_id == full.id).values(status=SlotStatus.BUSY))
    before = taken(session)
    with pytest.raises(SoldOut), session.begin_nested():
        change(session, hospital, old, full, now)
    session.refresh(old)
    assert old.status is AppointmentStatus.BOOKED
    assert taken(session) == before


def test_what_can_not_be_changed(session: Session, hospital: Hospital, now: datetime) -> None:
    old = booked(session, hospital, now)
    other = schedule_of(session, hospital, now, ahead=3)
    with pytest.raises(SamePeriod):
        change(session, hospital, old, schedule_of(session, hospital, now), now)
    with pytest.raises(TooLateToChange):
        change(session, hospital, old, other, old.starts_at - timedelta(hours=11))
    schedule_of(session, hospital, now).delay_minutes = 30
    late = old.starts_at - timedelta(hours=11)
    new = change(session, hospital, old, other, late)
    with pytest.raises(NotChangeable):
        change(session, hospital, old, other, now)
    assert new.status is AppointmentStatus.BOOKED
