"""How often an account and its network address try to book, counted in Redis; the page that asks to wait a little."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from redis import Redis

from booking.fairness import TRY_SECONDS, Tries
from booking.refusals import ShortWait
from config.redis import Direct, attempt
from menus.pages import page, say

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

EXTENSION, COUNTED = "booking-tries", "clinic.tries"  # the application's; the environ's
ADD = """
for n, key in ipairs(KEYS) do
    redis.call('set', key, 0, 'ex', ARGV[1], 'nx')
    redis.call('incrby', key, ARGV[n + 1])
end
"""


class Counter:
    """Counts within a minute that begins with the first try; Redis forgets it after that."""

    def __init__(self, store: Redis) -> None:
        self._redis = Direct(store)

    def add(self, tries: Mapping[UUID, int]) -> None:
        """So many tries more of these accounts, which need no answer."""
        if tries:
            keys = [f"tries:account:{account_id}" for account_id in tries]
            words = ["EVAL", ADD, str(len(keys)), *keys, str(TRY_SECONDS), *map(str, tries.values())]
            attempt(lambda: self._redis.ask(*words), None)

    def count(self, account_id: UUID, address: str | None) -> Tries | None:
        """One try more, and how many that makes. None when Redis doesn't answer."""
        public = _public(address)
        keys = [f"tries:account:{account_id}", *([f"tries:address:{public}"] if public else [])]
        commands = [
            command
            for key in keys
            for command in (("SET", key, "0", "EX", str(TRY_SECONDS), "NX"), ("INCR", key), ("TTL", key))
        ]
        answers: list[int] | None = attempt(lambda: self._redis.ask_all(*commands), None)
        if answers is None:
            return None
        counts, seconds = answers[1::3], answers[2::3]
        return Tries(counts[0], counts[1] if public else 0, max(1, *seconds))


def join(app: Flask, store: Redis) -> None:
    """Let the pages count tries."""
    app.extensions[EXTENSION] = Counter(store)


def count_try(account_id: UUID) -> Tries | None:
    """Count this request as a try to book."""
    return count_once(current_app, account_id, request.environ)


def count_once(app: Flask, account_id: UUID, environ: WSGIEnvironment) -> Tries | None:
    """The same, also before Flask has seen the request; asked again, it gives the same answer."""
    if COUNTED not in environ:
        counter: Counter = app.extensions[EXTENSION]
        environ[COUNTED] = counter.count(account_id, environ.get("REMOTE_ADDR"))
    found: Tries | None = environ[COUNTED]
    return found


def please_wait(wait: ShortWait, **kept: object) -> ResponseReturnValue:
    """The page with the countdown, which then sends the same again."""
    seconds = max(1, int(wait.params["seconds"]))
    return page("pause.html", status=wait.status, seconds=seconds, message=say(wait.message), kept=kept)


@lru_cache(5000)
def _public(address: str | None) -> str | None:
    """The address, unless it is none or one of a private network: a proxy's, the hospital's own, this machine's."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    return str(found) if found.is_global else None
