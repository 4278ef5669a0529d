"""Work that waits: one thread holds what is due later and hands it to a pool, so hours of waiting cost nothing."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

Work = Callable[[], object]


class Scheduler:
    """Runs work in the background, not before its time."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._due: list[tuple[float, int, Work]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="simulator")
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def later(self, seconds: float, work: Work) -> None:
        """Do `work` when `seconds` have passed; its exceptions go to `failed`."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + max(0.0, seconds), next(self._numbers), work))
            self._changed.notify()

    def forget(self) -> None:
        """Drop everything that has not begun."""
        with self._changed:
            self._due.clear()

    def close(self) -> None:
        """Start nothing new."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                else:
                    self._pool.submit(self._safely, heapq.heappop(self._due)[2])

    def _safely(self, work: Work) -> None:
        try:
            work()
        except Exception as error:
            self._failed(error)
