"""Redis holds only what may be lost. When it is down, callers get None or the fallback, never an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger()
T = TypeVar("T")


def connect(url: str) -> Redis:
    """A client with short timeouts: a parent waits for the page, not for Redis."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )


def attempt(call: Callable[[], Any], otherwise: T) -> Any | T:
    """The call's answer, or ``otherwise`` when Redis doesn't answer."""
    try:
        return call()
    except RedisError as error:
        log.warning("redis-unavailable", error=type(error).__name__)
        return otherwise
