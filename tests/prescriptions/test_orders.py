"""An order from its placing to its end: what it freezes and keeps back, who may pay and cancel, where money goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from config.policy import Policy
from payments import actions as payments
from payments.gateway import RefundState
from payments.models import LedgerAccount, Refund
from payments.queries import balances
from people.tasks import Task, TaskStatus
from prescriptions.dispensing.models import DispenseStatus
from prescriptions.formulary import actions as formulary
from prescriptions.formulary.product import Product
from prescriptions.models import Medication, MedicationVersion
from prescriptions.orders import actions, addresses, deciding, offers, placing, queries
from prescriptions.orders.actions import ASKED, SHORT, Ended
from prescriptions.orders.models import Address, Answer, MedicineOrder, OrderStatus, Way
from prescriptions.orders.refusals import (
    AlreadyAsked,
    AlreadyOrdered,
    AnswerMissing,
    DispensingBegun,
    NotCancellable,
    NotOrderable,
    NotTheirs,
    OutOfArea,
    PickupOnly,
    QuoteChanged,
    TooManyAddresses,
    WrongAmount,
)
from prescriptions.orders.zones import terms
from prescriptions.stock import recalling
from prescriptions.stock.models import RecalledChild
from prescriptions.stock.queries import lacking, lots_of, recalled, reserved_for
from prescriptions.stock.refusals import OutOfStock, Recalled
from prescriptions.writing.models import Prescription, PrescriptionStatus
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER
from tests.prescriptions.pharmacy import (
    WUHAN,
    XICHENG,
    begin,
    given,
    home,
    medication,
    pay,
    payment_of,
    pharmacist,
    place,
    prepared,
    received,
    settle,
    viewer,
)
from tests.prescriptions.test_stock import check_books
from tests.product import Hospital, guardian

POLICY = Policy()


@pytest.fixture
def prescription(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    """An approved prescription of one medicine, of which there are five packages."""
    made = signed(session, hospital, now)
    received(session, now, 5)
    return made


@pytest.fixture
def order(session: Session, hospital: Hospital, prescription: Prescription, now: datetime) -> MedicineOrder:
    """It is ordered, and waits for its payment."""
    return place(session, hospital.mother, prescription, now)


def facts(session: Session) -> list[str]:
    """The facts about orders that wait to be heard, in order."""
    rows = session.execute(
        text("select args->>'kind' from procrastinate_jobs where task_name = 'facts.handle' order by id")
    )
    return [kind for (kind,) in rows if kind.startswith(("Order", "Lot", "Refund"))]


def ledger(session: Session) -> tuple[int, int, int, int]:
    """Fen with the gateway, held, earned, returning."""
    found = balances(session)
    assert sum(found.values()) == 0
    return tuple(found[account] for account in LedgerAccount)  # type: ignore[return-value]


def test_an_order_freezes_prices_keeps_the_stock_and_opens_the_payment(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime
) -> None:
    address = home(session, hospital.mother, now)
    order = place(session, hospital.mother, prescription, now, address)
    (line,) = queries.lines(session, order.id)
    assert order.status is OrderStatus.PENDING
    assert order.medicines_fen == line.sum_fen == line.medicine.product.price_fen * line.line.packages
    assert order.delivery_fen == 1200, "central Beijing"
    assert order.hold_until == now + timedelta(minutes=15)
    assert order.promised_at == datetime.fromisoformat("2026-11-25T13:00:00+00:00"), "by nine in the evening"
    payment = payment_of(session, order)
    assert (payment.amount_fen, payment.expires_at) == (order.total_fen, order.hold_until)
    assert (payment.purpose, payment.reference_id) == ("medicines", order.id)
    assert sum(kept.quantity for kept, _ in reserved_for(session, order.id)) == line.line.packages
    addresses.change(session, viewer(hospital.mother), address.id, WUHAN, "elsewhere", "x", "13900000000")
    kept_address = queries.address_of(order)
    assert kept_address
    assert kept_address.whole == "北京市西城区南礼士路56号3单元201", "as it was when it was ordered"
    _dearer(session, now)
    assert order.total_fen == payment.amount_fen
    assert facts(session) == []
    check_books(session)


def _dearer(session: Session, now: datetime) -> None:
    """The product costs one yuan more from now on."""
    row = session.scalars(select(Medication).where(Medication.code == FEVER)).one()
    version = session.scalars(select(MedicationVersion).where(MedicationVersion.medication_id == row.id)).one()
    product = Product.model_validate(version.content)
    dearer = product.model_copy(update={"price_fen": product.price_fen + 100})
    formulary.put(session, dearer, by=None, note="dearer", now=now)


def test_what_was_shown_is_what_is_ordered(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime
) -> None:
    who = viewer(hospital.mother)
    seen = offers.offer(session, prescription, [], now, POLICY).token()
    minute, seal = seen.split("-")
    for token in ("", "-", seal, f"-{seal}", f"{minute}-", f"{minute}-{seal}0", f"{minute}-{'0' * 32}", f"{seen} "):
        with pytest.raises(QuoteChanged):
            placing.place(session, who, prescription, Way.PICKUP, None, token, now, POLICY)
    _dearer(session, now)
    with pytest.raises(QuoteChanged):
        placing.place(session, who, prescription, Way.PICKUP, None, seen, now, POLICY)


@pytest.mark.parametrize("minutes", [-1, 0, 1, 10])
def test_who_reads_for_some_minutes_gets_what_was_said(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime, minutes: int
) -> None:
    offer = offers.offer(session, prescription, [], now, POLICY)
    then = now + timedelta(minutes=minutes)
    order = placing.place(session, viewer(hospital.mother), prescription, Way.PICKUP, None, offer.token(), then, POLICY)
    assert order.promised_at == offer.pickup.promised_at
    assert order.hold_until == then + timedelta(minutes=POLICY.order_hold_minutes)
    prepared = timedelta(minutes=terms().pickup.prepare_minutes)
    assert order.hold_until + prepared <= order.promised_at, "even paid at the last moment"


def test_later_on_only_the_way_that_was_chosen_is_compared(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime
) -> None:
    who, address = viewer(hospital.mother), home(session, hospital.mother, now)
    offer = offers.offer(session, prescription, [address], now, POLICY)
    later = now + timedelta(minutes=11)
    by_hand, sent = offer.token(), offer.token(address.id)
    for way, to, seen in (
        (Way.PICKUP, None, by_hand),  # ready later than was said
        (Way.DELIVERY, address.id, by_hand),  # what was shown of another way
    ):
        with pytest.raises(QuoteChanged):
            placing.place(session, who, prescription, way, to, seen, later, POLICY)
    order = placing.place(session, who, prescription, Way.DELIVERY, address.id, sent, later, POLICY)
    assert order.promised_at == offer.destinations[0].quote.promised_at  # type: ignore[union-attr]


def test_one_standing_order_for_a_prescription(
    session: Session, hospital: Hospital, prescription: Prescription, order: MedicineOrder, now: datetime
) -> None:
    with pytest.raises(AlreadyOrdered) as before:
        place(session, hospital.mother, prescription, now)
    assert before.value.order_id == order.id
    actions.cancel(session, viewer(hospital.mother), order.id, now)
    assert place(session, hospital.mother, prescription, now).id != order.id


def test_only_while_the_prescription_is_good(session: Session, hospital: Hospital, now: datetime) -> None:
    made = signed(session, hospital, now)
    received(session, now)
    assert made.valid_until
    with pytest.raises(NotOrderable):
        place(session, hospital.mother, made, made.valid_until)
    made.status = PrescriptionStatus.CANCELLED
    session.flush()
    with pytest.raises(NotOrderable):
        place(session, hospital.mother, made, now)


def test_no_delivery_out_of_the_area_nor_of_what_stays_cold(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = home(session, hospital.mother, now, WUHAN)
    with pytest.raises(OutOfArea):
        place(session, hospital.mother, prescription, now, far)
    near = home(session, hospital.mother, now)
    monkeypatch.setattr("prescriptions.orders.rules.kept_cold", lambda _: True)
    with pytest.raises(PickupOnly):
        place(session, hospital.mother, prescription, now, near)
    assert place(session, hospital.mother, prescription, now).way is Way.PICKUP


def test_what_is_not_in_stock_is_said_before(
    session: Session, hospital: Hospital, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = signed(session, hospital, now)
    assert offers.offer(session, made, [], now, POLICY).lacking == {medication(session)}
    with pytest.raises(OutOfStock):
        place(session, hospital.mother, made, now)
    received(session, now)
    session.get_one(Medication, medication(session)).active = False
    session.flush()
    assert offers.offer(session, made, [], now, POLICY).lacking, "what was taken out of use is not sold either"


def test_paid_in_time(session: Session, order: MedicineOrder, now: datetime) -> None:
    pay(session, order, now)
    assert (order.status, order.paid_at) == (OrderStatus.PAID, now)
    assert facts(session)[-1] == "OrderPaid"
    assert ledger(session) == (order.total_fen, -order.total_fen, 0, 0)
    check_books(session)


def test_nothing_to_pay_is_paid_at_once(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "_prices", lambda _, ids: dict.fromkeys(ids, 0))
    order = place(session, hospital.mother, prescription, now)
    assert (order.status, order.payment_id) == (OrderStatus.PAID, None)
    assert facts(session) == ["OrderPaid"]
    actions.cancel(session, viewer(hospital.mother), order.id, now)
    check_books(session)


def test_what_nobody_pays_lapses_once_the_gateway_has_closed_it(
    session: Session, order: MedicineOrder, now: datetime
) -> None:
    payment = payment_of(session, order)
    payments.closed(session, payment.id, now)
    for _ in range(2):
        actions.payment_closed(session, payment.id, now)
    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, Ended.UNPAID)
    assert reserved_for(session, order.id) == []
    assert facts(session).count("OrderLapsed") == 1
    check_books(session)


def test_money_after_the_lapse_goes_back_in_full(session: Session, order: MedicineOrder, now: datetime) -> None:
    payment = payment_of(session, order)
    payments.closed(session, payment.id, now)
    actions.payment_closed(session, payment.id, now)
    settle(session, payment, now)
    for _ in range(2):
        actions.payment_settled(session, payment.id, now)
    assert order.status is OrderStatus.CANCELLED
    refund = session.scalars(select(Refund).where(Refund.payment_id == payment.id)).one()
    assert (refund.amount_fen, refund.reason, refund.status) == (order.total_fen, "late", RefundState.PROCESSING)
    assert facts(session).count("OrderPaidTooLate") == 1
    assert ledger(session) == (order.total_fen, 0, 0, -order.total_fen)


def test_paid_wins_over_a_closing_that_is_on_its_way(session: Session, order: MedicineOrder, now: datetime) -> None:
    payment = payment_of(session, order)
    settle(session, payment, now)
    assert not payments.closed(session, payment.id, now)
    actions.payment_settled(session, payment.id, now)
    actions.payment_closed(session, payment.id, now)
    assert order.status is OrderStatus.PAID


def test_given_up_before_the_pharmacy_begins(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    pay(session, order, now)
    work = prepared(session, order, now)
    actions.cancel(session, viewer(hospital.mother), order.id, now)
    assert (order.cancel_reason, work.status) == (Ended.FAMILY, DispenseStatus.CANCELLED)
    refund = session.scalars(select(Refund)).one()
    assert (refund.amount_fen, refund.reason) == (order.total_fen, "parent")
    assert facts(session)[-1] == "OrderCancelled"
    with pytest.raises(NotCancellable):
        actions.cancel(session, viewer(hospital.mother), order.id, now)
    check_books(session)


def test_given_up_while_it_is_being_paid(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    """The money that crosses it comes back."""
    settle(session, payment_of(session, order), now)
    actions.cancel(session, viewer(hospital.mother), order.id, now)
    assert ledger(session)[1] == -order.total_fen, "nobody has heard of it yet"
    assert order.payment_id
    actions.payment_settled(session, order.payment_id, now)
    assert ledger(session) == (order.total_fen, 0, 0, -order.total_fen)


def test_only_who_ordered_pays_and_cancels(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    guardian(session, hospital.stranger, hospital.child, now)
    other = viewer(hospital.stranger)
    assert queries.for_family(session, other, order.id).id == order.id, "the other guardian sees it"
    with pytest.raises(NotTheirs):
        actions.cancel(session, other, order.id, now)


def test_once_the_pharmacy_is_at_work_a_pharmacist_decides(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    mother, by = viewer(hospital.mother), pharmacist(session)
    pay(session, order, now)
    begin(session, prepared(session, order, now), by, now)
    with pytest.raises(DispensingBegun):
        actions.cancel(session, mother, order.id, now)
    with pytest.raises(NotCancellable):
        deciding.answer(session, order.id, Answer.FULL, 0, "unasked", by=by, now=now)
    deciding.ask_back(session, mother, order.id, now, POLICY)
    with pytest.raises(AlreadyAsked):
        deciding.ask_back(session, mother, order.id, now, POLICY)
    assert tasks(session, ASKED) == [order.id]
    with pytest.raises(AnswerMissing):
        deciding.answer(session, order.id, Answer.FULL, 0, " ", by=by, now=now)
    deciding.answer(session, order.id, Answer.FULL, 0, "not sent yet", by=by, now=now)
    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, Ended.DECIDED)
    assert facts(session)[-2:] == ["OrderCancelled", "RefundAnswered"]
    assert ledger(session) == (order.total_fen, 0, 0, -order.total_fen)
    assert tasks(session, ASKED) == []
    check_books(session)


@pytest.mark.parametrize(("said", "back"), [(Answer.FULL, None), (Answer.PART, 300), (Answer.NONE, 0)])
def test_after_it_was_given_out_money_goes_back_but_no_medicine(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime, said: Answer, back: int | None
) -> None:
    mother, by, total = viewer(hospital.mother), pharmacist(session), order.total_fen
    pay(session, order, now)
    given(session, order, now)
    actions.completed(session, order.id, now)
    assert ledger(session) == (total, 0, -total, 0), "earned once it is there"
    deciding.ask_back(session, mother, order.id, now, POLICY)
    for wrong in (0, total + 1):
        with pytest.raises(WrongAmount), session.begin_nested():
            deciding.answer(session, order.id, Answer.PART, wrong, "too much", by=by, now=now)
    deciding.answer(session, order.id, said, back or 0, "as decided", by=by, now=now)
    fen = total if back is None else back
    assert order.status is OrderStatus.COMPLETED
    assert ledger(session) == (total, 0, fen - total, -fen)
    assert facts(session)[-1] == "RefundAnswered"
    with pytest.raises(NotCancellable):
        deciding.answer(session, order.id, Answer.FULL, 0, "again", by=by, now=now)
    check_books(session)


def tasks(session: Session, kind: str) -> list[UUID]:
    """What waits, by its subject."""
    wanted = select(Task.subject_id).where(Task.kind == kind, Task.status == TaskStatus.OPEN)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def test_the_pharmacy_declines_and_the_doctor_withdraws(
    session: Session, hospital: Hospital, prescription: Prescription, order: MedicineOrder, now: datetime
) -> None:
    pay(session, order, now)
    actions.declined(session, order.id, now)
    assert order.cancel_reason == Ended.DECLINED
    again = pay(session, place(session, hospital.mother, prescription, now), now)
    actions.prescription_cancelled(session, prescription.id, now)
    assert again.cancel_reason == Ended.WITHDRAWN
    assert facts(session).count("OrderCancelled") == 2
    assert ledger(session)[1] == 0
    check_books(session)


def test_a_recall_takes_the_lot_out_of_every_order(
    session: Session, hospital: Hospital, prescription: Prescription, now: datetime
) -> None:
    """There is another lot: the order does not notice."""
    lot, by = lots_of(session, medication(session))[0], pharmacist(session)
    order = pay(session, place(session, hospital.mother, prescription, now), now)
    received(session, now, 9, number="B2")
    recalling.recall(session, lot.id, "Found impure", by=by, now=now)
    assert {kept.number for _, kept in reserved_for(session, order.id)} == {"B2"}
    deciding.lot_recalled(session, lot.id, now)
    assert (order.status, tasks(session, SHORT)) == (OrderStatus.PAID, [])
    with pytest.raises(Recalled):
        recalling.recall(session, lot.id, "again", by=by, now=now)
    assert facts(session)[-1] == "LotRecalled"
    check_books(session)


def test_without_another_lot_an_unpaid_order_ends_and_a_paid_one_is_a_task(
    session: Session, hospital: Hospital, prescription: Prescription, order: MedicineOrder, now: datetime
) -> None:
    lot, by = lots_of(session, medication(session))[0], pharmacist(session)
    recalling.recall(session, lot.id, "Found impure", by=by, now=now)
    deciding.lot_recalled(session, lot.id, now)
    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, Ended.NO_STOCK)
    other = received(session, now, 9, number="B2")
    paid = pay(session, place(session, hospital.mother, prescription, now), now)
    recalling.recall(session, other.id, "This one, too", by=by, now=now)
    deciding.lot_recalled(session, other.id, now)
    assert (paid.status, tasks(session, SHORT)) == (OrderStatus.PAID, [paid.id])
    assert lacking(session, paid.id)
    received(session, now, 9, number="C3")
    assert deciding.refill(session, paid.id, now) == {}
    assert (tasks(session, SHORT), lacking(session, paid.id)) == ([], {})
    with pytest.raises(NotCancellable):
        deciding.give_up(session, paid.id, by=by, now=now)
    check_books(session)


def test_what_will_not_come_ends_by_the_pharmacist(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    lot, by = lots_of(session, medication(session))[0], pharmacist(session)
    pay(session, order, now)
    recalling.recall(session, lot.id, "Found impure", by=by, now=now)
    deciding.lot_recalled(session, lot.id, now)
    deciding.give_up(session, order.id, by=by, now=now)
    assert (order.cancel_reason, tasks(session, SHORT)) == (Ended.NO_STOCK, [])
    assert ledger(session)[1] == 0


def test_every_child_who_got_a_recalled_lot_is_found_until_the_family_knows(
    session: Session, hospital: Hospital, order: MedicineOrder, now: datetime
) -> None:
    lot, by = lots_of(session, medication(session))[0], pharmacist(session)
    pay(session, order, now)
    given(session, order, now)
    recalling.recall(session, lot.id, "Found impure", by=by, now=now)
    ((concerned, child),) = recalled(session, lot.id)
    assert child.id == hospital.child.id
    assert tasks(session, recalling.FAMILY) == [concerned.id]
    recalling.reached(session, concerned.id, now, by=by, note="spoke with the mother")
    assert tasks(session, recalling.FAMILY) == []
    recalling.reached(session, concerned.id, now + timedelta(hours=1), account=hospital.mother.id)
    known = session.get_one(RecalledChild, concerned.id)
    assert (known.reached_at, known.practitioner_id, known.account_id) == (now, by.id, None), "the first counts"


def test_an_address_book_of_twenty(session: Session, hospital: Hospital, now: datetime) -> None:
    who = viewer(hospital.mother)

    def add(house: int) -> Address:
        return addresses.add(session, who, XICHENG, f"南礼士路{house}号", "王芳", "13800001234", now)

    made = [add(house) for house in range(addresses.MOST)]
    with pytest.raises(TooManyAddresses):
        add(addresses.MOST)
    assert add(3).id == made[3].id, "one that is there stays one"
    addresses.make_default(session, who, made[3].id)
    assert [one.id for one in addresses.book(session, who) if one.default] == [made[3].id]
    addresses.remove(session, who, made[3].id, now)
    left = addresses.book(session, who)
    assert len(left) == addresses.MOST - 1
    assert [one.default for one in left].count(True) == 1
    assert (made[3].street, made[3].name, made[3].phone) == ("", "", "")
