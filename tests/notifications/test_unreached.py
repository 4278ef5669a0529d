"""Whom no message reaches becomes one task, and is one no longer when a later message arrives."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications import results, sending
from notifications.channel import ChannelError
from notifications.models import Notification
from notifications.texting import put_texts
from notifications.unreached import FAMILY, STAFF
from people import tasks
from people.models import Account, RelatedPerson, Role
from people.tasks import Task, TaskStatus
from tests.notifications.rows import queued
from tests.product import Hospital, guardian

PHONES = ("13800001234", "13900005678")
GONE = ChannelError("not-a-follower", "never")
SOON = timedelta(minutes=1)


@pytest.fixture
def doctor(session: Session, hospital: Hospital) -> Account:
    return session.get_one(Account, hospital.doctor.account_id)


@pytest.fixture
def missed(session: Session, hospital: Hospital, now: datetime) -> Notification:
    """The mother had to be told of a new guardian, and WeChat failed."""
    bound = guardian(session, hospital.stranger, hospital.child, now)
    return told(session, hospital, bound, now)


def told(session: Session, hospital: Hospital, bound: RelatedPerson, now: datetime) -> Notification:
    data = {"child": "王**", "guardian": "李*", "time": "x", "hint": "x"}
    row = queued(session, hospital.mother, now, message="guardian-bound", data=data)
    row.source_id = bound.id
    session.flush()
    return row


def send(session: Session, now: datetime, error: ChannelError | None = None, channel_id: str = "") -> None:
    """Try the next message that is due."""
    row = sending.next_due(session, now)
    assert row is not None
    claimed = sending.claim(session, row, "https://c.example", now)
    assert claimed is not None
    if error:
        sending.mark_refused(session, claimed, error, now)
    else:
        sending.mark_sent(session, claimed, channel_id, now)


def opened(session: Session) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.status == TaskStatus.OPEN).order_by(Task.id)))


def test_a_doctor_whom_messages_do_not_reach_is_one_task(
    session: Session, hospital: Hospital, doctor: Account, now: datetime
) -> None:
    for _ in range(2):
        queued(session, doctor, now, message="practitioner-booked")
        send(session, now, GONE)
    (task,) = opened(session)
    assert (task.kind, task.subject_id, task.role) == (STAFF, hospital.doctor.id, Role.ADMINISTRATOR)
    assert task.about == hospital.doctor.name
    assert task.path == f"/desk/staff/{hospital.doctor.id}"


def test_a_later_message_that_arrives_closes_it(
    session: Session, hospital: Hospital, doctor: Account, now: datetime
) -> None:
    queued(session, doctor, now, message="practitioner-booked")
    send(session, now, channel_id="early")
    queued(session, doctor, now, message="practitioner-cancelled")
    send(session, now + SOON, GONE)
    results.delivered(session, "early", "success", now + 2 * SOON)
    assert opened(session), "it went out before"
    queued(session, doctor, now, message="practitioner-booked")
    send(session, now + 2 * SOON, channel_id="later")
    assert opened(session), "taken is not arrived"
    results.delivered(session, "later", "success", now + 3 * SOON)
    assert opened(session) == []


def test_refused_afterwards_counts_too(session: Session, hospital: Hospital, doctor: Account, now: datetime) -> None:
    queued(session, doctor, now, message="practitioner-booked")
    send(session, now, channel_id="1")
    assert opened(session) == []
    results.delivered(session, "1", "failed:user block", now)
    assert len(opened(session)) == 1


def test_what_is_tried_again_or_came_too_late_is_none(
    session: Session, hospital: Hospital, doctor: Account, now: datetime
) -> None:
    late = queued(session, doctor, now, message="practitioner-tomorrow", expires_at=now)
    sending.claim(session, late, "https://c.example", now)
    assert late.error == "expired"
    queued(session, doctor, now, message="practitioner-booked")
    send(session, now, ChannelError("busy", "quick"))
    assert opened(session) == []


def test_parents_messages_that_need_not_arrive_are_none(session: Session, hospital: Hospital, now: datetime) -> None:
    queued(session, hospital.mother, now)
    send(session, now, GONE)
    assert opened(session) == []


def test_who_is_of_the_staff_no_more_is_none(
    session: Session, hospital: Hospital, doctor: Account, now: datetime
) -> None:
    hospital.doctor.account_id = None
    session.add(hospital.doctor)
    queued(session, doctor, now, message="practitioner-booked")
    send(session, now, GONE)
    assert opened(session) == []


def test_a_family_is_called_when_the_last_text_has_failed(
    session: Session, hospital: Hospital, missed: Notification, now: datetime
) -> None:
    send(session, now, GONE)
    put_texts(session, missed.id, PHONES, now)
    bad = ChannelError("bad-phone", "never")
    send(session, now, bad)
    assert opened(session) == [], "there is another phone"
    send(session, now, bad)
    (task,) = opened(session)
    assert (task.kind, task.subject_id, task.role) == (FAMILY, hospital.child.id, Role.ADMINISTRATOR)
    assert task.about == {"zh_CN": "王**", "en": "王**"}


@pytest.mark.parametrize("first", [True, False])
def test_one_text_that_goes_out_is_enough(
    session: Session, hospital: Hospital, missed: Notification, now: datetime, first: bool
) -> None:
    send(session, now, GONE)
    put_texts(session, missed.id, PHONES, now)
    for goes_out in (first, not first):
        send(session, now, None if goes_out else ChannelError("bad-phone", "never"))
    assert opened(session) == []


def test_the_familys_task_closes_with_what_arrives_later(
    session: Session, hospital: Hospital, missed: Notification, now: datetime
) -> None:
    send(session, now, GONE)
    put_texts(session, missed.id, PHONES[:1], now)
    send(session, now, ChannelError("no-sms-provider", "never"))
    assert opened(session)
    queued(session, hospital.mother, now)
    send(session, now + SOON, channel_id="visit")
    results.delivered(session, "visit", "success", now + SOON)
    assert opened(session), "a message of another kind does not say it"
    told(
        session,
        hospital,
        guardian(session, session.get_one(Account, hospital.doctor.account_id), hospital.child, now),
        now,
    )
    send(session, now + SOON, channel_id="again")
    results.delivered(session, "again", "success", now + SOON)
    assert opened(session) == []


def test_a_task_may_be_asked_to_stay(session: Session, hospital: Hospital, now: datetime) -> None:
    about = hospital.doctor.name
    tasks.open(
        session, kind=STAFF, subject_id=hospital.doctor.id, about=about, role=Role.ADMINISTRATOR, deadline=now, now=now
    )
    tasks.settle(session, STAFF, hospital.doctor.id, why="x", now=now, opened_until=now - SOON)
    assert opened(session)
    tasks.settle(session, STAFF, hospital.doctor.id, why="x", now=now, opened_until=now)
    assert opened(session) == []
