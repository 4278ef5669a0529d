"""Families who order at once: the last package is sold once, nobody waits in a circle; without the lock it fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Barrier, BrokenBarrierError
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from config.database import transaction
from config.policy import Policy
from people.models import Account
from prescriptions.dispensing import actions as dispensing
from prescriptions.dispensing.models import DispenseStatus
from prescriptions.dispensing.queries import waiting
from prescriptions.orders import actions, offers, placing
from prescriptions.orders.models import MedicineOrder, OrderStatus, Way
from prescriptions.orders.refusals import AlreadyOrdered
from prescriptions.stock import actions as stock
from prescriptions.stock import rules
from prescriptions.stock.models import Lot
from prescriptions.stock.refusals import OutOfStock
from prescriptions.writing.models import Prescription, PrescriptionLine
from tests.locks import until_somebody_waits
from tests.prescriptions.made import room, signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.prescriptions.pharmacy import pay, received, viewer
from tests.prescriptions.test_stock import check_books
from tests.product import Hospital, seed

Made = tuple[Hospital, list[UUID]]


@pytest.fixture
def made(committed: sessionmaker[Session], now: datetime) -> Made:
    """Eight prescriptions: half name the two medicines in one order, half in the other."""
    with committed() as session, session.begin():
        hospital = seed(session, now)
    with committed() as session:
        where = room(session, hospital, now)
        pairs = [(FEVER, IBUPROFEN), (IBUPROFEN, FEVER)]
        found = [signed(session, hospital, now, *pairs[n % 2], encounter=where).id for n in range(8)]
        session.commit()
    return hospital, found


def shelves(session: Session, now: datetime, orders: int) -> None:
    """Packages for so many of the orders."""
    needed = select(PrescriptionLine.packages).limit(1)
    for code in (FEVER, IBUPROFEN):
        received(session, now, orders * (session.scalar(needed) or 1), code)


def order(who: Account, prescription_id: UUID, now: datetime) -> Any:
    """Order it to be picked up. Returns the order's id, or the refusal."""
    try:
        with transaction() as session:
            prescription = session.get_one(Prescription, prescription_id)
            seen = offers.offer(session, prescription, [], now, Policy()).token()
            return placing.place(session, viewer(who), prescription, Way.PICKUP, None, seen, now, Policy()).id
    except (OutOfStock, AlreadyOrdered, IntegrityError, OperationalError) as refused:
        return refused


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result(timeout=60) for one in [pool.submit(call) for call in calls]]


def test_the_last_packages_are_sold_once(committed: sessionmaker[Session], made: Made, now: datetime) -> None:
    hospital, prescriptions = made
    with committed() as session, session.begin():
        shelves(session, now, 3)
    done = at_once([lambda one=one: order(hospital.mother, one, now) for one in prescriptions])  # type: ignore[misc]
    assert sorted(type(one).__name__ for one in done) == ["OutOfStock"] * 5 + ["UUID"] * 3
    with committed() as session:
        check_books(session)
        assert [lot.on_hand - lot.reserved for lot in session.scalars(select(Lot))] == [0, 0]


def test_one_prescription_tapped_many_times_is_one_order(
    committed: sessionmaker[Session], made: Made, now: datetime
) -> None:
    hospital, prescriptions = made
    with committed() as session, session.begin():
        shelves(session, now, 8)
    done = at_once([lambda: order(hospital.mother, prescriptions[0], now)] * 6)
    assert sorted(type(one).__name__ for one in done) == ["AlreadyOrdered"] * 5 + ["UUID"]


def test_ordering_and_giving_up_at_once_never_waits_in_a_circle(
    committed: sessionmaker[Session], made: Made, now: datetime
) -> None:
    """The two medicines are named in both orders; a deadlock would be an error of a thread."""
    hospital, prescriptions = made
    with committed() as session, session.begin():
        shelves(session, now, 4)

    def again(prescription_id: UUID) -> None:
        for _ in range(6):
            found = order(hospital.mother, prescription_id, now)
            if isinstance(found, UUID):
                with transaction() as session:
                    actions.cancel(session, viewer(hospital.mother), found, now)
            assert not isinstance(found, IntegrityError | OperationalError), found

    at_once([lambda one=one: again(one) for one in prescriptions])  # type: ignore[misc]
    with committed() as session:
        check_books(session)
        standing = MedicineOrder.status != OrderStatus.CANCELLED
        assert session.scalar(select(func.count()).select_from(MedicineOrder).where(standing)) == 0
        assert session.scalar(select(func.sum(Lot.reserved))) == 0


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_shelfs_lock_two_families_are_promised_the_same_package(
    committed: sessionmaker[Session], made: Made, now: datetime, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Both have looked before either has taken. With the lock that can't be: the second one looks later. Without it the
    database's CHECK stops the second one, or both wait in a circle; a family sees a fault instead of what is true."""
    hospital, prescriptions = made
    with committed() as session, session.begin():
        shelves(session, now, 1)
    both, pick = Barrier(2), rules.pick

    def together(*args: Any) -> Any:
        found = pick(*args)
        with suppress(BrokenBarrierError):
            both.wait(1.0)
        return found

    monkeypatch.setattr(rules, "pick", together)
    if not guarded:
        monkeypatch.setattr(stock, "lock_shelves", lambda *_: None)
    done = at_once([lambda one=one: order(hospital.mother, one, now) for one in prescriptions[:2]])  # type: ignore[misc]
    kinds = {type(one).__name__ for one in done}
    assert "UUID" in kinds
    assert kinds - {"UUID"} == {"OutOfStock"} if guarded else kinds & {"IntegrityError", "OperationalError"}
    with committed() as session:
        check_books(session)


@pytest.mark.parametrize("guarded", [True, False])
def test_an_order_given_up_on_its_way_to_the_pharmacy_does_not_stay_there(
    committed: sessionmaker[Session], made: Made, now: datetime, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """The worker brings it while the family gives it up. Without the order's lock its work would wait there for ever:
    nobody can pick it, and nothing ends it any more."""
    hospital, prescriptions = made
    with committed() as session, session.begin():
        shelves(session, now, 1)
    ordered = order(hospital.mother, prescriptions[0], now)
    with committed() as session, session.begin():
        pay(session, session.get_one(MedicineOrder, ordered), now)

    def bring() -> None:
        with transaction() as session:
            dispensing.prepare(session, ordered, now)

    if not guarded:
        monkeypatch.setattr(dispensing, "_order", lambda session, which: session.get_one(MedicineOrder, which))
    with ThreadPoolExecutor(1) as beside:
        with committed() as session, session.begin():
            actions.cancel(session, viewer(hospital.mother), ordered, now)
            bringing = beside.submit(bring)
            if guarded:
                until_somebody_waits(committed, bringing)
            else:
                bringing.result()
        bringing.result()
    with committed() as session:
        left = [(work.order.status, work.dispense.status) for work in waiting(session)]
    assert left == ([] if guarded else [(OrderStatus.CANCELLED, DispenseStatus.PREPARATION)])
