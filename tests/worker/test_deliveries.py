"""Parcels and the courier's program together: one parcel whatever is lost, asked about when nothing is pushed, late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from integrations.couriers import Fengqiao, Messenger
from integrations.simulators.courier import Courier
from people.tasks import Task
from prescriptions.delivery import actions
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.orders.models import MedicineOrder, OrderStatus
from tests.integrations.couriers import simulated
from tests.prescriptions.parcels import paid
from tests.product import Hospital
from worker.deliveries import see_to


@pytest.fixture
def both() -> Iterator[tuple[Courier, Fengqiao]]:
    with simulated() as found:
        yield found


@pytest.fixture
def now() -> datetime:
    """The courier's clock is the real one: so is the clinic's here."""
    return datetime(2026, 11, 25, 2, 0).astimezone()


@pytest.fixture
def order(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    found = paid(session, hospital, now)
    session.commit()
    return found


@pytest.fixture
def parcel(session: Session, order: MedicineOrder, now: datetime) -> Delivery:
    made = actions.begin(session, order.id, now)
    assert made
    session.commit()
    return made


def sweep(session: Session, adapter: Fengqiao | Messenger, at: datetime) -> None:
    with time_machine.travel(at, tick=True):
        see_to(adapter)
    session.expire_all()


def test_a_lost_answer_makes_one_parcel(
    session: Session, both: tuple[Courier, Fengqiao], parcel: Delivery, now: datetime
) -> None:
    courier, adapter = both
    courier.fault = "lost-answer"
    sweep(session, adapter, now)
    assert (parcel.waybill, parcel.status, parcel.error is None) == (None, DeliveryStatus.ORDERED, False)
    courier.fault = ""
    sweep(session, adapter, now + timedelta(minutes=2))
    assert [one.waybill for one in courier.parcels.values()] == [parcel.waybill]
    assert (parcel.error, parcel.courier) == (None, "fengqiao")


def test_asked_about_when_nothing_is_pushed(
    session: Session, both: tuple[Courier, Fengqiao], order: MedicineOrder, parcel: Delivery, now: datetime
) -> None:
    courier, adapter = both
    sweep(session, adapter, now)
    for _ in range(4):
        with time_machine.travel(now + timedelta(minutes=5)):
            courier.walk()
    sweep(session, adapter, now + timedelta(hours=1))
    assert parcel.status is DeliveryStatus.ORDERED  # not yet
    sweep(session, adapter, now + timedelta(hours=3))
    assert (parcel.status, order.status) == (DeliveryStatus.DELIVERED, OrderStatus.COMPLETED)
    assert parcel.ask_at is None


def test_a_courier_that_is_away_makes_the_parcel_late(
    session: Session, both: tuple[Courier, Fengqiao], parcel: Delivery, now: datetime
) -> None:
    both[0].fault = "down"
    sweep(session, both[1], now)
    assert session.query(Task).filter_by(subject_id=parcel.id).count() == 0
    sweep(session, both[1], parcel.due_at + timedelta(minutes=1))
    assert session.query(Task).filter_by(subject_id=parcel.id).count() == 1
    assert parcel.warned_at is not None


def test_the_messenger_is_asked_nothing_more(session: Session, parcel: Delivery, now: datetime) -> None:
    sweep(session, Messenger(), now)
    assert (parcel.courier, parcel.ask_at, parcel.status) == ("messenger", None, DeliveryStatus.ORDERED)
