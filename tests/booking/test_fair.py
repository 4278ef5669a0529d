"""Missed visits and what follows; numbers that change hands; numbers given back and kept a while."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking import actions, cases, fairness, suspension
from booking.actions import suspending
from booking.fair_models import Suspension, SuspensionStatus, Suspicion
from booking.fairness import Recent, Tries
from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus, Slot, SlotStatus, Why
from booking.refusals import (
    AlreadyDecided,
    MarkFinal,
    NotAppealable,
    NotMarkable,
    ShortWait,
    Suspended,
)
from config.clock import at, today
from config.errors import NotFound
from config.policy import Policy, change
from people.access import Viewer, member_of
from people.models import Account, AuditEvent, Patient, Role
from people.tasks import Task
from tests.booking.test_booking import facts, schedule_of
from tests.booking.test_paying import pay, payment_of
from tests.product import Hospital, account, agree, guardian, member, patient

POLICY = Policy()
DAY = timedelta(days=1)


def doctor(hospital: Hospital) -> Viewer:
    assert hospital.doctor.account_id
    return Viewer(hospital.doctor.account_id, "en")


def booked(session: Session, hospital: Hospital, now: datetime, fee: int = 0) -> Appointment:
    session.execute(update(Schedule).values(fee_fen=fee))
    session.expire_all()
    made = actions.book(
        session, schedule_of(session, hospital, now).id, hospital.child, hospital.mother.id, now, POLICY
    )
    if fee:
        pay(session, payment_of(session, made), now)
    return made


def miss(session: Session, hospital: Hospital, by: UUID, child: Patient, ago: int, now: datetime) -> Appointment:
    """A visit of ``ago`` days before that was marked as missed, its day over."""
    schedule = Schedule(
        practitioner_id=hospital.doctor.id,
        department_id=hospital.medicine.id,
        day=today(now) - ago * DAY,
        period="morning",
        starts_at=now - ago * DAY,
        ends_at=now - ago * DAY + timedelta(hours=4),
        fee_fen=0,
    )
    session.add(schedule)
    session.flush()
    slot = Slot(schedule_id=schedule.id, number=1, starts_at=schedule.starts_at, status=SlotStatus.BUSY)
    session.add(slot)
    session.flush()
    made = Appointment(
        slot_id=slot.id,
        schedule_id=schedule.id,
        department_id=hospital.medicine.id,
        patient_id=child.id,
        account_id=by,
        day=schedule.day,
        number=1,
        starts_at=schedule.starts_at,
        fee_fen=0,
        status=AppointmentStatus.NOSHOW,
        booked_at=schedule.starts_at - 2 * DAY,
        final_at=now,
    )
    session.add(made)
    session.flush()
    return made


def misses(session: Session, hospital: Hospital, now: datetime, count: int, first: int = 10) -> None:
    for ago in range(first, first + count):
        miss(session, hospital, hospital.mother.id, hospital.child, ago, now)
    assert actions.settle_marks(session, now) == count


def closed(session: Session, child: Patient, by: Account, now: datetime) -> datetime | None:
    return suspension.suspended_until(session, child.id, by.id, now)


@pytest.mark.parametrize(
    ("missed", "days"), [(0, None), (2, None), (3, 90), (4, None), (5, None), (6, 180), (7, 180), (20, 180)]
)
def test_the_ladder(missed: int, days: int | None) -> None:
    assert suspension.days_closed(missed, POLICY) == days


@pytest.mark.parametrize("fee", [0, 5000])
def test_who_came_is_fulfilled_and_the_money_earned_once_the_day_is_over(
    session: Session, hospital: Hospital, now: datetime, fee: int
) -> None:
    made = booked(session, hospital, now, fee)
    actions.mark(session, doctor(hospital), made.id, came=True, now=made.starts_at, policy=POLICY)
    assert made.status is AppointmentStatus.FULFILLED
    midnight = at(made.day + DAY, time())
    assert made.final_at == midnight
    assert actions.settle_marks(session, midnight - timedelta(seconds=1)) == 0
    assert actions.settle_marks(session, midnight) == 1
    assert actions.settle_marks(session, midnight) == 0
    if fee:
        assert payment_of(session, made).earned_at == midnight
    assert session.scalar(select(func.count()).select_from(Suspension)) == 0


def test_a_mark_is_taken_back_on_its_day_and_not_after(session: Session, hospital: Hospital, now: datetime) -> None:
    made = booked(session, hospital, now)
    for came in (False, True):
        actions.mark(session, doctor(hospital), made.id, came=came, now=made.starts_at, policy=POLICY)
        with pytest.raises(NotMarkable):
            actions.mark(session, doctor(hospital), made.id, came=came, now=made.starts_at, policy=POLICY)
        actions.unmark(session, doctor(hospital), made.id, made.starts_at)
        assert (made.status, made.final_at) == (AppointmentStatus.BOOKED, None)
    actions.mark(session, doctor(hospital), made.id, came=False, now=made.starts_at, policy=POLICY)
    with pytest.raises(MarkFinal):
        actions.unmark(session, doctor(hospital), made.id, made.final_at or now)


def test_only_the_own_list_and_only_from_the_visits_time_on(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    made = booked(session, hospital, now)
    with pytest.raises(NotMarkable):
        actions.mark(session, doctor(hospital), made.id, came=True, now=made.starts_at - DAY, policy=POLICY)
    late = made.starts_at + (POLICY.mark_days + 1) * DAY
    with pytest.raises(NotMarkable):
        actions.mark(session, doctor(hospital), made.id, came=True, now=late, policy=POLICY)
    hospital.colleague.account_id = hospital.stranger.id
    session.merge(hospital.colleague)
    session.flush()
    with pytest.raises(NotFound):
        actions.mark(session, Viewer(hospital.stranger.id, "en"), made.id, came=True, now=late, policy=POLICY)


@pytest.mark.parametrize("why", list(Why))
def test_what_was_cancelled_is_never_missed(session: Session, hospital: Hospital, now: datetime, why: Why) -> None:
    made = booked(session, hospital, now)
    actions.end(session, made, AppointmentStatus.CANCELLED, by="test", why=why, now=now)
    change(session, "noshow_by_itself", True, author="test", valid_from=now)
    session.flush()
    with pytest.raises(NotMarkable):
        actions.mark(session, doctor(hospital), made.id, came=False, now=made.starts_at, policy=POLICY)
    assert actions.mark_missed(session, made.starts_at + DAY) == 0
    assert made.status is AppointmentStatus.CANCELLED


@pytest.mark.parametrize(
    ("change_of", "why"), [("delay_minutes", Why.DELAYED), ("stands_in_for_id", Why.REPLACED), ("status", None)]
)
def test_where_the_hospital_was_to_blame_nobody_misses(
    session: Session, hospital: Hospital, now: datetime, change_of: str, why: Why | None
) -> None:
    made = booked(session, hospital, now, 5000)
    values = {"delay_minutes": 20, "stands_in_for_id": hospital.colleague.id, "status": ScheduleStatus.SUSPENDED}
    session.execute(update(Schedule).where(Schedule.id == made.schedule_id).values({change_of: values[change_of]}))
    session.expire_all()
    change(session, "noshow_by_itself", True, author="test", valid_from=now)
    session.flush()
    assert actions.mark_missed(session, made.starts_at + DAY) == 0
    when = made.starts_at + timedelta(minutes=30)
    if why is None:
        with pytest.raises(NotMarkable):
            actions.mark(session, doctor(hospital), made.id, came=False, now=when, policy=POLICY)
        return
    actions.mark(session, doctor(hospital), made.id, came=False, now=when, policy=POLICY)
    assert (made.status, made.cancel_reason) == (AppointmentStatus.CANCELLED, why)
    assert payment_of(session, made).refunded_fen == 5000


def test_the_nightly_job_marks_only_where_policy_says_so(session: Session, hospital: Hospital, now: datetime) -> None:
    made = booked(session, hospital, now)
    morning = at(made.day + DAY, time(2))
    assert actions.mark_missed(session, morning) == 0
    change(session, "noshow_by_itself", True, author="t", valid_from=now, department="internal-medicine")
    session.flush()
    assert actions.mark_missed(session, made.starts_at + timedelta(hours=9)) == 0, "the day is not over"
    assert actions.mark_missed(session, morning) == 1
    assert made.status is AppointmentStatus.NOSHOW
    actions.unmark(session, doctor(hospital), made.id, morning + timedelta(hours=8))


def test_three_misses_close_booking_for_the_child_and_for_who_booked(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    misses(session, hospital, now, 2)
    assert closed(session, hospital.child, hospital.mother, now) is None
    misses(session, hospital, now, 1, first=20)
    until = at(today(now) + 90 * DAY, time())
    assert closed(session, hospital.child, hospital.stranger, now) == until, "the child, whoever books"
    assert closed(session, hospital.sibling, hospital.mother, now) == until, "the account, for whomever"
    assert closed(session, hospital.sibling, hospital.stranger, now) is None
    assert closed(session, hospital.child, hospital.mother, until) is None
    assert facts(session).count("BookingSuspended") == 2
    with pytest.raises(Suspended):
        booked(session, hospital, now)
    misses(session, hospital, now, 2, first=30)
    assert closed(session, hospital.child, hospital.mother, now) == until
    misses(session, hospital, now, 1, first=40)
    assert closed(session, hospital.child, hospital.mother, now) == at(today(now) + 180 * DAY, time())


def test_misses_of_more_than_a_year_ago_count_no_more(session: Session, hospital: Hospital, now: datetime) -> None:
    misses(session, hospital, now, 2)
    miss(session, hospital, hospital.mother.id, hospital.child, 366, now)
    actions.settle_marks(session, now)
    assert closed(session, hospital.child, hospital.mother, now) is None


def test_a_grandparents_misses_do_not_lock_another_family(session: Session, hospital: Hospital, now: datetime) -> None:
    """Two families' grandchildren, three misses in all: the grandparent can't book, both families can."""
    grandparent = account(session, "o-grandparent", now)
    for ago, child in ((11, hospital.child), (12, hospital.child), (13, hospital.other_child)):
        miss(session, hospital, grandparent.id, child, ago, now)
    actions.settle_marks(session, now)
    assert closed(session, hospital.other_child, grandparent, now)
    assert closed(session, hospital.child, hospital.mother, now) is None
    assert closed(session, hospital.other_child, hospital.stranger, now) is None


def test_who_is_suspended_can_still_change_what_the_hospital_made_necessary(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    made = booked(session, hospital, now)
    other = schedule_of(session, hospital, now, ahead=3)
    misses(session, hospital, now, 3)
    with pytest.raises(Suspended), session.begin_nested():
        actions.reschedule(session, made.id, other.id, hospital.mother.id, now, POLICY)
    session.get_one(Schedule, made.schedule_id).delay_minutes = 30
    session.flush()
    assert actions.reschedule(session, made.id, other.id, hospital.mother.id, now, POLICY)


def test_an_appeal_becomes_a_task_and_lifted_the_misses_count_no_more(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    misses(session, hospital, now, 3)
    mother = Viewer(hospital.mother.id, "en")
    found = next(one.suspension for one in suspension.mine(session, mother, now) if one.child)
    with pytest.raises(NotFound):
        actions.appeal(session, Viewer(hospital.stranger.id, "en"), found.id, "not mine", now)
    actions.appeal(session, mother, found.id, "  We were in hospital.\n", now)
    assert found.appeal == "  We were in hospital.\n"
    task = session.scalars(select(Task).where(Task.kind == suspending.TASK)).one()
    assert (task.role, task.deadline) == (Role.ADMINISTRATOR, now + 3 * DAY)
    with pytest.raises(NotAppealable):
        actions.appeal(session, mother, found.id, "again", now)
    assert closed(session, hospital.child, hospital.mother, now), "it holds until it is decided"
    member(session, "A009", hospital.stranger, Role.ADMINISTRATOR)
    admin = member_of(session, Viewer(hospital.stranger.id, "en"))
    actions.decide(session, admin, found.id, lift=True, answer="Of course.", now=now)
    assert closed(session, hospital.child, hospital.mother, now) is None, "the account's with the child's"
    assert task.status == "cancelled"
    with pytest.raises(AlreadyDecided):
        actions.decide(session, admin, found.id, lift=False, answer="No.", now=now)
    misses(session, hospital, now, 2, first=30)
    assert closed(session, hospital.child, hospital.mother, now) is None, "two, not five"
    misses(session, hospital, now, 1, first=40)
    assert closed(session, hospital.child, hospital.mother, now) == at(today(now) + 90 * DAY, time()), "three, not six"


def test_upheld_it_stays(session: Session, hospital: Hospital, now: datetime) -> None:
    misses(session, hospital, now, 3)
    mother = Viewer(hospital.mother.id, "en")
    found = suspension.mine(session, mother, now)[0].suspension
    actions.appeal(session, mother, found.id, "please", now)
    member(session, "A009", hospital.stranger, Role.ADMINISTRATOR)
    admin = member_of(session, Viewer(hospital.stranger.id, "en"))
    actions.decide(session, admin, found.id, lift=False, answer="Three times.", now=now)
    assert found.status is SuspensionStatus.UPHELD
    assert closed(session, hospital.child, hospital.mother, now)


@pytest.mark.parametrize(
    ("recent", "rule"),
    [
        (Recent(), None),
        (Recent(unpaid=4, given_back=3, children=4), None),
        (Recent(unpaid=5), "unpaid-holds"),
        (Recent(given_back=4), "given-back"),
        (Recent(children=5), "many-children"),
    ],
)
def test_velocity(now: datetime, recent: Recent, rule: str | None) -> None:
    last = Recent(recent.unpaid, recent.given_back, recent.children, now - timedelta(minutes=5))
    wait = fairness.too_fast(last, now, POLICY)
    assert (wait and wait.rule) == rule
    if wait:
        assert wait.seconds == 10 * 60 + 1
    assert fairness.too_fast(last, now + timedelta(minutes=10), POLICY) is None, "a short wait, never a lock"


def recent(session: Session, child: Patient, schedule: Schedule, who: UUID, now: datetime) -> Recent:
    return cases.read(session, schedule.id, child.id, who, now).recent


def test_cancel_and_book_cycles_wait_a_little(session: Session, hospital: Hospital, now: datetime) -> None:
    who, schedule = hospital.mother.id, schedule_of(session, hospital, now)
    tries = Tries(1, 0, 60)
    for _ in range(POLICY.slow_given_back):
        actions.slow_down(session, recent(session, hospital.child, schedule, who, now), who, tries, now, POLICY)
        made = actions.book(session, schedule.id, hospital.child, who, now, POLICY)
        actions.cancel(session, made.id, who, now, POLICY)
    with pytest.raises(ShortWait) as refused:
        actions.slow_down(session, recent(session, hospital.child, schedule, who, now), who, tries, now, POLICY)
    assert refused.value.params == {"seconds": 15 * 60 + 1, "rule": "given-back"}
    stranger = hospital.stranger.id
    other = recent(session, hospital.other_child, schedule, stranger, now)
    actions.slow_down(session, other, stranger, tries, now, POLICY)


def test_without_redis_the_record_of_tries_counts(session: Session, hospital: Hospital, now: datetime) -> None:
    who, schedule, few = hospital.mother.id, schedule_of(session, hospital, now), Policy(book_tries_per_account=2)
    actions.slow_down(session, Recent(), who, None, now, few)
    actions.book(session, schedule.id, hospital.child, who, now, few)
    actions.book(session, schedule.id, hospital.sibling, who, now, few)
    with pytest.raises(ShortWait):
        actions.slow_down(session, Recent(), who, None, now, few)
    actions.slow_down(session, Recent(), who, None, now + timedelta(minutes=1), few)


def passed_on(session: Session, hospital: Hospital, taker: Account, child: Patient, now: datetime, after: int) -> int:
    """The mother gives the last number of a period back, somebody takes it; how many suspicions that leaves."""
    schedule = schedule_of(session, hospital, now)
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id, Slot.number > 1).values(status="busy"))
    given = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    actions.cancel(session, given.id, hospital.mother.id, now, POLICY)
    moment = now + timedelta(seconds=after)
    taken = actions.book(session, schedule.id, child, taker.id, moment, POLICY)
    for _ in range(2):
        actions.watch(session, taken.id, moment)
    actions.cancel(session, taken.id, taker.id, moment, POLICY)
    return session.scalar(select(func.count()).select_from(Suspicion)) or 0


def test_a_number_taken_by_a_stranger_within_seconds_is_noted_and_repeated_a_task(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    for turn in range(1, POLICY.rebook_times + 1):
        assert session.scalar(select(func.count()).select_from(Task)) == 0
        moment = now + timedelta(minutes=turn)
        assert passed_on(session, hospital, hospital.stranger, hospital.other_child, moment, 3) == turn
    about = set(session.scalars(select(Task.subject_id)))
    assert about == {hospital.mother.id, hospital.stranger.id}
    noted = session.scalar(select(Suspicion.seconds).limit(1))
    assert noted == 3
    assert session.scalar(select(func.count()).where(AuditEvent.action == "number-passed-on")) == POLICY.rebook_times


@pytest.mark.parametrize("after", [0, 61])
def test_an_offer_of_the_same_moment_and_a_later_taking_are_none(
    session: Session, hospital: Hospital, now: datetime, after: int
) -> None:
    assert passed_on(session, hospital, hospital.stranger, hospital.other_child, now, after) == 0


def test_guardians_of_one_child_are_not_suspected(session: Session, hospital: Hospital, now: datetime) -> None:
    father = account(session, "o-father", now)
    agree(session, father, now)
    guardian(session, father, hospital.child, now)
    assert passed_on(session, hospital, father, hospital.child, now, 3) == 0
    own = patient(session, "QR-0077", "王小刚", hospital.child.birth_date, now)
    guardian(session, father, own, now)
    assert passed_on(session, hospital, father, own, now + timedelta(minutes=5), 3) == 0


def test_a_period_with_numbers_left_is_no_market(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    given = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    actions.cancel(session, given.id, hospital.mother.id, now, POLICY)
    moment = now + timedelta(seconds=3)
    taken = actions.book(session, schedule.id, hospital.other_child, hospital.stranger.id, moment, POLICY)
    actions.watch(session, taken.id, moment)
    assert session.scalar(select(func.count()).select_from(Suspicion)) == 0


@pytest.mark.parametrize("full", [True, False])
def test_a_number_given_back_is_kept_a_random_while_in_a_sold_out_period(
    session: Session, hospital: Hospital, now: datetime, full: bool
) -> None:
    change(session, "giveback_minutes_max", 10, author="test", valid_from=now)
    schedule = schedule_of(session, hospital, now)
    if full:
        session.execute(update(Slot).where(Slot.schedule_id == schedule.id, Slot.number > 1).values(status="busy"))
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    actions.cancel(session, made.id, hospital.mother.id, now, POLICY)
    slot = session.get_one(Slot, made.slot_id, populate_existing=True)
    assert slot.status is (SlotStatus.BUSY if full else SlotStatus.FREE)
    if slot.kept_until is None:
        assert not full
        return
    assert now < slot.kept_until <= now + timedelta(minutes=10)
    assert actions.free_kept(session, slot.kept_until - timedelta(seconds=1)) == 0
    assert actions.free_kept(session, slot.kept_until) == 1
    again = session.get_one(Slot, made.slot_id, populate_existing=True)
    assert (again.status, again.kept_until) == (SlotStatus.FREE, None)
