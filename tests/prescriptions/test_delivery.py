"""Parcels: one under one id, a state read from all steps in whatever order, and somebody who sees to the rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notifications.handlers import handle
from notifications.models import Notification
from people.tasks import Task, TaskStatus
from prescriptions.delivery import actions, queries
from prescriptions.delivery.addresses import receiver
from prescriptions.delivery.couriers import Mark, Step, Told
from prescriptions.delivery.events import DeliveryDelivered, DeliveryFailed, DeliveryShipped
from prescriptions.delivery.models import Delivery, DeliveryStatus, DeliveryStep
from prescriptions.delivery.refusals import NotThisWay, WrongDoorCode
from prescriptions.delivery.rules import status_of
from prescriptions.orders.models import MedicineOrder, OrderStatus
from tests.prescriptions.parcels import paid, parcel
from tests.prescriptions.pharmacy import payment_of, pharmacist
from tests.product import Hospital

HOUR = timedelta(hours=1)
STEPS = st.lists(st.tuples(st.sampled_from(Mark), st.integers(0, 5)), max_size=8)


@pytest.fixture
def order(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    return paid(session, hospital, now)


def tell(session: Session, one: Delivery, now: datetime, *marks: Mark, ago: int = 0) -> None:
    """The courier pushes steps, an hour apart from each other."""
    steps = tuple(Step(mark, now - ago * HOUR + n * HOUR, "北京市", "李师傅") for n, mark in enumerate(marks))
    assert actions.hear(session, Told(one.id, "SF1", steps), "fengqiao", now)
    session.flush()


def task(session: Session, one: Delivery) -> TaskStatus | None:
    return session.scalar(select(Task.status).where(Task.subject_id == one.id).order_by(Task.id.desc()).limit(1))


def facts(session: Session) -> list[str]:
    rows = session.execute(text("select args->>'kind' from procrastinate_jobs order by id"))
    return [str(kind) for (kind,) in rows if str(kind).startswith("Delivery")]


def test_delivered_is_the_end_of_the_order(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now)
    tell(session, one, now, Mark.COLLECTED, Mark.MOVING, Mark.OUT, Mark.DELIVERED)
    assert (one.status, one.delivered_at, one.ask_at) == (DeliveryStatus.DELIVERED, now + 3 * HOUR, None)
    assert (order.status, order.completed_at) == (OrderStatus.COMPLETED, now)
    assert payment_of(session, order).earned_at == now
    assert facts(session) == ["DeliveryDelivered"]
    tell(session, one, now, Mark.MOVING, ago=2)
    assert one.status is DeliveryStatus.DELIVERED
    assert facts(session) == ["DeliveryDelivered"]


def test_a_step_told_twice_is_one(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now)
    for _ in range(3):
        tell(session, one, now, Mark.COLLECTED, Mark.MOVING)
    assert len(session.scalars(select(DeliveryStep)).all()) == 2
    assert facts(session) == ["DeliveryShipped"]


@given(STEPS)
def test_the_state_does_not_depend_on_the_order_of_hearing(told: list[tuple[Mark, int]]) -> None:
    now = datetime(2026, 11, 25, 2, 0).astimezone()
    steps = [Step(mark, now + at * HOUR) for mark, at in told]
    end = status_of(steps)
    assert status_of(steps[::-1]) is end
    assert status_of(steps + steps) is end


@given(STEPS)
def test_whatever_is_heard_next_is_a_move_that_there_is(told: list[tuple[Mark, int]]) -> None:
    """Heard step by step, in any order, every change of state is in the table of moves."""
    now = datetime(2026, 11, 25, 2, 0).astimezone()
    steps = [Step(mark, now + at * HOUR) for mark, at in told]
    states = [status_of(steps[:n]) for n in range(len(steps) + 1)]
    for before, after in pairwise(states):
        assert after is before or after in Delivery.MOVES[before]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(told=STEPS, again=st.randoms())
def test_rows_end_in_the_same_state_however_they_are_told(
    session: Session, order: MedicineOrder, now: datetime, told: list[tuple[Mark, int]], again: object
) -> None:
    ends = []
    shuffled = [*told, *told]
    again.shuffle(shuffled)  # type: ignore[attr-defined]
    for heard in (told, shuffled):
        with session.begin_nested() as savepoint:
            one = parcel(session, order, now)
            for mark, at in heard:
                actions.hear(session, Told(one.id, "SF1", (Step(mark, now + at * HOUR),)), "fengqiao", now)
            session.flush()
            ends.append((one.status, one.delivered_at is None))
            savepoint.rollback()
        session.expire_all()
    assert ends[0] == ends[1]
    assert ends[0][0] is status_of([Step(mark, now + at * HOUR) for mark, at in told])


def test_a_parcel_that_is_not_ours_changes_nothing(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now)
    step = (Step(Mark.DELIVERED, now),)
    assert not actions.hear(session, Told(order.id, "SF1", step), "fengqiao", now)
    assert not actions.hear(session, Told(one.id, "SF2", step), "fengqiao", now)
    assert not actions.hear(session, Told(one.id, "SF1", step), "another", now)
    assert one.status is DeliveryStatus.ORDERED


def test_a_push_before_the_answer_to_the_order_is_kept(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now, waybill=None)
    tell(session, one, now, Mark.COLLECTED)
    assert (one.waybill, one.courier, one.status) == ("SF1", "fengqiao", DeliveryStatus.SHIPPED)
    actions.taken(session, one.id, "fengqiao", "SF1", now, traces=True)
    assert one.waybill == "SF1"


def test_never_two_parcels_for_an_order(session: Session, order: MedicineOrder, now: datetime) -> None:
    parcel(session, order, now)
    assert actions.begin(session, order.id, now) is None
    copy = Delivery(
        order_id=order.id, prescription_id=order.prescription_id, patient_id=order.patient_id, code="0000",
        due_at=now, created_at=now,
    )  # fmt: skip
    session.add(copy)
    with pytest.raises(IntegrityError, match="uq_deliveries_standing"):
        session.flush()


def test_claimed_by_one_at_a_time(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now, waybill=None)
    assert actions.claim(session, now) is one
    session.flush()
    assert actions.claim(session, now) is None
    assert actions.claim(session, now + timedelta(minutes=3)) is one


@pytest.mark.parametrize("mark", [Mark.MISSED, Mark.REFUSED, Mark.LOST, Mark.RETURNING])
def test_trouble_is_somebodys_task(session: Session, order: MedicineOrder, now: datetime, mark: Mark) -> None:
    one = parcel(session, order, now)
    tell(session, one, now, Mark.COLLECTED, mark)
    assert (one.status, task(session, one)) == (DeliveryStatus.FAILED, TaskStatus.OPEN)
    assert facts(session) == ["DeliveryFailed"]
    tell(session, one, now + 3 * HOUR, Mark.OUT, Mark.DELIVERED)
    returned = mark is Mark.RETURNING
    assert one.status is (DeliveryStatus.RETURNED if returned else DeliveryStatus.DELIVERED)
    assert task(session, one) is (TaskStatus.OPEN if returned else TaskStatus.CANCELLED)


def test_late_is_told_once(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now)
    assert not actions.warn_late(session, now)
    late = one.due_at + HOUR
    assert actions.warn_late(session, late)
    session.flush()
    assert not actions.warn_late(session, late)
    assert (task(session, one), facts(session)) == (TaskStatus.OPEN, ["DeliveryFailed"])


def test_refused_by_the_courier_and_sent_anew(session: Session, order: MedicineOrder, now: datetime) -> None:
    one, by = parcel(session, order, now, waybill=None), pharmacist(session)
    with pytest.raises(NotThisWay):
        actions.anew(session, one.id, by, now)
    actions.not_taken(session, one.id, "out-of-area", now)
    assert (one.status, one.error, one.ask_at) == (DeliveryStatus.FAILED, "out-of-area", None)
    other = actions.anew(session, one.id, by, now)
    assert (other.status, other.order_id, other.ask_at) == (DeliveryStatus.ORDERED, order.id, now)
    assert task(session, one) is TaskStatus.CANCELLED


def test_the_first_of_two_parcels_turns_up_again(session: Session, order: MedicineOrder, now: datetime) -> None:
    one, by = parcel(session, order, now), pharmacist(session)
    tell(session, one, now, Mark.COLLECTED, Mark.LOST)
    other = actions.anew(session, one.id, by, now)
    tell(session, one, now + 5 * HOUR, Mark.OUT, Mark.DELIVERED)
    assert (one.status, other.status, task(session, one)) == (
        DeliveryStatus.FAILED, DeliveryStatus.ORDERED, TaskStatus.OPEN
    )  # fmt: skip


def test_an_answer_that_does_not_come_is_asked_for_again(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now, waybill=None)
    actions.unanswered(session, one.id, "Timeout", now)
    assert (one.error, one.ask_at, one.status) == ("Timeout", now + timedelta(minutes=1), DeliveryStatus.ORDERED)


def test_by_hand_it_is_handed_over_with_the_familys_code(session: Session, order: MedicineOrder, now: datetime) -> None:
    one, by = parcel(session, order, now), pharmacist(session)
    wrong = "0000" if one.code != "0000" else "1111"
    with pytest.raises(WrongDoorCode):
        actions.write_down(session, one.id, Mark.DELIVERED, by, now, wrong)
    assert one.status is DeliveryStatus.ORDERED
    actions.write_down(session, one.id, Mark.OUT, by, now)
    actions.write_down(session, one.id, Mark.DELIVERED, by, now + HOUR, one.code)
    assert (one.status, order.status) == (DeliveryStatus.DELIVERED, OrderStatus.COMPLETED)
    with pytest.raises(NotThisWay):
        actions.write_down(session, one.id, Mark.LOST, by, now)


def test_where_it_goes(session: Session, order: MedicineOrder) -> None:
    to = receiver(order)
    assert to.region == ("北京市", "北京市", "西城区")
    assert (to.name, to.phone, to.street) == ("王芳", "13800001234", "南礼士路56号3单元201")


def test_what_the_family_is_told_names_no_medicine(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now)
    for fact in (
        DeliveryShipped(one.id), DeliveryFailed(one.id, "late"), DeliveryFailed(one.id, "late"),
        DeliveryFailed(one.id, "lost"), DeliveryDelivered(one.id),
    ):  # fmt: skip
        handle(session, fact, now)
    rows = session.scalars(select(Notification).order_by(Notification.id)).all()
    told = [row for row in rows if row.message.startswith("delivery-")]
    assert [row.message for row in told] == [
        "delivery-shipped", "delivery-trouble", "delivery-trouble", "delivery-arrived"
    ]  # fmt: skip
    assert {row.data["child"] for row in told} == {"王**"}
    assert not any("对乙酰" in str(row.data) or "王小明" in str(row.data) for row in told)


def test_the_trace_belongs_to_the_prescription(session: Session, order: MedicineOrder, now: datetime) -> None:
    one = parcel(session, order, now)
    tell(session, one, now, Mark.COLLECTED, Mark.OUT)
    (found,) = queries.of_prescription(session, order.prescription_id)
    assert [step.mark for step in found.steps] == [Mark.OUT, Mark.COLLECTED]
