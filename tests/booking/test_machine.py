"""Random histories of booking and cancelling: after every step the books agree with themselves."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from booking import actions
from booking.models import HOLDING, Appointment, AppointmentStatus, Schedule, Slot, SlotStatus
from booking.refusals import AlreadyHolding, NotCancellable, NotOpen, SoldOut, TooLateToCancel
from config.clock import local, today
from config.policy import Policy
from tests.product import patient, seed

POLICY = Policy()
QUOTA, CHILDREN = 2, 6


class Booking(RuleBasedStateMachine):
    """Six children, two doctors with two numbers per period, and time that goes on."""

    connection: Connection
    start: datetime

    @initialize()
    def open(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint")
        self.now = self.start
        self.hospital = seed(self.session, self.now, quota=QUOTA)
        born = self.hospital.child.birth_date
        self.children = [patient(self.session, f"M{n}", "周小", born, self.now) for n in range(CHILDREN)]
        days = [today(self.now) + timedelta(days=ahead) for ahead in (0, 1, 2, 9)]
        self.schedules = self.session.scalars(select(Schedule).where(Schedule.day.in_(days))).all()
        self.changes = 0

    @rule(child=st.integers(0, CHILDREN - 1), pick=st.integers(0, 15))
    def book(self, child: int, pick: int) -> None:
        schedule = self.schedules[pick % len(self.schedules)]
        held = self._holding(Appointment.patient_id == self.children[child].id, Appointment.day == schedule.day)
        free = QUOTA - len(self._holding(Appointment.schedule_id == schedule.id))
        try:
            actions.book(self.session, schedule.id, self.children[child], self.hospital.mother.id, self.now, POLICY)
        except NotOpen:
            ahead, released = (schedule.day - today(self.now)).days, local(self.now).hour >= 7
            assert not 1 <= ahead <= (8 if released else 7)
        except AlreadyHolding:
            assert held
        except SoldOut:
            assert free == 0
        else:
            assert free > 0
            assert not held
            self.changes += 1

    @rule(pick=st.integers(0, 100))
    @precondition(lambda self: self.changes > 0)
    def cancel(self, pick: int) -> None:
        every = self.session.scalars(select(Appointment).order_by(Appointment.id)).all()
        chosen = every[pick % len(every)]
        was = chosen.status
        try:
            actions.cancel(self.session, chosen.id, self.hospital.mother.id, self.now, POLICY)
        except NotCancellable:
            assert was is AppointmentStatus.CANCELLED
        except TooLateToCancel:
            assert self.now > chosen.starts_at - timedelta(hours=POLICY.cancel_until_hours)
        else:
            assert was is AppointmentStatus.BOOKED
            self.changes += 1

    @rule(hours=st.integers(1, 14))
    def time_goes_on(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        actions.remind_due(self.session, self.now)

    @rule()
    def schedules_are_cut_again(self) -> None:
        assert actions.cut_schedules(self.session, [schedule.day for schedule in self.schedules]) == 0

    def _holding(self, *conditions: object) -> list[Appointment]:
        found = select(Appointment).where(Appointment.status.in_(HOLDING), *conditions)  # type: ignore[arg-type]
        return list(self.session.scalars(found))

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "session"):
            return
        held = self._holding()
        assert max(Counter(visit.slot_id for visit in held).values(), default=0) <= 1
        assert max(Counter((visit.patient_id, visit.day) for visit in held).values(), default=0) <= 1
        busy = set(self.session.scalars(select(Slot.id).where(Slot.status != SlotStatus.FREE)))
        assert busy == {visit.slot_id for visit in held}

    @invariant()
    def every_change_has_its_fact(self) -> None:
        if not hasattr(self, "session"):
            return
        told = text("select count(*) from procrastinate_jobs where args->>'kind' <> 'AppointmentReminderDue'")
        assert self.session.scalar(told) == self.changes

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
            self.savepoint.rollback()


def test_random_histories(database: Connection, now: datetime) -> None:
    machine = type("Machine", (Booking,), {"connection": database, "start": now})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
