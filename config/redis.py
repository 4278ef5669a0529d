"""Redis holds only what may be lost. When it is down, callers get None or the fallback, never an exception."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Collection, Iterator
from ssl import SSLSocket
from struct import pack
from threading import Timer
from typing import Any, TypeVar

import structlog
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import InvalidResponse, RedisError, ResponseError
from redis.exceptions import TimeoutError as TooSlow
from redis.retry import Retry

log = structlog.get_logger()
T = TypeVar("T")

HELD = 0.1  # seconds
NONE = b"$-1"  # the line that says there is nothing
HOLDER = "held for redis"  # the thread's name


def connect(url: str) -> Redis:
    """A client with short timeouts: a parent waits for the page, not for Redis."""
    return Redis.from_url(
        url,
        decode_responses=True,
        protocol=2,  # nothing comes between the answers
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


NUDGE = "nudge:"  # the channels on which processes tell each other that there is more to see


def publisher(store: Redis) -> Callable[[Collection[str]], None]:
    """What carries nudges (config/nudges.py) to whoever listens; without Redis they are lost."""

    def publish(topics: Collection[str]) -> None:
        pipeline = store.pipeline(transaction=False)
        for topic in topics:
            pipeline.publish(NUDGE + topic, "")
        attempt(pipeline.execute, None)

    return publish


class Direct:
    """Redis for the path that is asked most: one packet and one wait for each question.

    ``Redis`` itself spends some 60 us of processor time on each command, mostly in layers that this path does not need:
    redis-py connects and signs in, and the rest goes over its socket.

    A command that needs no answer is held: it goes before the process's next question in the same packet, or by itself
    after ``HELD`` seconds, since waking Redis costs more than the command. A process that is killed loses it.
    """

    def __init__(self, store: Redis) -> None:
        self._pool = store.connection_pool
        self._free: deque[_Line] = deque()  # deques: their ends are safe between threads
        self._held: deque[bytes] = deque()
        self._due = False

    def ask(self, *words: str) -> Any:
        """The answer to a command. Raises RedisError."""
        return self.ask_all(words)[0]

    def ask_all(self, *commands: tuple[str, ...]) -> list[Any]:
        """The answers to several commands, sent together. Raises RedisError."""
        answers = self._answers(*map(packed, commands))[-len(commands) :]
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return answers

    def hold(self, *words: str) -> None:
        """Send a command within ``HELD`` seconds; whether Redis could do it is not heard of."""
        self._held.append(packed(words))
        if not self._due:
            self._due = True
            flush = Timer(HELD, self._flush)  # a process that ends in good order waits for it
            flush.name = HOLDER
            flush.start()

    def _flush(self) -> None:
        self._due = False
        if self._held:
            attempt(self._answers, None)

    def _answers(self, *commands: bytes) -> list[Any]:
        """The answers to what was held and to the commands, in that order. Raises RedisError."""
        sent = [*self._taken(), *commands]
        try:
            line = self._free.pop()
        except IndexError:
            return self._on(_Line(self._pool), sent)
        try:
            return self._on(line, sent)
        except Disconnected:  # Redis closes what was idle for long, and its restart closes all
            return self._on(_Line(self._pool), sent)

    def _taken(self) -> Iterator[bytes]:
        try:
            while self._held:
                yield self._held.popleft()
        except IndexError:  # another thread took the last
            return

    def _on(self, line: _Line, sent: list[bytes]) -> list[Any]:
        try:
            answers = line.answers(b"".join(sent), len(sent))
        except BaseException:
            line.close()
            raise
        self._free.append(line)
        return answers


class _Line:
    """One connection, made by redis-py. What it raises leaves it useless."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool, self._connection = pool, pool.get_connection()
        self._come = b""
        self._socket: Any = getattr(self._connection, "_sock")  # noqa: B009 - no public name leads to it
        limit = self._socket.gettimeout()
        if limit and not isinstance(self._socket, SSLSocket):  # the kernel's own time limit saves a call for each
            self._socket.settimeout(None)
            for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self._socket.setsockopt(socket.SOL_SOCKET, way, pack("@ll", int(limit), int(limit % 1 * 1e6)))

    def answers(self, packet: bytes, count: int) -> list[Any]:
        """Send commands and read as many answers. Raises RedisError."""
        try:
            self._socket.sendall(packet)
            self._more()
            come = self._come
            lines = come.split(b"\r\n")
            if len(lines) == count + 1 and not lines[count] and come.count(b"$") == come.count(NONE + b"\r\n"):
                self._come = b""  # all came at once, each in a line
                return [self._said(line) for line in lines[:count]]
            return [self._answer() for _ in range(count)]
        except (TimeoutError, BlockingIOError):
            raise TooSlow("Redis") from None
        except OSError as error:
            raise Disconnected(str(error)) from None

    def close(self) -> None:
        """Give the connection back closed."""
        self._connection.disconnect()  # type: ignore[no-untyped-call]
        self._pool.release(self._connection)

    def _answer(self) -> Any:
        """Text, a number, None, or a ResponseError, which is returned."""
        line = self._cut(self._end())
        return self._cut(int(line[1:])).decode() if line[:1] == b"$" and line != NONE else self._said(line)

    @staticmethod
    def _said(line: bytes) -> Any:
        """The same of what stands in one line."""
        if line == b"+OK":
            return "OK"
        if line == NONE:
            return None
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return ResponseError(rest.decode())
        raise InvalidResponse(f"{kind!r} is not read here")

    def _end(self) -> int:
        while (end := self._come.find(b"\r\n")) < 0:
            self._more()
        return end

    def _cut(self, size: int) -> bytes:
        """The next bytes, taken with the end of line behind them."""
        while len(self._come) < size + 2:
            self._more()
        found, self._come = self._come[:size], self._come[size + 2 :]
        return found

    def _more(self) -> None:
        part = self._socket.recv(4096)
        if not part:
            raise Disconnected("closed")
        self._come += part


def packed(words: tuple[str, ...]) -> bytes:
    """A command as Redis reads it (RESP)."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)
