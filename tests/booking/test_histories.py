"""Random histories of all that can happen to a number, several families at once: hold, pay, cancel, change, wait,
answer, stop, take back, money that is late, a worker that is away. After each step the books agree, and whoever is
concerned was told. (A gateway whose answers get lost: tests/payments/test_machine.py.)"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, and_, not_, select
from sqlalchemy.orm import Session

from booking import refusals
from booking.models import (
    HOLDING,
    Appointment,
    AppointmentStatus,
    Pool,
    Schedule,
    ScheduleStatus,
    Slot,
    SlotStatus,
    Why,
)
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import today
from config.database import transaction
from payments import gateway
from payments.models import LedgerAccount, Payment
from payments.queries import balances
from tests.booking import books
from tests.booking.order import watched
from tests.booking.world import World, build
from tests.product import Hospital

ANY = st.integers(0, 59)


class Histories(RuleBasedStateMachine):
    """Three doctors, two days, one number each; the first day is full and waited for."""

    connection: Connection
    made: dict[str, Any]

    @initialize()
    def open(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.world = World(**self.made)
        self.children = list(self.world.guardians)
        self.away, self.sound = False, True
        for schedule, child in zip(self.world.schedules[:3], self.children[::2], strict=True):
            self.world.book(child, schedule)
        for child in self.children[1::2]:
            self.world.join(child, self.world.schedules[0])
            self.world.join(child, self.world.schedules[2])
        self._then()

    @rule(child=ANY, where=ANY)
    def book(self, child: int, where: int) -> None:
        who, schedule = self.children[child % 6], self._schedule(where)
        with transaction() as session:
            bookable, free, has = self._can(session, who, schedule)
        done = self.world.book(who, schedule)
        assert isinstance(done, refusals.NotOpen) == (not bookable)
        if bookable:
            assert isinstance(done, UUID) == (free and not has), done
            assert has or free or isinstance(done, refusals.SoldOut)
        self._then()

    def _can(self, session: Session, child: UUID, where: UUID) -> tuple[bool, bool, bool]:
        """Whether the period can be booked at all, has a number free, and the child has one in the department then."""
        schedule = session.get_one(Schedule, where)
        ahead = (schedule.day - today(self.world.now)).days
        number = select(Slot.id).where(Slot.schedule_id == where, Slot.status == SlotStatus.FREE)
        free = session.scalar(number.where(Slot.pool == Pool.OPEN)) is not None
        mine = select(Appointment.id).where(Appointment.patient_id == child, Appointment.day == schedule.day)
        mine = mine.where(Appointment.department_id == schedule.department_id, Appointment.status.in_(HOLDING))
        held_change = Appointment.status == AppointmentStatus.PENDING, Appointment.replaces_id.is_not(None)
        mine = mine.where(not_(and_(*held_change)))  # stands beside, and ends when it is paid: another was taken
        return ahead >= 1 and schedule.status is ScheduleStatus.ACTIVE, free, session.scalar(mine) is not None

    @rule(child=ANY, where=ANY)
    def join(self, child: int, where: int) -> None:
        who, schedule = self.children[child % 6], self._schedule(where)
        with transaction() as session:
            bookable, free, _ = self._can(session, who, schedule)
        done = self.world.join(who, schedule)
        assert not (bookable and free and isinstance(done, UUID)), "waits beside a free number"
        self._then()

    @rule(pick=ANY)
    def leave(self, pick: int) -> None:
        if entry := self._one(select(WaitingEntry.id).where(WaitingEntry.status == WaitingStatus.WAITING), pick):
            self.world.leave(entry)
        self._then()

    @rule(pick=ANY, yes=st.booleans())
    def answer(self, pick: int, yes: bool) -> None:
        held = select(Appointment.id).where(Appointment.status == AppointmentStatus.PENDING)
        if offer := self._one(held.where(Appointment.payment_id.is_(None)), pick):
            self.world.answer(offer, yes=yes)
        self._then()

    @rule(pick=ANY, why=st.sampled_from([Why.PARENT, Why.WORSENED]), closes=st.booleans())
    def cancel(self, pick: int, why: Why, closes: bool) -> None:
        if visit := self._one(select(Appointment.id).where(Appointment.status.in_(HOLDING)), pick):
            done = self.world.cancel(visit, why, closes=closes)
            if isinstance(done, refusals.TooLateToCancel):
                with transaction() as session:
                    starts_at = session.get_one(Appointment, visit).starts_at
                assert why is Why.PARENT or starts_at < self.world.now
                assert self.world.now > starts_at - timedelta(hours=self.world.policy.cancel_until_hours)
        self._then()

    @rule(pick=ANY, where=ANY)
    def change(self, pick: int, where: int) -> None:
        """A refusal leaves everything as it is: never the old one lost without the new one had."""
        visit = self._one(select(Appointment.id).where(Appointment.status == AppointmentStatus.BOOKED), pick)
        if visit is None:
            return
        done = self.world.change(visit, self._schedule(where))
        with transaction() as session:
            old = session.get_one(Appointment, visit).status
            if isinstance(done, UUID):
                held = session.get_one(Appointment, done).status is AppointmentStatus.PENDING
                assert (old is AppointmentStatus.BOOKED) == held
            else:
                assert old is AppointmentStatus.BOOKED
        self._then()

    @rule(pick=ANY)
    def open_the_cashier(self, pick: int) -> None:
        if payment := self._one(select(Payment.id), pick):
            self.world.open_cashier(payment)
        self._then()

    @rule(pick=ANY, told=st.integers(0, 2))
    def pay(self, pick: int, told: int) -> None:
        """Whatever has been opened: the number may be gone by now."""
        if numbers := list(self.world.till.orders):
            self.world.pay(numbers[pick % len(numbers)], told=told)
        self._then()

    @rule(pick=ANY)
    def pay_at_once(self, pick: int) -> None:
        """What is held now, a change beside what it replaces among them."""
        held = select(Appointment.payment_id).where(Appointment.status == AppointmentStatus.PENDING)
        if payment := self._one(held.where(Appointment.payment_id.is_not(None)), pick):
            self.world.open_cashier(payment)
            self.world.pay(payment.hex, told=1)
        self._then()

    @rule()
    def refunds_arrive(self) -> None:
        self.world.refunds_arrive()
        self._then()

    @rule(where=ANY, whole=st.booleans())
    def stop(self, where: int, whole: bool) -> None:
        self.world.stop(where % 6, whole=whole)
        self._then()

    @rule(pick=ANY)
    def lift(self, pick: int) -> None:
        with transaction() as session:
            stops = self.world.done_stops(session)
        if stops:
            self.world.lift(stops[pick % len(stops)])
        self._then()

    @rule(minutes=st.sampled_from([1, 5, 11, 60, 9 * 60]))
    def time_goes_on(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.world.sweep()
        self._then()

    @rule()
    def the_worker_goes_or_comes(self) -> None:
        """What happened meanwhile is told late, and nothing of it is lost."""
        self.away = not self.away
        self._then()

    def _then(self) -> None:
        if not self.away:
            self.world.work()

    def _schedule(self, where: int) -> UUID:
        return self.world.schedules[where % 6]

    def visit(self, child: int, where: UUID | None = None) -> UUID:
        """The last number that the child has taken and holds, there or anywhere."""
        with transaction() as session:
            mine = [Appointment.patient_id == self.children[child]]
            if where:
                mine.append(Appointment.schedule_id == where)
            return self.world.visits(session, *mine)[-1]

    def payment(self, child: int, where: UUID | None = None) -> UUID:
        """The payment of that number."""
        visit = self.visit(child, where)
        with transaction() as session:
            found = session.get_one(Appointment, visit).payment_id
        assert found
        return found

    def pay_for(self, child: int, where: UUID | None = None) -> None:
        payment = self.payment(child, where)
        self.world.open_cashier(payment)
        self.world.pay(payment.hex, told=1)

    def _one(self, found: Any, pick: int) -> UUID | None:
        with transaction() as session:
            ids = session.scalars(found).all()
        return ids[pick % len(ids)] if ids else None

    @invariant()
    def what_is_always_true(self) -> None:
        if not hasattr(self, "world"):
            return
        self.sound = False
        with transaction() as session:
            books.never_oversold(session)
            books.nobody_comes_to_a_stopped_clinic(session)
            books.money_balances(session, idle=not self.away)
            books.the_list_is_in_order(session, self.world.now)
            if not self.away:
                books.everybody_was_told(session, self.world.now)
        self.sound = True

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                if self.sound:
                    self._end()
            finally:
                self.savepoint.rollback()

    def _end(self) -> None:
        """Nothing is held any more that nobody paid, and what lies with the gateway is what we say."""
        self.away = False
        self.world.everything_ends()
        self.what_is_always_true()
        with transaction() as session:
            assert self.world.visits(session, Appointment.status == AppointmentStatus.PENDING) == []
            assert balances(session)[LedgerAccount.GATEWAY] == self.world.till.holds


def test_random_histories(database: Connection, session: Session, hospital: Hospital, now: Any) -> None:
    made = vars(build(session, hospital, now))
    made.pop("till")
    with watched() as out_of_order:
        run_state_machine_as_test(
            type("Machine", (Histories,), {"connection": database, "made": made}),
            settings=settings(
                max_examples=settings().max_examples // 2,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert out_of_order == []


def paid_change(machine: Histories) -> Iterator[object]:
    """What a paid change replaces ends, on another day, too."""
    yield machine.world.change(machine.visit(0), machine.world.schedules[4])
    machine.pay_for(0, machine.world.schedules[4])
    yield None


def paid_and_given_back(machine: Histories) -> Iterator[object]:
    machine.pay_for(2)
    yield None
    yield machine.world.cancel(machine.visit(2), Why.PARENT, closes=False)
    machine.refunds_arrive()
    yield None


def moved_money(machine: Histories) -> Iterator[object]:
    """The same fee goes along with a change."""
    machine.pay_for(4)
    yield None
    yield machine.world.change(machine.visit(4), machine.world.schedules[5])
    yield machine.world.cancel(machine.visit(4), Why.PARENT, closes=False)


def stopped_while_held(machine: Histories) -> Iterator[object]:
    machine.stop(1, whole=False)
    yield None


def taken_back_before_the_list_was_closed(machine: Histories) -> Iterator[object]:
    machine.stop(0, whole=False)
    yield None
    machine.lift(0)
    yield None


def money_after_the_number_was_given_back(machine: Histories) -> Iterator[object]:
    payment = machine.payment(2)
    machine.world.open_cashier(payment)
    yield None
    yield machine.world.cancel(machine.visit(2), Why.PARENT, closes=False)
    machine.world.pay(payment.hex, told=2)
    yield None


def money_while_the_order_is_closed(machine: Histories) -> Iterator[object]:
    """It lands between the gateway's answer and our writing it down: paid wins."""
    payment, till = machine.payment(2), machine.world.till
    machine.world.open_cashier(payment)
    yield None
    close = till.close

    def crossed(number: str) -> None:
        close(number)
        till.states[number] = gateway.Payment(number, gateway.TradeState.NOTPAY)
        machine.world.pay(number, told=1)

    till.close = crossed  # type: ignore[method-assign]
    yield machine.world.cancel(machine.visit(2), Why.PARENT, closes=True)


