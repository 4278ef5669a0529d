"""Access tokens and the JS-SDK ticket: fetched once for all processes, renewed early, kept in Redis and in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import LockError, RedisError

from config.redis import attempt
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable

log = structlog.get_logger()

EARLY = 240  # seconds before its end at which a value is renewed; WeChat overlaps old and new by 300
LOCK_SECONDS = 15  # longer than a fetch, forced or not, with its time limits
WAIT_SECONDS = 5  # for another process that is fetching; then this one goes on alone
FORCE_PAUSE = 4500  # seconds between two forced renewals by any process: 19 a day, where WeChat allows 20
FORCE_PAUSE_ALONE = 8 * 3600  # and by each process when Redis can't say what the others do
FAILED_PAUSE = 5.0  # seconds for which a fetch that failed, or brought nothing new, is not tried again by this process


@dataclass(frozen=True)
class Grant:
    """A value that WeChat gave, and for how many seconds it is good."""

    value: str
    seconds: int


class Shared:
    """One value that all processes share. Redis down: each process has its own, which WeChat allows."""

    def __init__(self, store: Redis, key: str, fetch: Callable[[bool], Grant]) -> None:
        """``fetch(force)`` asks WeChat; raises WeChatError or WeChatUnavailable."""
        self.store, self.key, self.fetch = store, key, fetch
        self._lock = threading.Lock()
        self._value, self._until = "", 0.0
        self._failure: Exception | None = None
        self._failed_until = 0.0
        self._forced_until = self._same_until = 0.0

    def current(self) -> str:
        """The value; fetched when neither this process nor Redis has one. Raises WeChatError, WeChatUnavailable."""
        if monotonic() < self._until:
            return self._value
        return self._renew("")

    def renewed(self, stale: str) -> str:
        """A value other than ``stale`` if WeChat gives one, after WeChat refused ``stale``."""
        return self._renew(stale)

    def _renew(self, stale: str) -> str:
        with self._lock:
            if self._known() not in {"", stale} or (stale and monotonic() < self._same_until):
                return self._value
            if monotonic() < self._failed_until and self._failure:
                raise self._failure.with_traceback(None)
            with self._everybody():
                if self._known() not in {"", stale}:  # another process was first
                    return self._value
                try:
                    self._keep(self._ask(stale))
                except (WeChatError, WeChatUnavailable) as error:
                    self._failure, self._failed_until = error, monotonic() + FAILED_PAUSE
                    raise
            return self._value

    def _known(self) -> str:
        """The newest value that this process or, newer, Redis knows; empty when there is none."""
        pipeline = self.store.pipeline()
        pipeline.get(self.key)
        pipeline.pttl(self.key)
        value, milliseconds = attempt(pipeline.execute, (None, 0))
        if value and milliseconds > 0:
            self._value, self._until = str(value), monotonic() + milliseconds / 1000
        return self._value if monotonic() < self._until else ""

    def _everybody(self) -> Any:
        """The lock over all processes; without Redis, or when its holder is stuck, the process goes on alone."""
        lock = self.store.lock(f"{self.key}:lock", timeout=LOCK_SECONDS, blocking_timeout=WAIT_SECONDS)
        return _Held(lock) if attempt(lock.acquire, False) else nullcontext()

    def _ask(self, stale: str) -> Grant:
        grant = self.fetch(False)
        if grant.value == stale and self._may_force():
            log.warning("token-forced", key=self.key)
            grant = self.fetch(True)
        self._same_until = monotonic() + FAILED_PAUSE if grant.value == stale else 0.0
        return grant

    def _may_force(self) -> bool:
        if monotonic() < self._forced_until:
            return False
        free = attempt(lambda: bool(self.store.set(f"{self.key}:forced", "1", nx=True, ex=FORCE_PAUSE)), None)
        self._forced_until = monotonic() + (FORCE_PAUSE_ALONE if free is None else FORCE_PAUSE)
        return free is not False

    def _keep(self, grant: Grant) -> None:
        seconds = max(grant.seconds - EARLY, grant.seconds // 2, 1)
        self._value, self._until = grant.value, monotonic() + seconds
        attempt(lambda: self.store.set(self.key, grant.value, ex=seconds), None)


class _Held:
    """A lock already taken; leaving it never fails, for it may have run out or Redis may have gone."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        try:
            self.lock.release()
        except (LockError, RedisError) as error:
            log.warning("token-lock-lost", error=type(error).__name__)


def access_tokens(store: Redis, client: WeChatClient) -> Shared:
    """The account's access token."""

    def fetch(force: bool) -> Grant:
        return _grant(client.stable_token(force=force), "access_token")

    return Shared(store, f"wechat:{client.appid}:access-token", fetch)


def jsapi_tickets(store: Redis, client: WeChatClient) -> Shared:
    """The account's ticket for signing pages that use the JS-SDK."""

    def fetch(force: bool) -> Grant:  # noqa: ARG001 - a ticket can't be forced
        return _grant(client.call("get", "ticket/getticket", type="jsapi"), "ticket")

    return Shared(store, f"wechat:{client.appid}:jsapi-ticket", fetch)


def _grant(answer: dict[str, Any], name: str) -> Grant:
    try:
        return Grant(str(answer[name]), int(answer["expires_in"]))
    except (KeyError, TypeError, ValueError):
        raise WeChatUnavailable(f"no {name}") from None
