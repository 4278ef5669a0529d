"""What those on a waiting list are told: once, in their language, and nothing that is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking import actions
from booking.models import AppointmentStatus, Schedule, ScheduleStatus, Why
from booking.waiting_models import WaitingEntry
from config.jobs import Fact
from config.states import advance
from notifications.handlers import handle
from notifications.models import Notification
from tests.booking.waiting import POLICY, fill, holding, mornings, with_one_number
from tests.product import Hospital


@pytest.fixture
def hospital(session: Session, hospital: Hospital) -> Hospital:
    """The small hospital, with one number per schedule."""
    return with_one_number(session, hospital)


@pytest.fixture
def full(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """The doctor's morning, full."""
    schedule = mornings(session, hospital, now)[0]
    fill(session, schedule, hospital.stranger, now)
    return schedule


@pytest.fixture
def entry(session: Session, hospital: Hospital, full: Schedule, now: datetime) -> WaitingEntry:
    """The child's place."""
    return actions.join(session, full.id, hospital.child, hospital.mother.id, now, POLICY)


def handle_all(session: Session, now: datetime) -> None:
    """Handle every fact, and each a second time."""
    jobs = session.execute(text("select args from procrastinate_jobs order by id")).all()
    for (args,) in jobs:
        for _ in range(2):
            handle(session, Fact.from_json(args["kind"], args["data"]), now)


def told(session: Session, openid_of: Hospital) -> list[Notification]:
    found = select(Notification).where(Notification.account_id == openid_of.mother.id).order_by(Notification.id)
    return list(session.scalars(found))


def free_it(session: Session, full: Schedule, now: datetime) -> None:
    held = holding(session, full.id)
    assert held
    actions.cancel(session, held.id, held.account_id, now, POLICY)


def test_an_offer_is_told_once_with_its_end(
    session: Session, hospital: Hospital, full: Schedule, entry: WaitingEntry, now: datetime
) -> None:
    free_it(session, full, now)
    handle_all(session, now)
    (message,) = told(session, hospital)
    assert message.message == "waiting-offered"
    assert message.data == {
        "child": "王**",
        "department": "内科",
        "doctor": "赵医生",
        "time": "2026年11月27日 08:00",
        "until": "2026年11月25日 10:15",
    }
    assert message.path == f"/waiting/{entry.id}"
    assert (message.due_at, message.expires_at) == (now, now + timedelta(minutes=15))


def test_an_offer_that_is_over_is_not_told_and_a_lapse_is(
    session: Session, hospital: Hospital, full: Schedule, entry: WaitingEntry, now: datetime
) -> None:
    free_it(session, full, now)
    later = now + timedelta(minutes=15)
    handle_all(session, later)
    assert told(session, hospital) == [], "its time is over, swept or not"
    assert actions.lapse_offer(session, later)
    handle_all(session, later)
    (message,) = told(session, hospital)
    assert (message.message, message.data["reason"]) == ("appointment-cancelled", "未在时限内确认")


def test_what_the_parent_did_is_not_told_to_them(
    session: Session, hospital: Hospital, full: Schedule, entry: WaitingEntry, now: datetime
) -> None:
    free_it(session, full, now)
    offer = holding(session, full.id)
    assert offer
    actions.decline(session, offer.id, hospital.mother.id, now)
    handle_all(session, now)
    assert told(session, hospital) == []


@pytest.mark.parametrize(("stopped", "reason"), [(False, "没有等到空号"), (True, "医生停诊")])
def test_a_list_that_closes_is_told_once(
    session: Session, hospital: Hospital, full: Schedule, entry: WaitingEntry, now: datetime, stopped: bool, reason: str
) -> None:
    if stopped:
        advance(full, ScheduleStatus.SUSPENDED, by="test", why="ill", now=now)
    assert actions.close_list(session, now if stopped else entry.closes_at) == 1
    handle_all(session, now)
    (message,) = told(session, hospital)
    assert (message.message, message.data["reason"]) == ("waiting-over", reason)
    assert message.path == f"/waiting/{entry.id}"


def test_an_offer_that_ends_with_its_clinic_is_told_once(
    session: Session, hospital: Hospital, full: Schedule, entry: WaitingEntry, now: datetime
) -> None:
    free_it(session, full, now)
    advance(full, ScheduleStatus.SUSPENDED, by="test", why="ill", now=now)
    offer = holding(session, full.id)
    assert offer
    actions.end(session, offer, AppointmentStatus.CANCELLED, by="test", why=Why.SUSPENDED, now=now)
    assert actions.close_list(session, now) == 0
    handle_all(session, now)
    assert [message.data["reason"] for message in told(session, hospital)] == ["医生停诊"]
