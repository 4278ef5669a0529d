"""One ear per process: hears the nudges over Redis and wakes the streams that wait for their topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Semaphore, Thread, current_thread
from typing import Any
from uuid import UUID

import structlog
from redis import Redis
from redis.exceptions import RedisError

from config.redis import NUDGE

log = structlog.get_logger()

AGAIN = 1.0  # seconds until a lost Redis is tried again
DEAF = 2.0  # seconds between two looks of a stream while Redis is down
LOOK = 5.0  # seconds after which the ear sees whether its connection still lives
STREAMS = 8  # of one account at a time in one process
LOOKS = 4  # at once in one process, over as many warm connections; a burst that opens one for each takes seconds


class Listener:
    """Who waits for one topic."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.woken = Event()

    def wait(self, seconds: float) -> bool:
        """Whether there may be more, at the latest after so many seconds; sooner where nothing can be heard."""
        hears = self._hub.hears.is_set()
        if self.woken.wait(seconds if hears else min(seconds, DEAF)):
            self.woken.clear()
            return True
        return not hears


class Hub:
    """The ear of a process, opened with its first listener: a thread, or a greenlet where gevent has replaced them."""

    def __init__(self, store: Redis) -> None:
        self._store = store
        self._lock = Lock()
        self._waiting: dict[str, set[Listener]] = {}
        self._thread: Thread | None = None
        self.hears = Event()
        self.turn = Semaphore(LOOKS)  # of streams that look into the database
        self.open: Counter[UUID] = Counter()

    @contextmanager
    def listen(self, topic: str) -> Iterator[Listener]:
        """A listener for a topic, while the block runs."""
        listener = Listener(self)
        with self._lock:
            self._waiting.setdefault(topic, set()).add(listener)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="nudges", daemon=True)
                self._thread.start()
        try:
            yield listener
        finally:
            with self._lock:
                self._waiting[topic].discard(listener)
                if not self._waiting[topic]:
                    del self._waiting[topic]

    def close(self) -> None:
        """Stop listening; for tests."""
        self._thread = None

    def _run(self) -> None:
        pause = Event()
        while self._thread is current_thread():
            try:
                with self._store.pubsub() as ear:  # type: ignore[no-untyped-call]
                    ear.psubscribe(f"{NUDGE}*")
                    self._hear(ear)
            except (RedisError, OSError) as error:
                self.hears.clear()
                log.warning("nudges-unheard", error=type(error).__name__)
                pause.wait(AGAIN)

    def _hear(self, ear: Any) -> None:
        ear.get_message(timeout=LOOK)  # the answer to the subscription: from here on nothing is missed
        self.hears.set()
        self._wake(None)  # what came before may have been
        while self._thread is current_thread():
            message = ear.get_message(timeout=LOOK)
            if message:  # another kind: redis-py came back by itself, and what was said meanwhile is not known
                self._wake(message["channel"].removeprefix(NUDGE) if message["type"] == "pmessage" else None)

    def _wake(self, topic: str | None) -> None:
        with self._lock:
            some = [self._waiting.get(topic, ())] if topic is not None else list(self._waiting.values())
            for listeners in some:
                for listener in listeners:
                    listener.woken.set()