def offered_and_paid(machine: Histories) -> Iterator[object]:
    """A yes to a number with a fee is not yet a visit."""
    yield machine.world.cancel(machine.visit(4), Why.PARENT, closes=True)
    yield machine.world.answer(machine.visit(1), yes=True)
    machine.pay_for(1)
    yield None


def declined_lapsed_and_left(machine: Histories) -> Iterator[object]:
    """The first says no, the second nothing, and nobody comes in between."""
    yield machine.world.cancel(machine.visit(0), Why.PARENT, closes=False)
    yield machine.world.answer(machine.visit(1), yes=False)
    machine.time_goes_on(60)
    yield None
    machine.book(0, 0)
    yield None


def wants_to_wait_beside_a_free_number(machine: Histories) -> Iterator[object]:
    machine.join(5, 3)
    yield None


@pytest.mark.parametrize(
    "history",
    [
        paid_change,
        paid_and_given_back,
        moved_money,
        stopped_while_held,
        taken_back_before_the_list_was_closed,
        money_after_the_number_was_given_back,
        money_while_the_order_is_closed,
        offered_and_paid,
        declined_lapsed_and_left,
        wants_to_wait_beside_a_free_number,
    ],
)
def test_what_chance_seldom_brings(
    database: Connection,
    session: Session,
    hospital: Hospital,
    now: Any,
    history: Callable[[Histories], Iterator[object]],
) -> None:
    made = vars(build(session, hospital, now))
    made.pop("till")
    machine = type("Machine", (Histories,), {"connection": database, "made": made})()
    with watched() as out_of_order:
        machine.open()
        try:
            machine.what_is_always_true()
            for done in history(machine):
                assert not isinstance(done, Exception), done
                machine._then()
                machine.what_is_always_true()
        finally:
            machine.teardown()
    assert out_of_order == []
