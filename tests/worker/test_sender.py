"""Lanes send at once, each message once, each person's in order, with no connection held meanwhile."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

import config.database
from notifications.agreements import given, left
from notifications.channel import ChannelError, OutgoingMessage
from notifications.models import Notification, NotificationStatus
from tests.notifications.rows import DATA, queued
from tests.product import account
from worker.sender import Sender, Ways, send_next

PEOPLE, EACH, LANES = 20, 6, 8


class Recorder:
    """A channel that remembers, and can refuse. The first ``together`` calls wait for each other."""

    def __init__(
        self, refuse: Callable[[OutgoingMessage], Exception | None] = lambda _: None, *, together: int = 1
    ) -> None:
        self.sent: list[OutgoingMessage] = []
        self.refuse, self.lock = refuse, threading.Lock()
        self.calls, self.together = 0, threading.Barrier(together)

    def send(self, message: OutgoingMessage) -> str:
        with self.lock:
            self.calls += 1
            first = self.calls <= self.together.parties
        if first:
            self.together.wait(timeout=60)
        with self.lock:
            if error := self.refuse(message):
                raise error
            self.sent.append(message)
            return str(len(self.sent))


@pytest.fixture
def full(committed: sessionmaker[Session]) -> sessionmaker[Session]:
    """Twenty people with six messages each, numbered."""
    now = datetime.now(UTC)
    with committed() as session, session.begin():
        people = [account(session, f"o-{n}", now) for n in range(PEOPLE)]
        for number in range(EACH):
            for person in people:
                queued(session, person, now, data={**DATA, "number": str(number)})
    return committed


def statuses(sessions: sessionmaker[Session]) -> Counter[NotificationStatus]:
    with sessions() as session:
        rows = session.execute(select(Notification.status, func.count()).group_by(Notification.status))
        return Counter({status: count for status, count in rows})


def wait_until(ready: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_lanes_send_everything_once_and_in_order(full: sessionmaker[Session]) -> None:
    channel = Recorder(together=2 * LANES)
    senders = [Sender(Ways(channel), "https://c.example", LANES) for _ in range(2)]  # as two worker processes would
    for sender in senders:
        sender.start()
    wait_until(lambda: len(channel.sent) == PEOPLE * EACH)
    for sender in senders:
        sender.stop()
    assert statuses(full) == {NotificationStatus.SENT: PEOPLE * EACH}
    order: dict[str, list[str]] = defaultdict(list)
    for message in channel.sent:
        order[message.openid].append(message.data["character_string5"])
    assert set(map(tuple, order.values())) == {tuple(str(n) for n in range(EACH))}
    assert len({message.id for message in channel.sent}) == PEOPLE * EACH


def test_no_connection_is_held_while_the_channel_answers(full: sessionmaker[Session]) -> None:
    engine = config.database._sessions.kw["bind"]  # type: ignore[union-attr]
    held = []

    def look(_: OutgoingMessage) -> None:
        held.append(engine.pool.checkedout())

    assert send_next(Ways(Recorder(look)), "https://c.example")
    assert held == [0]


def test_a_broken_channel_neither_stops_a_lane_nor_loses_a_message(full: sessionmaker[Session]) -> None:
    def refuse(message: OutgoingMessage) -> Exception | None:
        number = int(message.data["character_string5"])
        return {0: ChannelError("bad-field", "never"), 1: RuntimeError("a fault")}.get(number)

    sender = Sender(Ways(channel := Recorder(refuse)), "https://c.example", lanes=4)
    sender.start()
    expected = {
        NotificationStatus.FAILED: PEOPLE,
        NotificationStatus.UNKNOWN: PEOPLE,
        NotificationStatus.QUEUED: PEOPLE * (EACH - 2),
    }
    wait_until(lambda: statuses(full) == expected)
    sender.stop()
    assert channel.sent == []
    with full() as session:
        errors = set(session.scalars(select(Notification.error).where(Notification.attempts > 0)))
    assert errors == {"bad-field", "RuntimeError"}


def test_a_sleeping_sender_is_woken(committed: sessionmaker[Session]) -> None:
    sender = Sender(Ways(channel := Recorder()), "https://c.example", lanes=2)
    sender.start()
    wait_until(lambda: not sender._awake)
    with committed() as session, session.begin():
        queued(session, account(session, "o-1", datetime.now(UTC)), datetime.now(UTC))
    sender.wake()
    wait_until(lambda: len(channel.sent) == 1)
    sender.stop()
    assert not any(thread.is_alive() for thread in sender._threads)


def test_a_notice_uses_up_an_agreement_and_a_refusal_ends_them(committed: sessionmaker[Session]) -> None:
    now = datetime.now(UTC)
    with committed() as session, session.begin():
        person = account(session, "o-1", now)
        for late in range(3):
            given(session, person.id, "NTC1", now - timedelta(seconds=late))
        for _ in range(2):
            queued(session, person, now)
    refused = [None, ChannelError("no-subscription", "never")]
    ways = Ways(Recorder(lambda _: refused.pop(0)), notices={"appointment-booked": "NTC1"})
    for count in ({"NTC1": 2}, {}):
        assert send_next(ways, "https://c.example")
        with committed() as session:
            assert left(session, person.id) == count
