"""The waiting list: who may join, who is asked next, and what becomes of an offer."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking import actions, rules, waiting_queries
from booking.models import AppointmentStatus, Schedule, ScheduleStatus, Slot, SlotStatus, Why
from booking.refusals import AlreadyHolding, ListClosed, NotOpen, NumberFree, OfferOver, TooManyWaits
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import at
from config.errors import NotFound
from config.ids import new_id
from config.policy import Policy
from config.states import advance
from people.access import Viewer
from people.models import GuardianStatus, Patient, RelatedPerson
from tests.booking.waiting import POLICY, close, fill, holding, mornings, pay, with_one_number
from tests.product import Hospital, guardian

MINUTES = timedelta(minutes=POLICY.offer_minutes)


@pytest.fixture
def hospital(session: Session, hospital: Hospital) -> Hospital:
    """The small hospital, with one number per schedule."""
    return with_one_number(session, hospital)


@pytest.fixture
def full(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """The doctor's morning of the day after tomorrow, full."""
    schedule = mornings(session, hospital, now)[0]
    fill(session, schedule, hospital.stranger, now)
    return schedule


@pytest.fixture
def costly(session: Session, full: Schedule) -> Schedule:
    """The full morning, which costs something for whoever comes now."""
    full.fee_fen = 5000
    session.flush()
    return full


def join(session: Session, schedule: Schedule, child: Patient, hospital: Hospital, now: datetime) -> WaitingEntry:
    of = hospital.stranger if child.id == hospital.other_child.id else hospital.mother
    return actions.join(session, schedule.id, child, of.id, now, POLICY)


def free_it(session: Session, schedule: Schedule, now: datetime) -> None:
    """Whoever holds the number gives it back, in time or because the child is worse."""
    held = holding(session, schedule.id)
    assert held
    actions.cancel(session, held.id, held.account_id, now, POLICY, Why.WORSENED)


def slot(session: Session, schedule: Schedule) -> SlotStatus:
    return session.scalars(select(Slot.status).where(Slot.schedule_id == schedule.id)).one()


def facts(session: Session, kind: str) -> int:
    found = text("select count(*) from procrastinate_jobs where args->>'kind' = :kind")
    return session.scalar(found, {"kind": kind}) or 0


