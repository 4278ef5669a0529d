"""Numbers that are kept back: who may take them, when they open to everybody, and that nobody else counts on them."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking import actions, choosing, queries, rights
from booking.choosing import Wanted
from booking.models import Appointment, AppointmentStatus, Pool, Schedule, Slot
from booking.pools import last_days
from booking.refusals import NotDeclared, NotInvited, SoldOut
from booking.rights_models import FollowupGrant
from config import policy as policies
from config.clock import at, today
from config.errors import NotFound
from config.policy import Policy
from people.access import Viewer
from tests.booking.test_booking import facts, schedule_of
from tests.product import Hospital

POLICY = Policy()
AREAS = Policy(controlled_areas="花乡, 十八里店")


def keep(session: Session, schedule: Schedule, pool: Pool, *numbers: int) -> None:
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id, Slot.number.in_(numbers)).values(pool=pool))


def pools(session: Session, schedule: Schedule) -> list[Pool]:
    return list(session.scalars(select(Slot.pool).where(Slot.schedule_id == schedule.id).order_by(Slot.number)))


def seen(session: Session, hospital: Hospital, now: datetime) -> Appointment:
    """A visit of this morning, that has begun."""
    early = at(today(now) - timedelta(days=1), time(9))
    visit = actions.book(
        session,
        schedule_of(session, hospital, now, ahead=0).id,
        hospital.child,
        hospital.mother.id,
        early,
        POLICY,
    )
    assert visit.starts_at < now
    return visit


def test_a_kept_number_is_neither_counted_nor_given_to_everybody(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    schedule = schedule_of(session, hospital, now)
    keep(session, schedule, Pool.LATER, *range(1, 11))
    keep(session, schedule, Pool.FOLLOWUP, 11)
    keep(session, schedule, Pool.AREA, 12)
    offer = queries.offer(session, schedule.id)
    assert (offer.total, offer.free, offer.later, offer.next_at) == (12, 0, 10, None)
    counts = queries.period_counts(session, hospital.medicine.id, schedule.day, schedule.day)
    assert {count.free for count in counts if count.period is schedule.period} == {12}, "the colleague's"
    assert choosing.earliest(session, hospital.medicine.id, [schedule.day], now, Wanted(hospital.doctor.id)) != schedule
    with pytest.raises(SoldOut):
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)


@pytest.mark.parametrize("pool", [Pool.LATER, Pool.FOLLOWUP, Pool.AREA])
def test_without_the_right_nobody_gets_a_kept_number(
    session: Session, hospital: Hospital, now: datetime, pool: Pool
) -> None:
    schedule = schedule_of(session, hospital, now)
    keep(session, schedule, pool, 12)
    with pytest.raises((NotInvited, NotDeclared)):
        actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, AREAS, pool)


def test_an_invitation_is_for_one_visit_and_good_again_when_that_is_cancelled(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    rights.invite(session, hospital.doctor, seen(session, hospital, now).id, now, POLICY)
    first, second = (schedule_of(session, hospital, now, ahead) for ahead in (2, 3))
    for schedule in (first, second):
        keep(session, schedule, Pool.FOLLOWUP, 12)
    book = (hospital.child, hospital.mother.id, now, POLICY, Pool.FOLLOWUP)
    visit = actions.book(session, first.id, *book)
    assert visit.number == 12
    with pytest.raises(NotInvited):
        actions.book(session, second.id, *book)
    actions.cancel(session, visit.id, hospital.mother.id, now, POLICY)
    assert actions.book(session, second.id, *book).status is AppointmentStatus.BOOKED


def test_an_invitation_is_for_that_child_and_that_doctor_until_its_day(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    rights.invite(session, hospital.doctor, seen(session, hospital, now).id, now, Policy(followup_days=2))
    near, far = (schedule_of(session, hospital, now, ahead) for ahead in (2, 3))
    others = session.scalars(
        select(Schedule).where(Schedule.practitioner_id == hospital.colleague.id, Schedule.day == near.day)
    ).first()
    assert others
    for schedule in (near, far, others):
        keep(session, schedule, Pool.FOLLOWUP, 12)
    for schedule, child in ((far, hospital.child), (others, hospital.child), (near, hospital.sibling)):
        with pytest.raises(NotInvited):
            actions.book(session, schedule.id, child, hospital.mother.id, now, POLICY, Pool.FOLLOWUP)
    rights.withdraw(session, hospital.doctor, session.scalars(select(Appointment.id)).one(), now)
    with pytest.raises(NotInvited):
        actions.book(session, near.id, hospital.child, hospital.mother.id, now, POLICY, Pool.FOLLOWUP)


def test_only_the_own_doctor_invites_and_only_after_the_visit(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    visit = seen(session, hospital, now)
    coming = actions.book(
        session, schedule_of(session, hospital, now).id, hospital.sibling, hospital.mother.id, now, POLICY
    )
    for doctor, which in ((hospital.colleague, visit), (hospital.doctor, coming)):
        with pytest.raises(NotFound):
            rights.invite(session, doctor, which.id, now, POLICY)
    rights.invite(session, hospital.doctor, visit.id, now, POLICY)
    rights.invite(session, hospital.doctor, visit.id, now + timedelta(days=1), POLICY)
    assert session.scalars(select(FollowupGrant)).one().until == today(now) + timedelta(days=61)
    assert facts(session).count("FollowupInvited") == 2


def test_a_guardians_word_opens_the_areas_numbers_while_the_area_is_listed(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    schedule = schedule_of(session, hospital, now)
    keep(session, schedule, Pool.AREA, 12)
    mother = Viewer(hospital.mother.id, "en")
    with pytest.raises(NotFound):
        rights.declare(session, mother, hospital.child.id, "elsewhere", now, AREAS)
    with pytest.raises(NotFound):
        rights.declare(session, mother, hospital.other_child.id, "花乡", now, AREAS)
    rights.declare(session, mother, hospital.child.id, "花乡", now, AREAS)
    book = (session, schedule.id, hospital.child, hospital.mother.id)
    for later, policy in ((now, POLICY), (now + timedelta(days=15), AREAS)):
        assert rights.declared(session, hospital.child.id, later, policy) is None
    with pytest.raises(NotDeclared):
        actions.book(*book, now, POLICY, Pool.AREA)
    assert actions.book(*book, now, AREAS, Pool.AREA).number == 12
    rights.declare(session, mother, hospital.child.id, None, now, AREAS)
    session.flush()
    assert rights.declared(session, hospital.child.id, now, AREAS) is None


@pytest.mark.parametrize(
    ("clock", "later", "unused"), [("06:59", 7, 0), ("07:00", 7, 1), ("11:59", 7, 1), ("12:00", 8, 1), ("23:00", 8, 1)]
)
def test_kept_numbers_open_at_their_hour(now: datetime, clock: str, later: int, unused: int) -> None:
    day = today(now)
    moment = at(day, time.fromisoformat(clock))
    found = dict(last_days(moment, AREAS))
    assert found[Pool.LATER] == day + timedelta(days=later)
    assert found[Pool.FOLLOWUP] == found[Pool.AREA] == day + timedelta(days=unused)
    assert dict(last_days(moment, POLICY))[Pool.AREA] > day + timedelta(days=1000), "no area is closed: nobody waits"


def test_the_sweep_opens_what_is_due_and_only_what_is_free(session: Session, hospital: Hospital, now: datetime) -> None:
    policies.change(session, "controlled_areas", "花乡", author="test", valid_from=now, department="internal-medicine")
    tomorrow, last = (schedule_of(session, hospital, now, ahead) for ahead in (1, 8))
    for schedule in (tomorrow, last):
        keep(session, schedule, Pool.LATER, 9, 10)
        keep(session, schedule, Pool.FOLLOWUP, 11)
        keep(session, schedule, Pool.AREA, 12)
    session.execute(text("update slots set status = 'busy' where number = 10"))
    opened = actions.open_pools(session, now)  # 10:00: before the hour of the later ones
    assert opened == [tomorrow.id]
    assert pools(session, tomorrow)[8:] == [Pool.OPEN, Pool.LATER, Pool.OPEN, Pool.OPEN]
    assert pools(session, last)[8:] == [Pool.LATER, Pool.LATER, Pool.FOLLOWUP, Pool.AREA]
    assert actions.open_pools(session, now) == []
    assert actions.open_pools(session, at(today(now), time(12))) == [last.id]
    assert pools(session, last)[8:] == [Pool.OPEN, Pool.LATER, Pool.FOLLOWUP, Pool.AREA]
