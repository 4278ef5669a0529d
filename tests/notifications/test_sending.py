"""The life of a row: claimed once, in order per person, tried again as the error says, given up for a reason."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from config.states import StatusChange
from notifications import results, sending
from notifications.channel import ChannelError, OutgoingMessage
from notifications.models import NotificationStatus
from people.models import Account
from tests.notifications.rows import queued
from tests.product import account

ORIGIN = "https://clinic.example.org"


@pytest.fixture
def mother(session: Session, now: datetime) -> Account:
    """A parent who follows."""
    return account(session, "o-mother", now)


def claim_next(session: Session, now: datetime) -> sending.Claim | None:
    found = sending.next_due(session, now)
    return sending.claim(session, found, ORIGIN, now) if found else None


def claim(session: Session, now: datetime) -> sending.Claim:
    found = claim_next(session, now)
    assert found is not None
    return found


def test_a_claim_holds_what_the_channel_needs(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now)
    message = claim(session, now).message
    assert isinstance(message, OutgoingMessage)
    assert (message.id, message.openid, message.message) == (row.id, "o-mother", "appointment-booked")
    assert message.data == {
        "thing1": "王**",
        "thing2": "内科",
        "thing3": "赵医生",
        "time4": "x",
        "character_string5": "1",
    }
    assert message.url == f"{ORIGIN}/visits/1"


def test_in_order_per_person_and_not_across(session: Session, mother: Account, now: datetime) -> None:
    first, second = queued(session, mother, now), queued(session, mother, now)
    other = queued(session, account(session, "o-father", now), now)
    claimed = claim(session, now)
    assert claimed.message.id == first.id
    assert claim(session, now).message.id == other.id
    assert claim_next(session, now) is None
    sending.mark_sent(session, claimed, "1", now)
    assert claim(session, now).message.id == second.id


def test_a_later_message_waits_while_the_earlier_is_tried_again(
    session: Session, mother: Account, now: datetime
) -> None:
    first, second = queued(session, mother, now), queued(session, mother, now)
    sending.mark_refused(session, claim(session, now), ChannelError("busy", "quick"), now)
    assert claim_next(session, now + timedelta(seconds=4)) is None
    later = now + timedelta(seconds=5)
    again = claim(session, later)
    assert (again.message.id, again.attempt) == (first.id, 2)
    sending.mark_sent(session, again, "1", later)
    assert claim(session, later).message.id == second.id


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        ("quick", [5, 30, 120, 600, 1800, 3600, 7200]),
        ("slow", [900, 3600, 7200, 14400, 28800, 28800, 28800]),
        ("never", []),
    ],
)
def test_tried_again_as_the_error_says_then_failed(
    session: Session, mother: Account, now: datetime, retry: str, waits: list[int]
) -> None:
    row = queued(session, mother, now)
    seen = []
    while row.due_at and (claimed := claim_next(session, row.due_at)) is not None:
        before = row.due_at
        sending.mark_refused(session, claimed, ChannelError("why", retry), before)  # type: ignore[arg-type]
        if row.status is NotificationStatus.QUEUED:
            seen.append(int((row.due_at - before).total_seconds()))
    assert seen == waits
    assert (row.status, row.error) == (NotificationStatus.FAILED, "why")


def test_who_left_is_marked_and_not_asked(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now)
    mother.followed, mother.unfollowed_at = False, now
    assert claim_next(session, now) is None
    assert (row.status, row.error, row.attempts) == (NotificationStatus.FAILED, "not-a-follower", 0)


def test_who_followed_before_the_clinic_was_there_is_asked(session: Session, mother: Account, now: datetime) -> None:
    queued(session, mother, now)
    mother.followed = False  # no "subscribe" ever came for them; WeChat knows better and answers 43004 if not
    assert claim_next(session, now) is not None


def test_a_late_reminder_is_not_sent(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now, expires_at=now)
    assert claim_next(session, now) is None
    assert (row.status, row.error) == (NotificationStatus.FAILED, "expired")


def test_a_message_that_the_catalogue_has_lost_fails_alone(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now, message="no-such-message")
    assert claim_next(session, now) is None
    assert (row.status, row.error) == (NotificationStatus.FAILED, "unknown-message")


def test_what_a_killed_worker_left_is_sent_again_under_the_same_id(
    session: Session, mother: Account, now: datetime
) -> None:
    row = queued(session, mother, now)
    lost = claim(session, now)
    assert sending.free_stuck(session, now + timedelta(seconds=30)) == 0
    later = now + timedelta(seconds=31)
    assert sending.free_stuck(session, later) == 1
    again = claim(session, later)
    assert (again.message.id, again.attempt) == (row.id, 2)
    sending.mark_sent(session, lost, "from the dead", later)
    assert row.status is NotificationStatus.SENDING
    sending.mark_sent(session, again, "7", later)
    assert (row.status, row.channel_id, row.sent_at) == (NotificationStatus.SENT, "7", later)


def test_a_message_that_kills_every_worker_is_given_up(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now, message="guardian-bound", data=BOUND)
    for _ in range(sending.MAX_ATTEMPTS):
        claim(session, now)
        now += timedelta(minutes=1)
        sending.free_stuck(session, now)
    assert (row.status, row.error) == (NotificationStatus.FAILED, "stuck")


BOUND = {"child": "王**", "guardian": "张*", "time": "x", "hint": "x"}
TEN = timedelta(minutes=10)


def test_without_an_answer_it_is_unknown_and_sent_again_under_its_id(
    session: Session, mother: Account, now: datetime
) -> None:
    row = queued(session, mother, now)
    sending.mark_refused(session, claim(session, now), ChannelError("unavailable", "quick", unknown=True), now)
    assert (row.status, row.error, row.unknown_since) == (NotificationStatus.UNKNOWN, "unavailable", now)
    second = queued(session, mother, now)
    later = now + timedelta(seconds=5)
    again = claim(session, later)
    assert again.message.id == row.id
    sending.mark_refused(session, again, ChannelError("busy", "quick"), later)
    assert row.status is NotificationStatus.UNKNOWN, "the first try may have been taken all the same"
    assert row.unknown_since == now
    later += timedelta(seconds=30)
    sending.mark_sent(session, claim(session, later), "7", later)
    assert row.sent_at == later
    assert claim(session, later).message.id == second.id


@pytest.mark.parametrize("later", [TEN, timedelta(days=1)])
def test_after_ten_minutes_an_unknown_one_stays_unknown_and_is_in_nobodys_way(
    session: Session, mother: Account, now: datetime, later: timedelta
) -> None:
    row, second = queued(session, mother, now), queued(session, mother, now)
    lost = claim(session, now)
    assert sending.free_stuck(session, now + later) == 1
    assert claim_next(session, now + later) is None
    assert (row.status, row.due_at) == (NotificationStatus.UNKNOWN, None)
    assert claim(session, now + later).message.id == second.id
    sending.mark_sent(session, lost, "from the dead", now + later)
    assert row.status is NotificationStatus.UNKNOWN


def test_within_the_ten_minutes_it_is_sent_again(session: Session, mother: Account, now: datetime) -> None:
    queued(session, mother, now)
    claim(session, now)
    later = now + timedelta(minutes=9)
    sending.free_stuck(session, later)
    assert claim_next(session, later) is not None


def test_what_must_arrive_is_sent_again_after_ten_minutes_too(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now, message="guardian-bound", data=BOUND)
    claim(session, now)
    sending.free_stuck(session, now + TEN)
    assert claim(session, now + TEN).message.id == row.id


def test_a_result_tells_that_an_unknown_one_has_arrived(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now)
    claim(session, now)
    sending.free_stuck(session, now + timedelta(minutes=1))
    assert not results.delivered(session, "77", "success", now, openid="o-mother"), "it may be another's, not yet noted"
    assert not results.delivered_later(session, "77", "success", now, None)
    assert results.delivered_later(session, "77", "success", now, mother.id)
    assert row.status is NotificationStatus.DELIVERED
    assert claim_next(session, now + timedelta(minutes=1)) is None


def test_a_result_without_an_id_is_that_of_the_oldest_unsettled(
    session: Session, mother: Account, now: datetime
) -> None:
    first, second = queued(session, mother, now), queued(session, mother, now)
    other = queued(session, account(session, "o-father", now), now)
    for seconds in range(3):
        moment = now + timedelta(seconds=seconds)
        claimed = claim(session, moment)
        sending.mark_sent(session, claimed, str(claimed.message.id), moment)
    assert results.delivered(session, "0", "success", now, openid="o-mother")
    assert (first.status, second.status) == (NotificationStatus.DELIVERED, NotificationStatus.SENT)
    assert results.delivered(session, "0", "failed:user block", now, openid="o-mother")
    assert (second.status, second.error) == (NotificationStatus.FAILED, "blocked")
    assert other.status is NotificationStatus.SENT
    assert not results.delivered(session, "0", "success", now, openid="o-nobody")
    assert not results.delivered(session, "0", "success", now + timedelta(hours=1), openid="o-father")


def test_every_move_leaves_its_history(session: Session, mother: Account, now: datetime) -> None:
    row = queued(session, mother, now)
    sending.mark_refused(session, claim(session, now), ChannelError("busy", "quick"), now)
    later = now + timedelta(minutes=1)
    sending.mark_sent(session, claim(session, later), "7", later)
    results.delivered(session, "7", "success", later)
    moves = session.execute(
        select(StatusChange.to_status, StatusChange.why)
        .where(StatusChange.thing_id == row.id)
        .order_by(StatusChange.id)
    )
    assert [tuple(move) for move in moves] == [
        ("sending", "due"),
        ("queued", "busy"),
        ("sending", "due"),
        ("sent", "taken"),
        ("delivered", "success"),
    ]


@pytest.mark.parametrize(
    ("status", "expected", "error"),
    [
        ("success", NotificationStatus.DELIVERED, None),
        ("SUCCESS", NotificationStatus.DELIVERED, None),
        ("failed:user block", NotificationStatus.FAILED, "blocked"),
        ("failed: system failed", NotificationStatus.FAILED, "system-failed"),
        ("something new", NotificationStatus.FAILED, "not-delivered"),
    ],
)
def test_the_result(
    session: Session, mother: Account, now: datetime, status: str, expected: NotificationStatus, error: str | None
) -> None:
    row = queued(session, mother, now)
    sending.mark_sent(session, claim(session, now), "7", now)
    assert results.delivered(session, "7", status, now)
    assert (row.status, row.error) == (expected, error)
    assert results.delivered(session, "7", "success", now)
    assert row.status is expected


def test_a_result_before_its_message_is_looked_at_again(session: Session, now: datetime) -> None:
    assert not results.delivered(session, "8", "success", now)
    assert not results.delivered_later(session, "8", "success", now, None)
    assert jobs_of(session, results.LATER) == 1


def jobs_of(session: Session, task: str) -> int:
    jobs = table("procrastinate_jobs", column("task_name"))
    return session.scalar(select(func.count()).select_from(jobs).where(jobs.c.task_name == task)) or 0
