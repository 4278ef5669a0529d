"""Random histories of a morning's line: the order is fair, nobody is lost, called twice at once or begun beside
another; a missed child comes behind three others, and is closed after the second miss."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from booking.models import Appointment, AppointmentStatus
from config.errors import Refused
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind
from consultation.line import actions, queries
from consultation.line.actions.handing import Answer
from people.access import Viewer
from tests.consultation.lines import POLICY, arrive, booked, checked, child, morning, viewer
from tests.product import account, seed

CHILDREN = 6
ANY = st.integers(0, 100)
APPOINTED = {
    Ending.ANSWERED: AppointmentStatus.FULFILLED,
    Ending.MISSED_CALLS: AppointmentStatus.NOSHOW,
    Ending.IDENTITY: AppointmentStatus.CANCELLED,
    Ending.CANCELLED: AppointmentStatus.CANCELLED,
}


class Line(RuleBasedStateMachine):
    """Six children in the doctor's morning, a colleague who is there, and an hour and a half that goes by."""

    connection: Connection
    start: datetime

    @initialize()
    def open(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        self.hospital = seed(self.session, self.start, quota=12)
        self.hospital.colleague.account_id = account(self.session, "o-colleague", self.start).id
        first, other = (
            morning(self.session, one, self.start) for one in (self.hospital.doctor, self.hospital.colleague)
        )
        self.now = first.starts_at + timedelta(minutes=90)
        self.doctors = [viewer(self.hospital.doctor), viewer(self.hospital.colleague)]
        for schedule in (first, other):
            for doctor in (self.hospital.doctor, self.hospital.colleague):
                checked(self.session, schedule, doctor, self.now)
        children = [child(self.session, self.hospital, n, self.start) for n in range(CHILDREN)]
        self.visits = booked(self.session, self.hospital, first, children, self.start)

    def all(self) -> list[Encounter]:
        return list(self.session.scalars(select(Encounter).order_by(Encounter.id)))

    def treating(self, one: Encounter) -> Viewer:
        return self.doctors[one.practitioner_id == self.hospital.colleague.id]

    @rule(pick=ANY)
    def join(self, pick: int) -> None:
        with contextlib.suppress(Refused):
            arrive(self.session, self.hospital, self.visits[pick % CHILDREN], self.now)

    @rule(pick=ANY)
    def leave(self, pick: int) -> None:
        for one in self.all()[pick % CHILDREN :][:1]:
            with contextlib.suppress(Refused):
                actions.leave(self.session, one, self.hospital.mother.id, self.now)

    @rule(other=st.booleans())
    def call_next(self, other: bool) -> None:
        doctor = self.hospital.colleague if other else self.hospital.doctor
        line = list(queries.line(self.session, doctor.id))
        called, busy = queries.calling(line), queries.busy_with(self.session, doctor.id)
        with contextlib.suppress(Refused):
            found = actions.call_next(self.session, viewer(doctor), self.now, POLICY)
            assert found is (called or line[0]), "the first, or who is called already"
            assert called or not busy

    @rule(pick=ANY)
    def call_this(self, pick: int) -> None:
        for one in self.all()[pick % CHILDREN :][:1]:
            with contextlib.suppress(Refused):
                actions.call(self.session, self.treating(one), one.appointment_id, self.now, POLICY)

    @rule(by_hand=st.booleans())
    def miss(self, by_hand: bool) -> None:
        called = [one for one in self.all() if one.status is EncounterStatus.ARRIVED and one.called_at]
        lines = {one.id: [each.id for each in queries.line(self.session, one.practitioner_id)] for one in called}
        misses = {one.id: one.missed for one in called}
        if by_hand:
            for one in called[:1]:
                actions.skip(self.session, self.treating(one), one.appointment_id, self.now, POLICY)
        else:
            self.now += timedelta(seconds=POLICY.call_seconds)
            actions.watch(self.session, self.hospital.medicine, self.now)
        for one in called[:1] if by_hand else called:
            assert one.missed == misses[one.id] + 1
            others = [id_ for id_ in lines[one.id] if id_ != one.id]
            if one.missed >= POLICY.missed_calls_max:
                assert one.ending is Ending.MISSED_CALLS
                continue
            after = [each.id for each in queries.line(self.session, one.practitioner_id)]
            assert [id_ for id_ in after if id_ != one.id] == others, "the others keep their order"
            assert after.index(one.id) == min(POLICY.missed_call_after, len(others))

    @rule(by_family=st.booleans())
    def begin(self, by_family: bool) -> None:
        for one in self.all():
            with contextlib.suppress(Refused):
                if by_family:
                    actions.join(self.session, one, self.hospital.mother.id, self.now)
                else:
                    actions.start(self.session, self.treating(one), one.appointment_id, self.now)
                return

    @rule(pick=ANY, ending=st.sampled_from([Ending.ANSWERED, Ending.IDENTITY]))
    def finish(self, pick: int, ending: Ending) -> None:
        self.now += timedelta(minutes=4)
        for one in self.all()[pick % CHILDREN :][:1]:
            with contextlib.suppress(Refused):
                actions.finish(self.session, one, ending, self.now, POLICY, "test")

    @rule(pick=ANY, undo=st.booleans())
    def keep_open_or_undo(self, pick: int, undo: bool) -> None:
        for one in self.all()[pick % CHILDREN :][:1]:
            with contextlib.suppress(Refused):
                (actions.uncall if undo else actions.extend)(
                    self.session, self.treating(one), one.appointment_id, self.now
                )

    @rule(pick=ANY, said=st.sampled_from(["agree", "wait", "cancel"]))
    def hand_over(self, pick: int, said: Answer) -> None:
        for one in self.all()[pick % CHILDREN :][:1]:
            to = self.hospital.doctor if self.treating(one) is self.doctors[1] else self.hospital.colleague
            with contextlib.suppress(Refused):
                asked = actions.offer(self.session, one, to.id, self.hospital.doctor, self.now)
                actions.answer(self.session, one, asked.id, said, self.hospital.mother.id, self.now, POLICY)
                assert (one.practitioner_id == to.id) == (said == "agree")

    @invariant()
    def one_call_and_one_child_for_each_doctor(self) -> None:
        if not hasattr(self, "session"):
            return
        for doctor in (self.hospital.doctor.id, self.hospital.colleague.id):
            mine = [one for one in self.all() if one.practitioner_id == doctor]
            assert sum(one.status is EncounterStatus.ARRIVED and bool(one.called_at) for one in mine) <= 1
            in_room = [one for one in mine if one.status is EncounterStatus.IN_PROGRESS and one.kind is Kind.VIDEO]
            assert sum(one.extended_at is None for one in in_room) <= 1

    @invariant()
    def nobody_is_lost_and_the_order_is_by_turn(self) -> None:
        if not hasattr(self, "session"):
            return
        lines = [
            one for doctor in (self.hospital.doctor, self.hospital.colleague)
            for one in queries.line(self.session, doctor.id)
        ]  # fmt: skip
        assert {one.id for one in lines} == {one.id for one in self.all() if one.status is EncounterStatus.ARRIVED}
        never = [one for one in queries.line(self.session, self.hospital.doctor.id) if not one.missed]
        starts = [self.session.get_one(Appointment, one.appointment_id).number for one in never]
        assert starts == sorted(starts), "who missed nothing keeps the order of the numbers"

    @invariant()
    def what_ended_says_so_in_its_appointment(self) -> None:
        if not hasattr(self, "session"):
            return
        for one in self.all():
            status = self.session.get_one(Appointment, one.appointment_id).status
            assert status is (APPOINTED[one.ending] if one.ending else AppointmentStatus.ARRIVED)
            assert one.missed <= POLICY.missed_calls_max

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
            self.savepoint.rollback()


def test_random_histories(database: Connection, now: datetime) -> None:
    machine = type("Machine", (Line,), {"connection": database, "start": now})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
