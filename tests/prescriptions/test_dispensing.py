"""The pharmacy's work: picked by one, checked by another, lots and stock and signatures agreeing; and the window."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.errors import NotFound, Refused
from config.jobs import Fact
from notifications.handlers import handle
from payments.models import Refund
from prescriptions.dispensing import actions, queries, window
from prescriptions.dispensing.events import DispenseDeclined, MedicineDispensed
from prescriptions.dispensing.models import DispensedItem, DispenseStatus, MedicationDispense
from prescriptions.dispensing.refusals import (
    LotOfSeveral,
    NotAllScanned,
    NotInThisState,
    OneTooMany,
    OwnPick,
    ReasonMissing,
    TooManyPickupCodes,
    WrongAmounts,
    WrongPackage,
    WrongPickupCode,
)
from prescriptions.dispensing.rules import Wanted, matches
from prescriptions.orders.models import MedicineOrder, OrderStatus
from prescriptions.signing.models import Signature, SignatureRole
from prescriptions.stock.models import Lot, Reservation
from tests.prescriptions.made import SIGNER
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.prescriptions.parcels import checked, in_pharmacy, kept, paid, picked
from tests.prescriptions.pharmacy import payment_of, pharmacist
from tests.product import Hospital


@pytest.fixture
def order(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    """Paid, to be delivered, of two lots of which the first to expire is kept back."""
    return paid(session, hospital, now, lots=2)


def roles(session: Session, work: MedicationDispense) -> set[SignatureRole]:
    wanted = select(Signature.role).where(Signature.prescription_id == work.prescription_id)
    return set(session.scalars(wanted)) & {SignatureRole.DISPENSER, SignatureRole.CHECKER}


def facts(session: Session) -> list[str]:
    rows = session.execute(text("select args->>'kind' from procrastinate_jobs order by id"))
    return [str(kind) for (kind,) in rows]


def test_a_paid_order_comes_to_the_pharmacy_once(session: Session, order: MedicineOrder, now: datetime) -> None:
    first = in_pharmacy(session, order, now)
    assert in_pharmacy(session, order, now).id == first.id
    assert [one.dispense.id for one in queries.waiting(session)] == [first.id]


def test_picked_checked_given_out(session: Session, order: MedicineOrder, now: datetime) -> None:
    lots = {lot.id: lot.on_hand for lot in session.scalars(select(Lot))}
    work = checked(session, order, SIGNER, now)
    assert work.status is DispenseStatus.COMPLETED
    assert work.picker_id != work.checker_id
    assert roles(session, work) == {SignatureRole.DISPENSER, SignatureRole.CHECKER}
    session.expire_all()
    gone = {lot.id: lots[lot.id] - lot.on_hand for lot in session.scalars(select(Lot))}
    items = session.scalars(select(DispensedItem)).all()
    assert {lot: packages for lot, packages in gone.items() if packages} == {one.lot_id: one.quantity for one in items}
    assert session.scalars(select(Reservation)).all() == []
    assert "MedicineDispensed" in facts(session)
    assert queries.waiting(session) == []
    assert [one.batches[0].number for one in queries.given(session, work)] == ["PARACE-0"]


def test_who_picked_never_checks(session: Session, order: MedicineOrder, now: datetime) -> None:
    picker = pharmacist(session, "PH1")
    work = picked(session, order, picker, SIGNER, now)
    for do in (
        lambda: actions.scan(session, work.id, FEVER, picker, now),
        lambda: actions.complete(session, work.id, picker, SIGNER, now),
        lambda: actions.send_back(session, work.id, "x", picker, now),
    ):
        with pytest.raises(OwnPick):
            do()


def test_the_database_too_wants_two_people(session: Session, order: MedicineOrder, now: datetime) -> None:
    """The twin: with the rule gone around, the CHECK still refuses."""
    work = picked(session, order, pharmacist(session, "PH1"), SIGNER, now)
    work.checker_id = work.picker_id
    with pytest.raises(IntegrityError, match="ck_medication_dispenses_another"):
        session.flush()


def test_a_wrong_package_is_named_and_counts_nothing(session: Session, order: MedicineOrder, now: datetime) -> None:
    work, checker = picked(session, order, pharmacist(session, "PH1"), SIGNER, now), pharmacist(session, "PH2")
    for code in (IBUPROFEN, "", "PARACE-1", "x" * 500):
        with pytest.raises(WrongPackage):
            actions.scan(session, work.id, code, checker, now)
    assert all(one.item.scanned == 0 for one in queries.picked(session, work))
    with pytest.raises(NotAllScanned):
        actions.complete(session, work.id, checker, SIGNER, now)
    assert roles(session, work) == {SignatureRole.DISPENSER}


def test_each_package_is_scanned(session: Session, order: MedicineOrder, now: datetime) -> None:
    work, checker = picked(session, order, pharmacist(session, "PH1"), SIGNER, now), pharmacist(session, "PH2")
    (one,) = queries.picked(session, work)
    for _ in range(one.item.quantity):
        actions.scan(session, work.id, f" {one.code.upper()} ", checker, now)
    with pytest.raises(OneTooMany):
        actions.scan(session, work.id, one.lot.number, checker, now)


def test_who_takes_the_check_over_scans_anew(session: Session, order: MedicineOrder, now: datetime) -> None:
    work = picked(session, order, pharmacist(session, "PH1"), SIGNER, now)
    (one,) = queries.picked(session, work)
    for _ in range(one.item.quantity):
        actions.scan(session, work.id, one.code, pharmacist(session, "PH2"), now)
    with pytest.raises(NotAllScanned):
        actions.complete(session, work.id, pharmacist(session, "PH3"), SIGNER, now)
    actions.scan(session, work.id, one.code, pharmacist(session, "PH3"), now)
    assert queries.picked(session, work)[0].item.scanned == 1


def test_another_lot_needs_a_reason_and_the_books_follow(session: Session, order: MedicineOrder, now: datetime) -> None:
    work, by = in_pharmacy(session, order, now), pharmacist(session)
    (line,) = queries.sheet(session, order)
    other, first = line.others[0], line.kept[0][0]
    picks = {line.line.id: {other.id: line.line.packages}}
    with pytest.raises(ReasonMissing):
        actions.pick(session, work.id, picks, {}, by, SIGNER, now)
    actions.pick(session, work.id, picks, {line.line.id: "破损"}, by, SIGNER, now)
    session.expire_all()
    assert (session.get_one(Lot, first.id).reserved, session.get_one(Lot, other.id).reserved) == (0, line.line.packages)
    (item,) = session.scalars(select(DispensedItem))
    assert (item.lot_id, item.reason) == (other.id, "破损")


@pytest.mark.parametrize("change", [-1, 1, 100])
def test_what_is_picked_is_what_was_ordered(session: Session, order: MedicineOrder, now: datetime, change: int) -> None:
    work = in_pharmacy(session, order, now)
    (line,) = queries.sheet(session, order)
    picks = {line.line.id: {line.kept[0][0].id: line.line.packages + change}}
    with pytest.raises(WrongAmounts):
        actions.pick(session, work.id, picks, {}, pharmacist(session), SIGNER, now)
    with pytest.raises(WrongAmounts):
        actions.pick(session, work.id, {line.line.id: {UUID(int=1): 1}}, {}, pharmacist(session), SIGNER, now)
    assert work.status is DispenseStatus.PREPARATION
    assert session.scalars(select(DispensedItem)).all() == []


def test_a_recalled_lot_is_not_picked(session: Session, order: MedicineOrder, now: datetime) -> None:
    work, picks = in_pharmacy(session, order, now), kept(session, order)
    (line,) = queries.sheet(session, order)
    lot = line.kept[0][0]
    lot.recalled_at, lot.recall_reason = now, "test"
    session.flush()
    with pytest.raises(WrongAmounts):
        actions.pick(session, work.id, picks, {}, pharmacist(session), SIGNER, now)  # type: ignore[arg-type]


def test_a_check_that_fails_is_picked_anew(session: Session, order: MedicineOrder, now: datetime) -> None:
    work, checker = picked(session, order, pharmacist(session, "PH1"), SIGNER, now), pharmacist(session, "PH2")
    actions.send_back(session, work.id, "短少一盒", checker, now)
    assert (work.status, work.picker_id, roles(session, work)) == (DispenseStatus.PREPARATION, None, set())
    session.flush()
    assert queries.sent_back(session, work) == "短少一盒"
    again = kept(session, order)
    actions.pick(session, work.id, again, {}, checker, SIGNER, now)  # type: ignore[arg-type]
    with pytest.raises(OwnPick):  # now the former checker is the picker
        actions.scan(session, work.id, FEVER, checker, now)


@pytest.mark.parametrize("begun", [False, True])
def test_declined_is_over_and_refunded(session: Session, order: MedicineOrder, now: datetime, begun: bool) -> None:
    by = pharmacist(session, "PH1")
    work = picked(session, order, by, SIGNER, now) if begun else in_pharmacy(session, order, now)
    actions.decline(session, work.id, "out-of-stock", by, now)
    hear(session, DispenseDeclined(order.id), now)
    assert (work.status, work.reason, order.status) == (DispenseStatus.DECLINED, "out-of-stock", OrderStatus.CANCELLED)
    refunds = session.scalars(select(Refund).where(Refund.payment_id == order.payment_id)).all()
    assert [one.amount_fen for one in refunds] == [payment_of(session, order).amount_fen]
    assert session.scalars(select(Reservation)).all() == []
    assert roles(session, work) == set()
    hear(session, DispenseDeclined(order.id), now)
    assert len(session.scalars(select(Refund)).all()) == 1


def test_reasons_are_those_of_the_list(session: Session, order: MedicineOrder, now: datetime) -> None:
    work = in_pharmacy(session, order, now)
    with pytest.raises(NotFound):
        actions.decline(session, work.id, "because", pharmacist(session), now)


def test_nothing_is_done_twice(session: Session, order: MedicineOrder, now: datetime) -> None:
    work = checked(session, order, SIGNER, now)
    by = pharmacist(session, "PH4")
    verbs = (
        lambda: actions.scan(session, work.id, FEVER, by, now),
        lambda: actions.complete(session, work.id, by, SIGNER, now),
        lambda: actions.send_back(session, work.id, "", by, now),
        lambda: actions.decline(session, work.id, "damaged", by, now),
        lambda: actions.pick(session, work.id, {}, {}, by, SIGNER, now),
    )
    for do in verbs:
        with pytest.raises(NotInThisState):
            do()


def hear(session: Session, fact: Fact, now: datetime) -> None:
    handle(session, fact, now)
    session.flush()


def test_what_is_delivered_becomes_one_parcel(session: Session, order: MedicineOrder, now: datetime) -> None:
    work = checked(session, order, SIGNER, now)
    for _ in range(2):
        hear(session, MedicineDispensed(order.id, work.id), now)
    assert session.scalar(text("select count(*) from deliveries")) == 1


# The codes on packages


def test_which_package_a_code_is_of() -> None:
    one, other = Wanted(UUID(int=1), "amox-50", "A1", 1, 0), Wanted(UUID(int=2), "amox-50", "B2", 1, 0)
    wanted = [one, other]
    assert matches("amox-50", wanted) == wanted
    assert matches(" a1 ", wanted) == [one]
    assert matches("AMOX-50 | B2", wanted) == [other]
    assert matches("", wanted) == matches("amox", wanted) == matches("A12", wanted) == []


def test_a_lot_of_two_medicines_names_neither(session: Session, hospital: Hospital, now: datetime) -> None:
    """Else one package scanned twice would pass for both."""
    order = paid(session, hospital, now, FEVER, "montmorillonite-3g")
    work, checker = picked(session, order, pharmacist(session, "PH1"), SIGNER, now), pharmacist(session, "PH2")
    for one in queries.picked(session, work):
        one.lot.number = "D2703"
    session.flush()
    with pytest.raises(LotOfSeveral):
        actions.scan(session, work.id, "d2703", checker, now)
    for one in queries.picked(session, work):
        found = actions.scan(session, work.id, f"{one.code} D2703", checker, now)
        assert found.id == one.item.id


# The window


@pytest.fixture
def ready(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    """Lies at the window."""
    found = paid(session, hospital, now, sent=False)
    checked(session, found, SIGNER, now)
    return found


def test_handed_over_by_number_and_code(session: Session, ready: MedicineOrder, now: datetime) -> None:
    assert "ReadyForPickup" in facts(session)
    assert [one.order.id for one in queries.at_window(session)] == [ready.id]
    by = pharmacist(session)
    found = window.hand_over(session, f" {ready.number} ", f" {ready.pickup_code} ", by, now)
    assert (found.id, found.status, found.completed_at) == (ready.id, OrderStatus.COMPLETED, now)
    assert payment_of(session, ready).earned_at == now
    assert "MedicineHandedOver" in facts(session)
    assert queries.at_window(session) == []
    with pytest.raises(WrongPickupCode):
        window.hand_over(session, ready.number, str(ready.pickup_code), by, now)


def test_wrong_codes_are_counted(session: Session, ready: MedicineOrder, now: datetime) -> None:
    by, tries = pharmacist(session), 0
    while tries < 2 * window.TRIES:
        with pytest.raises(Refused) as caught:
            window.hand_over(session, ready.number, "nope", by, now)
        if isinstance(caught.value, TooManyPickupCodes):
            break
        assert caught.value.afterwards
        caught.value.afterwards(session)
        session.flush()
        tries += 1
    assert tries == window.TRIES
    with pytest.raises(TooManyPickupCodes):
        window.hand_over(session, ready.number, str(ready.pickup_code), by, now)
    assert window.hand_over(session, ready.number, str(ready.pickup_code), by, now + timedelta(minutes=31))


def test_what_is_delivered_or_not_checked_is_not_handed_over(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    by = pharmacist(session)
    checked(session, order, SIGNER, now)
    with pytest.raises(WrongPickupCode):
        window.hand_over(session, order.number, order.pickup_code or "", by, now)
    with pytest.raises(WrongPickupCode):
        window.hand_over(session, "nobody's", "", by, now)
