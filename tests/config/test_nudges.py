"""A nudge goes out when its transaction has committed, and only then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.client import PubSub

from config import nudges
from config.database import transaction
from config.redis import NUDGE, connect, publisher


@pytest.fixture
def heard(redis_url: str) -> Iterator[PubSub]:
    store = connect(redis_url)
    nudges.use(publisher(store))
    listening = store.pubsub(  # type: ignore[no-untyped-call]
        ignore_subscribe_messages=True
    )
    listening.subscribe(f"{NUDGE}room")
    listening.get_message(timeout=60)  # the confirmation, not shown
    yield listening
    nudges.use(None)
    listening.close()
    store.close()


@pytest.mark.usefixtures("committed")
def test_a_nudge_follows_the_commit_once(heard: PubSub) -> None:
    with transaction() as session:
        nudges.nudge(session, "room")
        nudges.nudge(session, "room")
        assert heard.get_message(timeout=0.05) is None
    found = heard.get_message(timeout=60)
    assert found
    assert found["channel"] == f"{NUDGE}room"
    assert heard.get_message(timeout=0.05) is None


@pytest.mark.usefixtures("committed")
def test_a_roll_back_nudges_nobody(heard: PubSub) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        nudges.nudge(session, "room")
        1 / 0  # noqa: B018
    assert heard.get_message(timeout=0.05) is None


@pytest.mark.usefixtures("committed")
def test_without_redis_nothing_fails() -> None:
    nudges.use(publisher(Redis(port=9, socket_connect_timeout=0.2)))
    try:
        with transaction() as session:
            nudges.nudge(session, "room")
    finally:
        nudges.use(None)
