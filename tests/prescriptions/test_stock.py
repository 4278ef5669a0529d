"""Lots: received, kept back by expiry, given out, corrected; never below nothing, and no lot that ends too early."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given as each
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.clock import today
from config.ids import new_id
from config.policy import Policy
from prescriptions.orders.models import MedicineOrder, MedicineOrderLine
from prescriptions.stock import actions, queries, rules
from prescriptions.stock.models import Lot, MoveKind, Reservation, StockMove
from prescriptions.stock.refusals import (
    BelowReserved,
    Expired,
    NotReserved,
    NotUsable,
    OtherExpiry,
    OutOfStock,
    Recalled,
)
from prescriptions.stock.rules import Free, pick
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.prescriptions.pharmacy import FAR, given, medication, pay, pharmacist, place, received
from tests.product import Hospital


@pytest.fixture
def order(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    """A paid order, for which a package was kept back."""
    made = signed(session, hospital, now)
    received(session, now, 5)
    return pay(session, place(session, hospital.mother, made, now), now)


def line_of(session: Session, order: MedicineOrder) -> MedicineOrderLine:
    return session.scalars(select(MedicineOrderLine).where(MedicineOrderLine.order_id == order.id)).one()


def kept(session: Session, order: MedicineOrder) -> dict[str, int]:
    return {lot.number: row.quantity for row, lot in queries.reserved_for(session, order.id)}


def check_books(session: Session) -> None:
    """The movements add up to what is there, and the reservations to what is reserved."""
    session.expire_all()
    for lot in session.scalars(select(Lot)):
        sums = select(StockMove.kind, func.sum(StockMove.quantity)).where(StockMove.lot_id == lot.id)
        moved = {kind: int(total) for kind, total in session.execute(sums.group_by(StockMove.kind))}
        there = {MoveKind.RECEIVE, MoveKind.DISPENSE, MoveKind.ADJUST, MoveKind.DISCARD}
        promised = {MoveKind.RESERVE, MoveKind.RELEASE, MoveKind.DISPENSE}
        assert lot.on_hand == sum(moved.get(kind, 0) for kind in there)
        assert lot.reserved == sum(moved.get(kind, 0) for kind in promised)
        rows = session.scalar(select(func.sum(Reservation.quantity)).where(Reservation.lot_id == lot.id))
        assert lot.reserved == int(rows or 0)


SEVERAL = "triple-bifid"  # a course of three packages
LOTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=6)


@each(LOTS, st.integers(1, 30), st.integers(0, 20))
def test_what_expires_first_goes_first(lots: list[tuple[int, int]], packages: int, days: int) -> None:
    day = today(datetime.fromisoformat("2026-11-25T02:00:00+00:00"))
    there = [Free(new_id(), day + timedelta(days=ahead), count) for ahead, count in lots]
    found = pick(there, packages, day + timedelta(days=days))
    by_id = {lot.lot_id: lot for lot in there}
    usable = [lot for lot in there if lot.expires_on >= day + timedelta(days=days)]
    assert all(0 < taken <= by_id[lot].packages for lot, taken in found)
    assert all(by_id[lot] in usable for lot, _ in found)
    assert sum(taken for _, taken in found) == min(packages, sum(lot.packages for lot in usable))
    dates = [by_id[lot].expires_on for lot, _ in found]
    assert dates == sorted(dates)
    left = {lot.lot_id: lot.packages - dict(found).get(lot.lot_id, 0) for lot in usable}
    assert not any(left[lot.lot_id] and dates and lot.expires_on < dates[-1] for lot in usable), "an older one was left"


def test_a_lot_is_received_once_more_under_its_expiry_only(session: Session, hospital: Hospital, now: datetime) -> None:
    signed(session, hospital, now)
    lot = received(session, now, 5)
    assert received(session, now, 3).id == lot.id
    assert queries.lot(session, lot.id).on_hand == 8
    with pytest.raises(OtherExpiry):
        received(session, now, 3, expires=lot.expires_on + timedelta(days=1))
    with pytest.raises(Expired):
        received(session, now, 3, number="OLD", expires=today(now))
    check_books(session)


def test_what_is_kept_back_can_neither_be_adjusted_away_nor_discarded(
    session: Session, order: MedicineOrder, now: datetime
) -> None:
    lot = queries.lot(session, queries.lots_of(session, medication(session))[0].id)
    by, free = pharmacist(session), lot.on_hand - lot.reserved
    with pytest.raises(BelowReserved):
        actions.discard(session, lot.id, free + 1, "broken", by=by, now=now)
    assert actions.adjust(session, lot.id, -free, "counted", by=by, now=now).on_hand == lot.reserved
    assert actions.adjust(session, lot.id, 2, "found", by=by, now=now).on_hand == lot.reserved + 2
    check_books(session)


def test_the_database_has_the_last_word(session: Session, order: MedicineOrder, now: datetime) -> None:
    lot = queries.lots_of(session, medication(session))[0]
    with pytest.raises(IntegrityError), session.begin_nested():
        actions.move(session, lot.id, MoveKind.ADJUST, -9, now, on_hand=-9)
    with pytest.raises(IntegrityError), session.begin_nested():
        actions.move(session, lot.id, MoveKind.RESERVE, 9, now, reserved=9)
    check_books(session)


def test_reserving_takes_first_what_expires_first_and_never_what_ends_too_early(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    made = signed(session, hospital, now)
    soon = today(now) + timedelta(days=Policy().lot_margin_days)  # before the course's end and the margin
    received(session, now, 9, number="SOON", expires=soon)
    with pytest.raises(OutOfStock) as lacking:
        place(session, hospital.mother, made, now)
    assert lacking.value.medications == {medication(session)}
    received(session, now, 9, number="LATE")
    received(session, now, 9, number="FIRST", expires=today(now) + FAR - timedelta(days=1))
    order = place(session, hospital.mother, made, now)
    assert set(kept(session, order)) == {"FIRST"}
    check_books(session)


def test_one_lot_is_not_enough_so_the_next_one_is_opened(session: Session, hospital: Hospital, now: datetime) -> None:
    made, expires = signed(session, hospital, now, SEVERAL), today(now) + FAR
    for n, packages in enumerate((1, 1, 2)):
        received(session, now, packages, SEVERAL, number=f"L{n}", expires=expires + timedelta(days=n))
    order = pay(session, place(session, hospital.mother, made, now), now)
    assert kept(session, order) == {"L0": 1, "L1": 1, "L2": 1}
    assert [lot.reserved for lot in queries.lots_of(session, medication(session, SEVERAL))] == [1, 1, 1]
    check_books(session)


def test_either_all_of_an_order_or_nothing(session: Session, hospital: Hospital, now: datetime) -> None:
    made = signed(session, hospital, now, FEVER, IBUPROFEN)
    received(session, now, 9)
    with pytest.raises(OutOfStock) as lacking:
        place(session, hospital.mother, made, now)
    assert lacking.value.medications == {medication(session, IBUPROFEN)}


def test_given_out_is_what_was_kept_back(session: Session, order: MedicineOrder, now: datetime) -> None:
    line, by = line_of(session, order), pharmacist(session)
    (row, lot), *_ = queries.reserved_for(session, order.id)
    with pytest.raises(NotReserved):
        actions.give_out(session, line.id, lot.id, row.quantity + 1, by, now)
    given(session, order, now)
    assert kept(session, order) == {}
    assert queries.lacking(session, order.id) == {}
    assert queries.given_of(session, lot.id) == {order.patient_id: order.id}
    with pytest.raises(NotReserved):
        actions.give_out(session, line.id, lot.id, 1, by, now)
    check_books(session)


def test_who_picks_may_take_another_good_lot(session: Session, order: MedicineOrder, now: datetime) -> None:
    line, by = line_of(session, order), pharmacist(session)
    (row, lot), *_ = queries.reserved_for(session, order.id)
    other = received(session, now, row.quantity, number="B2")
    early = received(session, now, 9, number="C3", expires=today(now) + timedelta(days=3))
    for bad in (early.id, lot.id):
        with pytest.raises(NotUsable):
            actions.exchange(session, line.id, lot.id, bad, row.quantity, by, now)
    actions.exchange(session, line.id, lot.id, other.id, row.quantity, by, now)
    assert set(kept(session, order)) == {"B2"}
    check_books(session)


def test_a_recalled_lot_is_neither_received_nor_given_out(
    session: Session, order: MedicineOrder, now: datetime
) -> None:
    line, by = line_of(session, order), pharmacist(session)
    (row, lot), *_ = queries.reserved_for(session, order.id)
    lot.recalled_at = now
    session.flush()
    with pytest.raises(Recalled):
        actions.give_out(session, line.id, lot.id, row.quantity, by, now)
    with pytest.raises(Recalled):
        received(session, now, 1)


def test_released_is_free_again(session: Session, order: MedicineOrder, now: datetime) -> None:
    actions.release(session, order.id, now)
    assert kept(session, order) == {}
    assert sum(queries.lacking(session, order.id).values()) > 0
    check_books(session)


def test_the_list_begins_with_what_is_low_and_what_expires(session: Session, hospital: Hospital, now: datetime) -> None:
    signed(session, hospital, now)
    received(session, now, 5, expires=today(now) + timedelta(days=30))
    received(session, now, 5, IBUPROFEN)
    actions.set_minimum(session, medication(session, IBUPROFEN), 6, by=pharmacist(session), now=now)
    listed = queries.stocked(session, now, Policy())
    assert [(one.medication.code, one.low, one.soon) for one in listed[:2]] == [
        (IBUPROFEN, True, False),
        (FEVER, False, True),
    ]
    assert (listed[0].on_hand, listed[0].usable, listed[0].minimum) == (5, 5, 6)
    assert rules.good_until(today(now), 3, 14) == today(now) + timedelta(days=16)
