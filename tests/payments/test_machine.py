"""Random histories of money over a gateway that fails: the ledger balances, and knows what the gateway holds."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from payments import actions, collecting, mending
from payments.due import claim
from payments.gateway import GatewayError, RefundState
from payments.models import LedgerAccount, LedgerEntry, Payment, Refund
from payments.queries import balances, unbalanced
from payments.refusals import AlreadyPaid, GatewayAway, MoreThanLeft, NotRepeatable, PaymentOver
from tests.payments.conftest import charged, facts
from tests.payments.till import AWAY, UNVERIFIED, Till
from tests.product import account

FEE = 5000
WRONG = st.sampled_from([None, None, None, "before", "lost"])
ERRORS = st.sampled_from([AWAY, UNVERIFIED, GatewayError("SYSTEM_ERROR", again=True)])


class Money(RuleBasedStateMachine):
    """Some payments of one parent, a gateway, and time that goes on."""

    payments = Bundle("payments")
    connection: Connection
    start: datetime

    @initialize()
    def open(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint")
        self.till, self.now = Till(), self.start
        self.payer = account(self.session, "o-payer", self.now)
        self.session.commit()

    @rule(target=payments)
    def charge(self) -> Payment:
        made = charged(self.session, self.payer, self.now, FEE)
        self.session.commit()
        return made

    @rule(payment=payments, wrong=WRONG, error=ERRORS)
    def checkout(self, payment: Payment, wrong: str | None, error: GatewayError) -> None:
        self._spoil(wrong, error)
        with suppress(PaymentOver, AlreadyPaid, GatewayAway):
            collecting.checkout(self.till, payment.id, self.now)

    @rule(payment=payments, told=st.integers(0, 2))
    def pay(self, payment: Payment, told: int) -> None:
        """The notice is lost, told once, or told twice."""
        notice = self.till.pay(payment.number, self.now)
        for _ in range(told if notice else 0):
            assert notice
            assert actions.settle(self.session, notice, self.now)
            self.session.commit()

    @rule(payment=payments, wrong=WRONG, error=ERRORS, closing=st.booleans(), meanwhile=st.booleans())
    def ask(self, payment: Payment, wrong: str | None, error: GatewayError, closing: bool, meanwhile: bool) -> None:
        self._spoil(wrong, error)
        if meanwhile:  # paid between our asking and our closing
            self.till.meanwhile = lambda: self.till.pay(payment.number, self.now)
        with suppress(GatewayError):
            (collecting.close if closing else collecting.ask)(self.till, payment.id, self.now)

    @rule(payment=payments, fen=st.sampled_from([None, 1, 2000, 5000]))
    def refund(self, payment: Payment, fen: int | None) -> None:
        with suppress(MoreThanLeft):
            actions.refund(self.session, payment.id, reason="parent", now=self.now, amount_fen=fen)
        self.session.commit()

    @rule(payment=payments)
    def earn(self, payment: Payment) -> None:
        actions.earn(self.session, payment.id, self.now)
        self.session.commit()

    @rule(pick=st.integers(0, 20), state=st.sampled_from(list(RefundState)), told=st.integers(0, 2))
    def a_refund_ends(self, pick: int, state: RefundState, told: int) -> None:
        if self.till.refunds:
            number = list(self.till.refunds)[pick % len(self.till.refunds)]
            if self.till.refunds[number].state is RefundState.CLOSED:
                return  # closed for good
            notice = self.till.end(number, state, self.now)
            for _ in range(told):
                actions.refund_result(self.session, notice, self.now)
                self.session.commit()

    @rule(pick=st.integers(0, 20))
    def somebody_makes_a_refund_anew(self, pick: int) -> None:
        every = self.session.scalars(select(Refund).order_by(Refund.id)).all()
        if every:
            with suppress(NotRepeatable):
                mending.refund_again(self.session, every[pick % len(every)].id, by=self.payer.id, now=self.now)
            self.session.commit()

    @rule(minutes=st.sampled_from([1, 5, 60]), wrong=WRONG, error=ERRORS)
    def time_goes_on(self, minutes: int, wrong: str | None, error: GatewayError) -> None:
        self.now += timedelta(minutes=minutes)
        self._sweep(wrong, error)

    def _sweep(self, wrong: str | None, error: GatewayError) -> None:
        due = claim(self.session, self.now, 50)
        self.session.commit()
        self._spoil(wrong, error)
        for one in due:
            with suppress(GatewayError):
                collecting.see_to(self.till, one, self.now)

    def _spoil(self, wrong: str | None, error: GatewayError) -> None:
        self.till.before = self.till.lost = self.till.meanwhile = None
        if wrong:
            setattr(self.till, wrong, error)

    @invariant()
    def the_ledger_balances(self) -> None:
        if hasattr(self, "session"):
            self.session.expire_all()
            found = balances(self.session)
            assert sum(found.values()) == 0
            assert unbalanced(self.session) == []
            assert all(found[owner] <= 0 for owner in LedgerAccount if owner is not LedgerAccount.GATEWAY)

    @invariant()
    def no_more_goes_back_than_came(self) -> None:
        if hasattr(self, "session"):
            for payment in self.session.scalars(select(Payment)):
                refunds = self.session.scalars(select(Refund).where(Refund.payment_id == payment.id)).all()
                assert sum(r.amount_fen for r in refunds if r.again_id is None) == payment.refunded_fen
                assert payment.refunded_fen <= (FEE if payment.paid else 0)
            for number in self.till.states:
                gone = [r for r in self.till.refunds.values() if r.payment == number]
                assert sum(r.refund_fen for r in gone if r.state is RefundState.SUCCESS) <= FEE

    @invariant()
    def each_payment_is_told_of_once(self) -> None:
        if hasattr(self, "session"):
            told = facts(self.session)
            settled = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.why == "paid")
            assert told.count("PaymentSettled") * 2 == self.session.scalar(settled)
            returned = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.why == "refunded")
            assert told.count("RefundFinished") * 2 == self.session.scalar(returned)

    def teardown(self) -> None:
        """Once the gateway answers and everybody was asked, our books and its are the same."""
        if hasattr(self, "session"):
            for payment in self.session.scalars(select(Payment)):
                payment.ask_at = self.now
            for refund in self.session.scalars(select(Refund)):
                refund.ask_at = self.now
            self.session.commit()
            self._sweep(None, AWAY)
            self.session.expire_all()
            assert balances(self.session)[LedgerAccount.GATEWAY] == self.till.holds
            self.session.close()
            self.savepoint.rollback()


def test_random_histories(database: Connection, now: datetime) -> None:
    machine = type("Machine", (Money,), {"connection": database, "start": now})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
