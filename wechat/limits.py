"""Which of WeChat's APIs are closed to us for a while, because a quota is used up: known to all processes.

Asking on would change nothing but the account's standing. Redis down: each process keeps to what it heard itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta

import structlog
from redis import Redis

from config.clock import at, real_now, today
from config.redis import attempt
from wechat.errors import QUOTA_USED, OverLimit, QuotaUsed, TooFast

log = structlog.get_logger()

MINUTE = timedelta(seconds=60)
NO_REDIS = "-"  # what no closing looks like


@dataclass(frozen=True)
class Closing:
    """An API that is closed: WeChat's code and request id, and the end in seconds since 1970."""

    path: str
    code: int
    rid: str
    until: float

    def error(self) -> OverLimit:
        """What whoever asks meanwhile gets."""
        kind = QuotaUsed if self.code == QUOTA_USED else TooFast
        return kind(self.code, f"closed since an earlier call, rid: {self.rid}")


class Limits:
    """The closed APIs of one account."""

    def __init__(self, store: Redis, appid: str, clock: Callable[[], datetime] = real_now) -> None:
        self._store, self._key, self._now = store, f"wechat:{appid}:closed", clock
        self._own: dict[str, Closing] = {}

    def check(self, path: str) -> None:
        """Raises OverLimit when the API is closed."""
        kept = attempt(lambda: self._store.hget(self._key, path), NO_REDIS)
        closing = self._own.get(path) if kept == NO_REDIS else _read(kept)
        if closing and closing.until > self._now().timestamp():
            raise closing.error()

    def note(self, path: str, error: OverLimit) -> None:
        """Close the API: until midnight in Beijing when the day's quota is used up, else for a minute."""
        now = self._now()
        until = at(today(now) + timedelta(days=1), time(0)) if isinstance(error, QuotaUsed) else now + MINUTE
        closing = Closing(path, error.code, error.rid, until.timestamp())
        log.error("wechat-closed", path=path, code=error.code, rid=error.rid, until=until.isoformat())
        self._own[path] = closing
        attempt(lambda: self._store.hset(self._key, path, json.dumps(asdict(closing))), None)

    def closed(self) -> list[Closing]:
        """The APIs that are closed now."""
        kept: Mapping[str, str] | None = attempt(lambda: self._store.hgetall(self._key), None)
        known = list(self._own.values()) if kept is None else [_read(text) for text in kept.values()]
        return [closing for closing in known if closing and closing.until > self._now().timestamp()]

    def reopen(self, path: str) -> None:
        """Ask again: somebody has raised or cleared the quota."""
        self._own.pop(path, None)
        attempt(lambda: self._store.hdel(self._key, path), None)


def _read(kept: str | None) -> Closing | None:
    return Closing(**json.loads(kept)) if kept else None
