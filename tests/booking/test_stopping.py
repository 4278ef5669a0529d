"""Stopped clinics: whom a stop touches, what becomes of their numbers, money and messages, and taking it back."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from booking import actions
from booking.actions.stopping import SUSPEND, Wish
from booking.actions.taking import take
from booking.models import Appointment, AppointmentStatus, Period, Schedule, ScheduleStatus, Slot, SlotStatus, Why
from booking.refusals import BadSpan, NotOpen, NotStoppable, SoldOut
from booking.rosters import cut_schedules
from booking.stop_models import ClinicStop, StopReason, StopStatus
from booking.stop_queries import preview, progress, stop_of, stops
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import at, today
from config.errors import NotFound
from config.jobs import Fact
from config.policy import Policy
from notifications import texting
from notifications.catalogue import messages
from notifications.handlers import handle
from notifications.models import Notification
from payments import queries as money
from payments.models import LedgerAccount, Refund
from people.access import Member
from people.models import Account, Department, Patient, Practitioner, Role
from tests.booking.test_booking import schedule_of
from tests.booking.test_paying import pay, payment_of
from tests.product import Hospital, account, member

POLICY = Policy()
FEE = 5000


@pytest.fixture
def head(session: Session, hospital: Hospital, now: datetime) -> Member:
    """The head of internal medicine."""
    return as_head(session, hospital.medicine, now)


def as_head(session: Session, of: Department, now: datetime) -> Member:
    made = member(session, f"H-{of.code[:5]}", account(session, f"o-head-{of.code}", now), Role.DEPARTMENT_HEAD, of=of)
    return Member(made, frozenset({Role.DEPARTMENT_HEAD}), frozenset({(Role.DEPARTMENT_HEAD, of.id)}))


def wait(session: Session, where: Schedule, child: Patient, of: Account, now: datetime) -> None:
    """A place on the period's waiting list."""
    places = {"patient_id": child.id, "account_id": of.id, "joined_at": now, "closes_at": where.ends_at}
    session.add(WaitingEntry(schedule_id=where.id, status=WaitingStatus.WAITING, **places))
    session.flush()


def wish(hospital: Hospital, now: datetime, doctor: Practitioner | None = None, **changes: object) -> Wish:
    """Both periods of the day after tomorrow."""
    day = today(now) + timedelta(days=2)
    values: dict[str, object] = {
        "department_id": hospital.medicine.id,
        "practitioner_id": doctor.id if doctor else None,
        "first_day": day,
        "first_period": Period.MORNING,
        "last_day": day,
        "last_period": Period.AFTERNOON,
        "reason": StopReason.DUTY,
    }
    return Wish(**{**values, **changes})  # type: ignore[arg-type]


def carry_out(session: Session, head: Member, plan: ClinicStop, now: datetime) -> ClinicStop:
    """Confirm, and run what the worker would run."""
    actions.confirm_stop(session, head, plan.id, now)
    session.flush()
    for job in jobs(session, SUSPEND):
        actions.suspend(session, plan.id, UUID(job["schedule_id"]), now)
    actions.finish_stop(session, plan.id, now)
    return plan


def jobs(session: Session, task: str) -> list[dict[str, str]]:
    found = text("select args from procrastinate_jobs where task_name = :task order by id")
    return list(session.scalars(found, {"task": task}))


def tell(session: Session, now: datetime, *, times: int = 2) -> None:
    """Hand every fact to those who listen, as often as a worker that dies would."""
    for job in jobs(session, "facts.handle"):
        for _ in range(times):
            handle(session, Fact.from_json(job["kind"], job["data"]), now)  # type: ignore[arg-type]


def said(session: Session) -> Counter[tuple[str, str]]:
    rows = session.execute(
        select(Notification.message, Account.openid).join(Account, Account.id == Notification.account_id)
    )
    return Counter((message, openid) for message, openid in rows)