def test_a_freed_number_is_held_for_the_first_in_line(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    first = join(session, full, hospital.child, hospital, now)
    second = join(session, full, hospital.other_child, hospital, now)
    free_it(session, full, now)
    offer = holding(session, full.id)
    assert offer
    assert (offer.patient_id, offer.account_id) == (hospital.child.id, hospital.mother.id)
    assert offer.unanswered
    assert offer.hold_until == now + MINUTES
    assert slot(session, full) is SlotStatus.BUSY_TENTATIVE
    assert (first.status, first.appointment_id) == (WaitingStatus.OFFERED, offer.id)
    assert second.status is WaitingStatus.WAITING
    assert facts(session, "NumberOffered") == 1


def test_declined_and_lapsed_go_to_the_next_and_nobody_left_is_free(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    entries = [join(session, full, child, hospital, now) for child in (hospital.child, hospital.other_child)]
    free_it(session, full, now)
    offer = holding(session, full.id)
    assert offer
    actions.decline(session, offer.id, hospital.mother.id, now)
    actions.decline(session, offer.id, hospital.mother.id, now)  # a second tap takes nothing from the next
    again = holding(session, full.id)
    assert again
    assert again.patient_id == hospital.other_child.id
    assert not actions.lapse_offer(session, now + MINUTES - timedelta(seconds=1))
    assert actions.lapse_offer(session, now + MINUTES)
    assert not actions.lapse_offer(session, now + MINUTES)
    assert [entry.status for entry in entries] == [WaitingStatus.DECLINED, WaitingStatus.LAPSED]
    assert [offer.cancel_reason, again.cancel_reason] == [Why.DECLINED, Why.LAPSED]
    assert slot(session, full) is SlotStatus.FREE


def test_yes_to_a_number_without_a_fee_books_it(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    entry = join(session, full, hospital.child, hospital, now)
    free_it(session, full, now)
    offer = holding(session, full.id)
    assert offer
    taken = actions.accept(session, offer.id, hospital.mother.id, now, POLICY)
    assert (taken.status, taken.hold_until) == (AppointmentStatus.BOOKED, None)
    assert entry.status is WaitingStatus.ACCEPTED
    assert slot(session, full) is SlotStatus.BUSY
    with pytest.raises(OfferOver):
        actions.accept(session, offer.id, hospital.mother.id, now, POLICY)
    assert not actions.lapse_offer(session, now + timedelta(days=1)), "what was answered does not lapse"


def test_whichever_guardian_says_yes_is_the_one_who_pays(
    session: Session, hospital: Hospital, costly: Schedule, now: datetime
) -> None:
    guardian(session, hospital.stranger, hospital.child, now)
    join(session, costly, hospital.child, hospital, now)
    free_it(session, costly, now)
    offer = holding(session, costly.id)
    assert offer
    later = now + timedelta(minutes=5)
    held = actions.accept(session, offer.id, hospital.stranger.id, later, POLICY)
    assert (held.account_id, held.hold_until) == (hospital.stranger.id, later + timedelta(minutes=POLICY.hold_minutes))
    assert held.payment_id
    pay(session, held.payment_id, later)
    assert held.status is AppointmentStatus.BOOKED


def test_a_yes_that_is_not_paid_goes_to_the_next(
    session: Session, hospital: Hospital, costly: Schedule, now: datetime
) -> None:
    join(session, costly, hospital.child, hospital, now)
    join(session, costly, hospital.other_child, hospital, now)
    free_it(session, costly, now)
    offer = holding(session, costly.id)
    assert offer
    actions.accept(session, offer.id, hospital.mother.id, now, POLICY)
    assert offer.payment_id
    close(session, offer.payment_id, now + timedelta(hours=1))
    again = holding(session, costly.id)
    assert again
    assert again.patient_id == hospital.other_child.id
    assert offer.cancel_reason is Why.UNPAID


def test_an_answer_that_comes_too_late(session: Session, hospital: Hospital, full: Schedule, now: datetime) -> None:
    join(session, full, hospital.child, hospital, now)
    free_it(session, full, now)
    offer = holding(session, full.id)
    assert offer
    with pytest.raises(OfferOver):
        actions.accept(session, offer.id, hospital.mother.id, now + MINUTES, POLICY)


def test_who_has_a_number_that_day_or_is_no_guardian_any_more_is_passed_over(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    other = mornings(session, hospital, now)[1]
    entries = [join(session, full, child, hospital, now) for child in (hospital.child, hospital.sibling)]
    third = join(session, full, hospital.other_child, hospital, now)
    actions.book(session, other.id, hospital.child, hospital.mother.id, now, POLICY)
    binding = session.query(RelatedPerson).filter_by(patient_id=hospital.sibling.id).one()
    advance(binding, GuardianStatus.ENDED, by="test", why="test", now=now)
    free_it(session, full, now)
    assert {entry.status for entry in entries} == {WaitingStatus.CLOSED}
    assert third.status is WaitingStatus.OFFERED
    assert facts(session, "NumberOffered") == 1


def test_leaving(session: Session, hospital: Hospital, full: Schedule, now: datetime) -> None:
    first = join(session, full, hospital.child, hospital, now)
    second = join(session, full, hospital.other_child, hospital, now)
    actions.leave(session, first.id, hospital.mother.id, now)
    free_it(session, full, now)
    assert (first.status, second.status) == (WaitingStatus.LEFT, WaitingStatus.OFFERED)
    actions.leave(session, second.id, hospital.stranger.id, now)
    assert second.status is WaitingStatus.OFFERED, "what was offered that moment is shown first"


def test_who_may_join(session: Session, hospital: Hospital, full: Schedule, now: datetime) -> None:
    free, mother = mornings(session, hospital, now)[1], hospital.mother.id
    with pytest.raises(NumberFree):
        join(session, free, hospital.child, hospital, now)
    with pytest.raises(NotFound):
        actions.join(session, new_id(), hospital.child, mother, now, POLICY)
    with pytest.raises(NotOpen):
        actions.join(session, full.id, hospital.child, mother, full.starts_at, POLICY)
    same_day = Policy(horizon_first_day=0)
    with pytest.raises(ListClosed):
        actions.join(session, full.id, hospital.child, mother, full.starts_at - timedelta(hours=1), same_day)
    first = join(session, full, hospital.child, hospital, now)
    assert join(session, full, hospital.child, hospital, now) is first, "a second tap finds the same place"
    actions.book(session, free.id, hospital.sibling, mother, now, POLICY)
    with pytest.raises(AlreadyHolding):
        join(session, full, hospital.sibling, hospital, now)


def test_a_child_is_on_so_many_lists_at_a_time(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    others = [mornings(session, hospital, now, ahead=ahead)[0] for ahead in (3, 4)]
    for schedule in others:
        fill(session, schedule, hospital.stranger, now)
        join(session, schedule, hospital.child, hospital, now)
    with pytest.raises(TooManyWaits):
        actions.join(session, full.id, hospital.child, hospital.mother.id, now, Policy(waiting_per_child=2))
    assert join(session, full, hospital.child, hospital, now)


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        (time(10), time(10, 15)),
        (time(21, 59), time(22, 14)),
        (time(22), time(7, 30)),
        (time(3), time(7, 30)),
        (time(7, 5), time(7, 30)),
        (time(7, 15), time(7, 30)),
    ],
)
def test_nobody_has_to_wake_up_for_an_offer(now: datetime, asked: time, until: time) -> None:
    day = now.date() + timedelta(days=1)
    asked_at = at(day, asked)
    ends = rules.offer_until(at(day + timedelta(days=2), time(8)), asked_at, POLICY)
    assert ends == at(day + timedelta(days=1 if asked >= time(22) else 0), until)
    assert rules.offer_until(asked_at + timedelta(minutes=4), asked_at, POLICY) == asked_at + timedelta(minutes=4)
    assert rules.night_offers_end(POLICY) == "07:30"


def test_a_list_closes_before_the_clinic_begins_and_then_numbers_are_free(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    waits = join(session, full, hospital.child, hospital, now)
    other = join(session, full, hospital.other_child, hospital, now)
    closes = full.starts_at - timedelta(minutes=POLICY.waiting_closes_minutes)
    assert actions.close_list(session, closes - timedelta(seconds=1)) == 0
    free_it(session, full, closes)
    assert slot(session, full) is SlotStatus.FREE
    number = mornings(session, hospital, now)[1]
    actions.book(session, number.id, hospital.other_child, hospital.stranger.id, now, POLICY)
    assert actions.close_list(session, closes) == 2
    assert actions.close_list(session, closes) == 0
    assert (waits.status, other.status) == (WaitingStatus.CLOSED, WaitingStatus.CLOSED)
    assert facts(session, "WaitingClosed") == 1, "who has a number that day is not told that there was none"


def test_a_stopped_clinic_offers_nothing_and_its_list_closes(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    entry = join(session, full, hospital.child, hospital, now)
    advance(full, ScheduleStatus.SUSPENDED, by="test", why="ill", now=now)
    free_it(session, full, now)
    assert slot(session, full) is SlotStatus.FREE
    assert actions.close_list(session, now) == 1
    assert entry.status is WaitingStatus.CLOSED


def test_an_offer_that_ends_with_its_clinic_ends_the_place(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    entry = join(session, full, hospital.child, hospital, now)
    free_it(session, full, now)
    advance(full, ScheduleStatus.SUSPENDED, by="test", why="ill", now=now)
    offer = holding(session, full.id)
    assert offer
    actions.end(session, offer, AppointmentStatus.CANCELLED, by="test", why=Why.SUSPENDED, now=now)
    assert entry.status is WaitingStatus.CLOSED


def test_new_numbers_are_offered_first(session: Session, hospital: Hospital, full: Schedule, now: datetime) -> None:
    entries = [join(session, full, child, hospital, now) for child in (hospital.child, hospital.other_child)]
    start = full.starts_at
    session.add_all([Slot(schedule_id=full.id, number=n, starts_at=start, status=SlotStatus.FREE) for n in (2, 3, 4)])
    session.flush()
    assert actions.offer_free(session, full.id, now) == 2
    assert {entry.status for entry in entries} == {WaitingStatus.OFFERED}
    added = select(Slot.status).where(Slot.schedule_id == full.id, Slot.number > 1).order_by(Slot.number)
    assert list(session.scalars(added)) == [SlotStatus.BUSY_TENTATIVE, SlotStatus.BUSY_TENTATIVE, SlotStatus.FREE]


def test_a_change_to_another_period_frees_a_number_for_the_line(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    entry = join(session, full, hospital.child, hospital, now)
    held = holding(session, full.id)
    assert held
    other = mornings(session, hospital, now)[1]
    actions.reschedule(session, held.id, other.id, held.account_id, now, POLICY)
    assert entry.status is WaitingStatus.OFFERED


def test_a_place_is_seen_by_the_childs_guardians_only(
    session: Session, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    mother, stranger = Viewer(hospital.mother.id, "en"), Viewer(hospital.stranger.id, "en")
    first = join(session, full, hospital.child, hospital, now)
    second = join(session, full, hospital.other_child, hospital, now)
    assert waiting_queries.wait_of(session, mother, first.id).ahead == 0
    assert waiting_queries.wait_of(session, stranger, second.id).ahead == 1
    assert [wait.entry.id for wait in waiting_queries.waits(session, mother)] == [first.id]
    assert waiting_queries.waiting_counts(session, [full.id]) == {full.id: 2}
    with pytest.raises(NotFound):
        waiting_queries.wait_of(session, stranger, first.id)
    session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))
    with pytest.raises(NotFound):
        waiting_queries.wait_of(session, mother, first.id)
    assert waiting_queries.waits(session, mother) == []
