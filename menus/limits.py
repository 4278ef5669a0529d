"""How often an account and its network address try to book, counted in Redis; the page that asks to wait a little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from itertools import chain, islice
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

    def count(self, tries: Sequence[tuple[UUID, str | None]]) -> list[Tries | None]:
        """One try more of each of these accounts, by the address it comes from, and how many that makes. None when
        Redis doesn't answer."""
        keys = [_keys(account_id, address) for account_id, address in tries]
        commands = [
            command
            for key in chain.from_iterable(keys)
            for command in (("SET", key, "0", "EX", str(TRY_SECONDS), "NX"), ("INCR", key), ("TTL", key))
        ]
        answers: list[int] | None = attempt(lambda: self._redis.ask_all(*commands), None) if commands else []
        if answers is None:
            return [None] * len(keys)
        told = iter(zip(answers[1::3], answers[2::3], strict=True))
        return [_tries(list(islice(told, len(of_one)))) for of_one in keys]


def _keys(account_id: UUID, address: str | None) -> list[str]:
    public = _public(address)
    return [f"tries:account:{account_id}", *([f"tries:address:{public}"] if public else [])]


def _tries(told: Sequence[tuple[int, int]]) -> Tries:
    """What was told of the account, and of the address if it has one: how many, and for how long that is counted."""
    counts = [count for count, _ in told]
    return Tries(counts[0], counts[1] if len(counts) > 1 else 0, max(1, *(seconds for _, seconds in told)))


def join(app: Flask, store: Redis) -> None:
    """Let the pages count tries."""
    app.extensions[EXTENSION] = Counter(store)


def count_try(account_id: UUID) -> Tries | None:
    """Count this request as a try to book."""
    return count_once(current_app, [(account_id, request.environ)])[0]


def count_once(app: Flask, tries: Sequence[tuple[UUID, WSGIEnvironment]]) -> list[Tries | None]:
    """The same for several requests, also before Flask has seen them; asked again, it gives the same answers."""
    counter: Counter = app.extensions[EXTENSION]
    new = [(account_id, environ) for account_id, environ in tries if COUNTED not in environ]
    counted = counter.count([(account_id, environ.get("REMOTE_ADDR")) for account_id, environ in new])
    for (_, environ), found in zip(new, counted, strict=True):
        environ[COUNTED] = found
    return [environ[COUNTED] for _, environ in tries]


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