def test_the_preview_is_what_happens(session: Session, hospital: Hospital, head: Member, now: datetime) -> None:
    """Two booked and paid, one held, one elsewhere: told, refunded, freed; the fourth is left in peace."""
    session.execute(text("update schedules set fee_fen = :fee"), {"fee": FEE})
    session.expire_all()
    morning, later = schedule_of(session, hospital, now), schedule_of(session, hospital, now, ahead=3)
    paid = [
        actions.book(session, morning.id, c, hospital.mother.id, now, POLICY)
        for c in (hospital.child, hospital.sibling)
    ]
    for one in paid:
        pay(session, payment_of(session, one), now)
    held = actions.book(session, morning.id, hospital.other_child, hospital.stranger.id, now, POLICY)
    elsewhere = actions.book(session, later.id, hospital.child, hospital.mother.id, now, POLICY)

    for where in (morning, later):
        wait(session, where, hospital.other_child, hospital.stranger, now)

    plan = actions.plan_stop(session, head, wish(hospital, now), now)
    seen = preview(session, plan, now)
    assert (len(seen.periods), seen.booked, seen.held, seen.fen, seen.waiting) == (4, 2, 1, 2 * FEE, 1)
    carry_out(session, head, plan, now)

    assert plan.status is StopStatus.DONE
    assert (plan.periods, progress(session, plan).periods, progress(session, plan).children) == (4, 4, 3)
    for one in (*paid, held):
        session.refresh(one)
        assert (one.status, one.cancel_reason, one.remind_day_at) == (AppointmentStatus.CANCELLED, Why.SUSPENDED, None)
    assert session.get_one(Appointment, elsewhere.id).status is AppointmentStatus.PENDING
    assert session.scalar(select(func.sum(Refund.amount_fen))) == seen.fen
    assert money.unbalanced(session) == []
    assert money.balances(session)[LedgerAccount.RETURNING] == -seen.fen
    busy = select(func.count()).where(Slot.schedule_id == morning.id, Slot.status != SlotStatus.FREE)
    assert session.scalar(busy) == 0
    pay(session, payment_of(session, held), now + timedelta(minutes=1))
    assert session.scalar(select(func.sum(Refund.amount_fen))) == seen.fen + FEE, "late money goes back, too"
    with pytest.raises(NotOpen):
        actions.book(session, morning.id, hospital.child, hospital.mother.id, now, POLICY)


