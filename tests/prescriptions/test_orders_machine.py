"""Random histories of orders and stock: placed, paid, lapsed, paid late, cancelled, prepared, given out, declined,
received, recalled. After each step stock and money are conserved, and every change has its fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import Refused
from config.jobs import Fact
from config.policy import Policy
from config.states import StatusChange
from notifications.handlers import handle
from payments import actions as payments
from payments.gateway import RefundState
from payments.models import LedgerAccount, Payment, Refund
from payments.queries import balances, unbalanced
from people import tasks
from prescriptions.dispensing.models import DispenseStatus, MedicationDispense
from prescriptions.orders import actions, deciding, queries
from prescriptions.orders.actions import SHORT
from prescriptions.orders.models import Answer, MedicineOrder, OrderStatus
from prescriptions.stock import actions as stock
from prescriptions.stock import recalling
from prescriptions.stock.models import Lot, Reservation
from prescriptions.stock.queries import lacking, reserved_for
from prescriptions.writing.models import Prescription
from tests.prescriptions.made import room, signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.prescriptions.pharmacy import (
    begin,
    hand_out,
    home,
    pharmacist,
    place,
    prepared,
    received,
    settle,
    viewer,
)
from tests.prescriptions.test_stock import check_books
from tests.product import Hospital

ANY = st.integers(0, 50)
T = TypeVar("T")


class Pharmacy(RuleBasedStateMachine):
    """Three prescriptions of one child, two medicines, a few packages."""

    connection: ClassVar[Connection]
    hospital: ClassVar[Hospital]
    now: ClassVar[datetime]

    @initialize()
    def open(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.session = Session(self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        where = room(self.session, self.hospital, self.now)
        medicines = ((FEVER,), (IBUPROFEN,), (FEVER, IBUPROFEN))
        self.prescriptions = [signed(self.session, self.hospital, self.now, *m, encounter=where).id for m in medicines]
        self.home = home(self.session, self.hospital.mother, self.now)
        self.by, self.other = pharmacist(self.session, "PH1"), pharmacist(self.session, "PH2")
        self.facts: Counter[str] = Counter()
        self.lots = 0
        self.session.execute(text("delete from procrastinate_jobs"))
        for code in (FEVER, IBUPROFEN):
            self._receive(4, code, 400)
        self._then()

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            self.session.close()
            self.savepoint.rollback()

    def _receive(self, packages: int, code: str, days: int) -> None:
        self.lots += 1
        expires = today(self.now) + timedelta(days=days)
        received(self.session, self.now, packages, code, number=f"L{self.lots}", expires=expires)

    def _then(self) -> None:
        """Every fact is heard, those that it brings about too."""
        query = text("select id, args from procrastinate_jobs where status = 'todo' order by id limit 1")
        while row := self.session.execute(query).first():
            self.session.execute(text("delete from procrastinate_jobs where id = :id"), {"id": row.id})
            self.facts[row.args["kind"]] += 1
            handle(self.session, Fact.from_json(row.args["kind"], row.args["data"]), self.now)
            self.session.flush()
        self.session.expire_all()

    def _try(self, what: Any) -> None:
        """Do it, or be refused with nothing half done."""
        try:
            with self.session.begin_nested():
                what()
        except Refused:
            self.session.expire_all()
        self._then()

    def _one(self, rows: Sequence[T], pick: int) -> T | None:
        return rows[pick % len(rows)] if rows else None

    def _order(self, pick: int, *statuses: OrderStatus) -> MedicineOrder | None:
        wanted = select(MedicineOrder).order_by(MedicineOrder.id)
        if statuses:
            wanted = wanted.where(MedicineOrder.status.in_(statuses))
        return self._one(self.session.scalars(wanted).all(), pick)

    @rule(packages=st.integers(1, 4), code=st.sampled_from([FEVER, IBUPROFEN]), days=st.sampled_from([5, 40, 400]))
    def receive(self, packages: int, code: str, days: int) -> None:
        self._receive(packages, code, days)
        self._then()

    @rule(pick=ANY, delivered=st.booleans())
    def place(self, pick: int, delivered: bool) -> None:
        prescription = self.session.get_one(Prescription, self.prescriptions[pick % 3])
        to = self.home if delivered else None
        self._try(lambda: place(self.session, self.hospital.mother, prescription, self.now, to))

    @rule(pick=ANY)
    def pay(self, pick: int) -> None:
        """In time, or late: whatever order has an open or closed payment."""
        unpaid = self.session.scalars(select(Payment).where(Payment.paid_at.is_(None)).order_by(Payment.id)).all()
        if payment := self._one(unpaid, pick):
            settle(self.session, payment, self.now)
        self._then()

    @rule(pick=ANY)
    def lapse(self, pick: int) -> None:
        if (order := self._order(pick, OrderStatus.PENDING)) and order.payment_id:
            payments.closed(self.session, order.payment_id, self.now)
        self._then()

    @rule(pick=ANY)
    def pay_late(self, pick: int) -> None:
        """The order is closed unpaid, and then the money comes."""
        if (order := self._order(pick, OrderStatus.PENDING)) and order.payment_id:
            payments.closed(self.session, order.payment_id, self.now)
            self._then()
            settle(self.session, self.session.get_one(Payment, order.payment_id), self.now)
        self._then()

    @rule(pick=ANY)
    def cancel(self, pick: int) -> None:
        if order := self._order(pick):
            self._try(lambda: actions.cancel(self.session, viewer(self.hospital.mother), order.id, self.now))

    @rule(pick=ANY)
    def crossing(self, pick: int) -> None:
        """It is given up while its money is on the way."""
        if (order := self._order(pick, OrderStatus.PENDING)) and order.payment_id:
            settle(self.session, self.session.get_one(Payment, order.payment_id), self.now)
            self._try(lambda: actions.cancel(self.session, viewer(self.hospital.mother), order.id, self.now))
        self._then()

    def _work(self, order: MedicineOrder) -> MedicationDispense:
        return queries.dispense_of(self.session, order.id) or prepared(self.session, order, self.now)

    @rule(pick=ANY)
    def dispense_begin(self, pick: int) -> None:
        order = self._order(pick, OrderStatus.PAID)
        if order and not lacking(self.session, order.id):
            work = self._work(order)
            if work.status is DispenseStatus.PREPARATION:
                begin(self.session, work, self.by, self.now)
        self._then()

    @rule(pick=ANY)
    def give_out(self, pick: int) -> None:
        """Checked and gone; what a recall has taken out meanwhile is refused."""
        if order := self._order(pick, OrderStatus.PAID):
            work = self._work(order)
            if work.status is DispenseStatus.IN_PROGRESS:
                self._try(lambda: hand_out(self.session, work, self.other, self.now))

    @rule(pick=ANY)
    def arrive(self, pick: int) -> None:
        if order := self._order(pick, OrderStatus.PAID):
            work = queries.dispense_of(self.session, order.id)
            if work and work.status is DispenseStatus.COMPLETED:
                actions.completed(self.session, order.id, self.now)
        self._then()

    @rule(pick=ANY)
    def decline(self, pick: int) -> None:
        if order := self._order(pick, OrderStatus.PAID):
            work = queries.dispense_of(self.session, order.id)
            if work is None or work.status is not DispenseStatus.COMPLETED:
                actions.declined(self.session, order.id, self.now)
        self._then()

    @rule(pick=ANY, said=st.sampled_from(Answer), fen=st.integers(1, 2000))
    def ask_back(self, pick: int, said: Answer, fen: int) -> None:
        if order := self._order(pick, OrderStatus.PAID, OrderStatus.COMPLETED):
            mother = viewer(self.hospital.mother)
            self._try(lambda: deciding.ask_back(self.session, mother, order.id, self.now, Policy()))
            self._try(lambda: deciding.answer(self.session, order.id, said, fen, "because", by=self.by, now=self.now))

    @rule(pick=ANY)
    def recall(self, pick: int) -> None:
        lots = self.session.scalars(select(Lot).where(Lot.on_hand > 0).order_by(Lot.id)).all()
        if lot := self._one(lots, pick):
            self._try(lambda: recalling.recall(self.session, lot.id, "impure", by=self.by, now=self.now))

    @rule(pick=ANY)
    def refill(self, pick: int) -> None:
        if order := self._order(pick, OrderStatus.PAID):
            deciding.refill(self.session, order.id, self.now)
        self._then()

    @rule(pick=ANY)
    def give_up(self, pick: int) -> None:
        if order := self._order(pick, OrderStatus.PAID):
            self._try(lambda: deciding.give_up(self.session, order.id, by=self.by, now=self.now))

    @rule(pick=ANY, packages=st.integers(1, 3))
    def discard(self, pick: int, packages: int) -> None:
        if lot := self._one(self.session.scalars(select(Lot).order_by(Lot.id)).all(), pick):
            self._try(lambda: stock.discard(self.session, lot.id, packages, "broken", by=self.by, now=self.now))

    @invariant()
    def the_stock_is_conserved(self) -> None:
        if hasattr(self, "savepoint"):
            check_books(self.session)

    @invariant()
    def the_money_is_conserved(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        found = balances(self.session)
        assert sum(found.values()) == 0
        assert unbalanced(self.session) == []
        left = {True: 0, False: 0}
        for payment in self.session.scalars(select(Payment).where(Payment.paid_at.is_not(None))):
            left[payment.earned_at is not None] += payment.amount_fen - payment.refunded_fen
        assert (-found[LedgerAccount.HELD], -found[LedgerAccount.EARNED]) == (left[False], left[True])
        returning = select(func.sum(Refund.amount_fen)).where(Refund.status == RefundState.PROCESSING)
        assert -found[LedgerAccount.RETURNING] == int(self.session.scalar(returning) or 0)

    @invariant()
    def every_order_has_what_its_state_says(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        for order in self.session.scalars(select(MedicineOrder)):
            work, kept = queries.dispense_of(self.session, order.id), reserved_for(self.session, order.id)
            missing = lacking(self.session, order.id)
            out = work is not None and work.status is DispenseStatus.COMPLETED
            match order.status:
                case OrderStatus.PENDING:
                    assert kept, "nothing is kept for who pays now"
                    assert not missing, "not all is kept for who pays now"
                case OrderStatus.PAID:
                    assert not missing or tasks.is_open(self.session, SHORT, order.id), "paid, lacks something, unknown"
                    assert kept or out or missing, "paid, and nothing is kept or done for it"
                    assert not (kept and out), "given out, and still kept"
                case OrderStatus.COMPLETED:
                    assert out, "there without having been given out"
                    assert not kept, "given out, and still kept"
                case OrderStatus.CANCELLED:
                    assert not kept, "kept for nobody"
                    assert not deciding.left_fen(self.session, order), "the money of what was cancelled was kept"
        assert not self.session.scalars(select(Reservation).where(Reservation.quantity < 1)).all()

    @invariant()
    def every_change_has_its_fact(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        kinds = (StatusChange.to_status, StatusChange.why)
        wanted = select(*kinds, func.count()).where(StatusChange.thing == "medicine_orders").group_by(*kinds)
        done: Counter[str] = Counter()
        for to, why, count in self.session.execute(wanted):
            ended = "OrderLapsed" if why == "unpaid" else "OrderCancelled"
            done[{"paid": "OrderPaid", "cancelled": ended}.get(to, "")] += count
        done.pop("", None)
        told = {name: self.facts[name] for name in ("OrderPaid", "OrderLapsed", "OrderCancelled") if self.facts[name]}
        assert done == told


def test_random_histories(database: Connection, hospital: Hospital, session: Session, now: datetime) -> None:
    Pharmacy.connection, Pharmacy.hospital, Pharmacy.now = database, hospital, now
    how = settings(
        max_examples=max(10, settings().max_examples // 2),
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Pharmacy, settings=how)


@pytest.mark.parametrize("broken", ["release", "refund"])
def test_what_the_histories_would_find(
    database: Connection,
    hospital: Hospital,
    session: Session,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    """Each guard is taken away once, in the shortest history that needs it."""
    Pharmacy.connection, Pharmacy.hospital, Pharmacy.now = database, hospital, now
    monkeypatch.setattr(stock if broken == "release" else payments, broken, lambda *_, **__: None)
    machine = Pharmacy()
    machine.open()
    machine.place(0, False)
    machine.pay(0)
    machine.every_order_has_what_its_state_says()
    machine.cancel(0)
    with pytest.raises(AssertionError, match="kept"):
        machine.every_order_has_what_its_state_says()
    machine.teardown()
