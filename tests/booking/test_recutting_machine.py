"""Random histories of booking, cancelling and changing the roster: what is held is never removed, moved or sold twice,
and cutting again changes nothing more."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from booking import actions
from booking.models import HOLDING, Appointment, AppointmentStatus, ClinicType, Period, Pool, Schedule, Slot, SlotStatus
from booking.pool import Clinic
from booking.refusals import AlreadyHolding, NotOpen, SoldOut
from booking.roster_models import ExceptionKind, OnHolidays, RosterException
from booking.rosters import changes, cut_schedules, cutting
from booking.rosters.changes import Departure, Template
from booking.rosters.compare import compare
from config.clock import today
from config.errors import NotFound
from config.policy import Policy
from people.models import Patient
from tests.product import Hospital, patient

POLICY = Policy()
CHILDREN = 5
Held = dict[object, tuple[object, ...]]


class Recutting(RuleBasedStateMachine):
    """One doctor's morning, two days ahead, whose roster is changed while children are booked in it."""

    connection: Connection
    hospital: Hospital
    children: list[Patient]
    start: datetime

    @initialize()
    def open(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint")
        self.now, self.day = self.start, today(self.start) + timedelta(days=2)
        self.kept: int | None = None
        self.book(children={0, 1, 2})

    @rule(children=st.sets(st.integers(0, CHILDREN - 1), min_size=1))
    def book(self, children: set[int]) -> None:
        for child in sorted(children):
            if (schedule := self._schedule()) is None:
                return
            try:
                args = (self.children[child], self.hospital.mother.id, self.now, POLICY)
                actions.book(self.session, schedule.id, *args)
            except (AlreadyHolding, NotOpen, SoldOut, NotFound):
                pass

    @rule(pick=st.integers(0, 20))
    def cancel(self, pick: int) -> None:
        coming = select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED).order_by(Appointment.id)
        if held := self.session.scalars(coming).all():
            chosen = held[pick % len(held)]
            actions.cancel(self.session, chosen.id, self.hospital.mother.id, self.now, POLICY)

    @rule(
        quota=st.integers(1, 5),
        hour=st.integers(8, 9),
        kept_back=st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    )
    def change_the_template(self, quota: int, hour: int, kept_back: tuple[int, int, int]) -> None:
        later, followup, area = kept_back if sum(kept_back) <= quota else (0, 0, 0)
        wanted = Template(
            practitioner_id=self.hospital.doctor.id,
            department_id=self.hospital.medicine.id,
            weekday=self.day.weekday(),
            period=Period.MORNING,
            starts=time(hour),
            ends=time(12),
            quota=quota,
            fee_fen=quota * 100,
            clinic_type=ClinicType.ORDINARY,
            later_quota=later,
            followup_quota=followup,
            area_quota=area,
            on_holidays=OnHolidays.OPEN,
            valid_from=self.day,
            valid_to=None,
        )
        changes.save_template(self.session, wanted, by=None, now=self.now, policy=POLICY)
        self.cut()

    @rule()
    def go_on_leave_or_come_back(self) -> None:
        self.now += timedelta(seconds=1)
        live = select(RosterException).where(RosterException.revoked_at.is_(None))
        if found := self.session.scalars(live).first():
            changes.revoke(self.session, found, by=None, now=self.now, policy=POLICY)
        else:
            where = (self.hospital.doctor.id, self.hospital.medicine.id, self.day, Period.MORNING)
            wanted = Departure(*where, ExceptionKind.LEAVE)
            changes.add_exception(self.session, wanted, by=None, now=self.now, policy=POLICY)
        self.cut()

    @rule(every=st.integers(2, 4))
    def the_hospital_keeps_numbers(self, every: int) -> None:
        """What a pool gives from now on."""
        self.kept = every
        self.cut()

    def cut(self) -> None:
        before = self._held()
        self._cut()
        after = self._held()
        assert after == before
        slots = self._slots()
        self._cut()
        assert self._slots() == slots
        self._is_right()

    def _cut(self) -> None:
        wanted = cutting.wanted(self.session, self.day, self.now)
        given = {clinic: frozenset(n for n in numbers if self._gives(clinic, n)) for clinic, numbers in wanted.items()}
        cut_schedules(self.session, [self.day], self.now, given)

    def _gives(self, clinic: Clinic, number: int) -> bool:
        return not self.kept or bool(number % self.kept)

    def _is_right(self) -> None:
        plan = compare(self.session, self.day, self.now, {})
        assert all(step.conflict and not step.changes_something for step in plan if step.schedule)
        roster = compare(self.session, self.day, self.now)
        quota = {step.plan.quota for step in roster if step.plan and step.clinic.practitioner == "D001"}
        for number, _, pool, status in self._slots():
            if status is SlotStatus.FREE and pool is not Pool.WITHDRAWN and quota:
                assert number <= max(quota)

    def _schedule(self) -> Schedule | None:
        return self.session.scalar(
            select(Schedule)
            .where(Schedule.practitioner_id == self.hospital.doctor.id, Schedule.day == self.day)
            .where(Schedule.period == Period.MORNING)
        )

    def _held(self) -> Held:
        """Every number that somebody holds, with all that the parent was told of it."""
        rows = self.session.execute(
            select(
                Appointment.id, Slot.id, Slot.number, Slot.starts_at, Slot.status, Schedule.starts_at, Schedule.fee_fen
            )
            .join(Slot, Slot.id == Appointment.slot_id)
            .join(Schedule, Schedule.id == Slot.schedule_id)
            .where(Appointment.status.in_(HOLDING), Slot.status.in_((SlotStatus.BUSY, SlotStatus.BUSY_TENTATIVE)))
        )
        return {row[0]: tuple(row[1:]) for row in rows}

    def _slots(self) -> list[tuple[int, datetime, Pool, SlotStatus]]:
        if (schedule := self._schedule()) is None:
            return []
        columns = (Slot.number, Slot.starts_at, Slot.pool, Slot.status)
        rows = self.session.execute(select(*columns).where(Slot.schedule_id == schedule.id).order_by(Slot.number))
        return [(number, starts_at, pool, status) for number, starts_at, pool, status in rows]

    @invariant()
    def whoever_is_booked_has_a_number(self) -> None:
        if hasattr(self, "session"):
            booked = select(Appointment.id).where(Appointment.status.in_(HOLDING))
            assert set(self.session.scalars(booked)) == set(self._held())

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
            self.savepoint.rollback()


def test_random_histories_of_a_roster(
    database: Connection, session: Session, hospital: Hospital, now: datetime
) -> None:
    born = hospital.child.birth_date
    children = [patient(session, f"M{n}", "周小", born, now) for n in range(CHILDREN)]
    session.commit()
    given = {"connection": database, "hospital": hospital, "children": children, "start": now}
    run_state_machine_as_test(
        type("Machine", (Recutting,), given),
        settings=settings(
            max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