def test_everybody_is_told_once_and_each_doctor_once(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    for child in (hospital.child, hospital.sibling):
        actions.book(session, schedule_of(session, hospital, now).id, child, hospital.mother.id, now, POLICY)
    session.execute(text("delete from procrastinate_jobs"))
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    tell(session, now)
    assert said(session) == {("clinic-stopped", "o-mother"): 2, ("practitioner-stopped", "o-doctor"): 1}
    doctors = session.scalars(select(Notification.data).where(Notification.message == "practitioner-stopped")).one()
    assert doctors == {
        "department": "内科",
        "from": "2026年11月27日 08:00",
        "until": "2026年11月27日 17:00",
        "count": "2",
        "reason": "临时其他任务",
    }
    parents = session.scalars(select(Notification).where(Notification.message == "clinic-stopped")).all()
    assert all(one.path == f"/visits/{one.source_id}" for one in parents)
    assert {one.data["time"] for one in parents} == {"2026年11月27日 08:00", "2026年11月27日 08:20"}


@pytest.mark.parametrize(
    ("changes", "periods"),
    [
        ({}, 2),
        ({"last_period": Period.MORNING}, 1),
        ({"first_period": Period.AFTERNOON}, 1),
        ({"later": 1}, 4),
        ({"later": 1, "first_period": Period.AFTERNOON, "last_period": Period.MORNING}, 2),
    ],
)
def test_the_span_is_what_was_chosen(
    session: Session, hospital: Hospital, head: Member, now: datetime, changes: dict[str, object], periods: int
) -> None:
    later = int(changes.pop("later", 0))  # type: ignore[call-overload]
    changes = {**changes, "last_day": today(now) + timedelta(days=2 + later)}
    plan = actions.plan_stop(session, head, wish(hospital, now, hospital.doctor, **changes), now)
    carry_out(session, head, plan, now)
    stopped = session.scalars(select(Schedule).where(Schedule.status == ScheduleStatus.SUSPENDED)).all()
    assert len(stopped) == periods
    assert {schedule.practitioner_id for schedule in stopped} == {hospital.doctor.id}


def test_what_is_refused(session: Session, hospital: Hospital, head: Member, now: datetime) -> None:
    yesterday = today(now) - timedelta(days=1)
    for bad in (
        {"first_day": yesterday},
        {"last_day": today(now) + timedelta(days=1)},
        {"last_day": today(now) + timedelta(days=200)},
        {"first_period": Period.AFTERNOON, "last_period": Period.MORNING},
    ):
        with pytest.raises(BadSpan):
            actions.plan_stop(session, head, wish(hospital, now, **bad), now)
    other = as_head(session, hospital.skin, now)
    with pytest.raises(NotFound):
        actions.plan_stop(session, other, wish(hospital, now), now)
    with pytest.raises(NotFound):
        skin = wish(hospital, now, hospital.doctor, department_id=hospital.skin.id)
        actions.plan_stop(session, other, skin, now)


def test_a_plan_touches_nobody_and_only_the_last_one_is_kept(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    first = actions.plan_stop(session, head, wish(hospital, now), now)
    second = actions.plan_stop(session, head, wish(hospital, now, hospital.doctor), now)
    assert [found.stop.id for found in stops(session, head)] == [second.id]
    assert not actions.suspend(session, second.id, schedule_of(session, hospital, now).id, now)
    actions.discard_stop(session, second.id)
    with pytest.raises(NotFound):
        stop_of(session, head, first.id)
    assert stops(session, head) == []


def test_another_departments_head_does_not_see_it(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    plan = carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    other = as_head(session, hospital.skin, now)
    assert stops(session, other) == []
    with pytest.raises(NotFound):
        stop_of(session, other, plan.id)
    assert stop_of(session, head, plan.id).stop is plan


def test_taken_back_the_numbers_are_free_and_who_has_no_other_is_told(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    morning, later = schedule_of(session, hospital, now), schedule_of(session, hospital, now, ahead=3)
    for child, by in ((hospital.child, hospital.mother), (hospital.other_child, hospital.stranger)):
        actions.book(session, morning.id, child, by.id, now, POLICY)
    plan = actions.plan_stop(session, head, wish(hospital, now), now)
    actions.confirm_stop(session, head, plan.id, now)
    with pytest.raises(NotStoppable):
        actions.lift_stop(session, head, plan.id, now)
    carry_out(session, head, plan, now)
    actions.book(session, later.id, hospital.other_child, hospital.stranger.id, now, POLICY)
    session.execute(text("delete from procrastinate_jobs"))
    for _ in range(2):
        actions.lift_stop(session, head, plan.id, now)
    tell(session, now)
    assert said(session) == {("clinic-resumed", "o-mother"): 1, ("practitioner-resumed", "o-doctor"): 1}
    assert actions.book(session, morning.id, hospital.child, hospital.mother.id, now, POLICY).number == 1


def test_taken_back_under_another_stop_it_stays_stopped(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    doctors = carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now, hospital.doctor), now), now)
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    actions.lift_stop(session, head, doctors.id, now)
    active = select(func.count()).where(Schedule.day == today(now) + timedelta(2), Schedule.status == "active")
    assert session.scalar(active) == 0


def test_what_the_roster_adds_to_a_span_is_stopped_too(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    far = today(now) + timedelta(days=12)
    plan = carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now, last_day=far), now), now)
    cut_schedules(session, [far], now)
    session.execute(text("delete from procrastinate_jobs"))
    assert actions.extend_stops(session, now) == 4
    for job in jobs(session, SUSPEND):
        actions.suspend(session, plan.id, UUID(job["schedule_id"]), now)
    assert actions.extend_stops(session, now) == 0


def test_a_number_freed_by_the_stop_can_not_be_taken(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    """Also by a statement that has passed the look at the schedule before."""
    morning = schedule_of(session, hospital, now)
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    with pytest.raises(SoldOut):
        take(session, morning, hospital.child.id, hospital.mother.id, now, POLICY)


def test_a_stop_of_this_morning_leaves_what_is_over(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    noon = at(today(now), time(12, 30))
    plan = actions.plan_stop(session, head, wish(hospital, now, first_day=today(now)), noon)
    assert [period.schedule.starts_at > noon for period in preview(session, plan, noon).periods] == [True] * 10


def test_doctors_hear_nothing_of_single_children(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    one = actions.book(session, schedule_of(session, hospital, now).id, hospital.child, hospital.mother.id, now, POLICY)
    session.execute(text("delete from procrastinate_jobs"))
    actions.end(session, one, AppointmentStatus.CANCELLED, by="worker", why=Why.SUSPENDED, now=now)
    tell(session, now)
    assert said(session) == {("appointment-cancelled", "o-mother"): 1}


def test_a_text_message_goes_to_the_childs_phones(
    session: Session, hospital: Hospital, head: Member, now: datetime
) -> None:
    actions.book(session, schedule_of(session, hospital, now).id, hospital.child, hospital.mother.id, now, POLICY)
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    tell(session, now)
    failed = session.scalars(select(Notification).where(Notification.message == "clinic-stopped")).one()
    assert texting.number_of_child(session, failed.id) == hospital.child.number
    assert messages()["clinic-stopped"].spoken(failed.data) == ("王**", "内科", "2026年11月27日 08:00")
