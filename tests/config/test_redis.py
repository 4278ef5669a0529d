"""The quick way to Redis: its own answer to each command, whatever became of those that nobody waits for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooSlow

import config.redis
from config.redis import Direct, connect, packed
from config.settings import ROOT
from dev.servers import Valkey
from tests.held import all_sent


@pytest.fixture
def store(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    made = connect(redis_url)
    made.flushdb()
    yield made
    made.close()


def test_asks(store: Redis) -> None:
    direct = Direct(store)
    assert direct.ask("SET", "k", "挂号\r\n", "NX", "EX", "60") == "OK"
    assert direct.ask("SET", "k", "x", "NX") is None
    assert direct.ask("GET", "k") == store.get("k") == "挂号\r\n"
    assert 0 < store.ttl("k") <= 60


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held doesn't go by itself."""
    monkeypatch.setattr(config.redis, "Timer", Mock())


@pytest.mark.usefixtures("long")
def test_asks_over_a_socket(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Valkey(tmp_path_factory.mktemp("v"), fast=True)
    server.start()
    try:
        direct = Direct(connect(server.socket_url))
        direct.hold("SET", "k", "挂号")
        assert direct.ask("GET", "k") == "挂号"
    finally:
        server.stop()


@pytest.mark.usefixtures("long")
def test_what_is_held_goes_before_the_next_question(store: Redis) -> None:
    direct = Direct(store)
    direct.hold("SET", "a", "1")
    direct.hold("INCR", "a")
    direct.hold("LPUSH", "a", "a fault: not a list")
    assert store.get("a") is None
    assert direct.ask("GET", "a") == "2"
    assert direct.ask("ECHO", "b") == "b"
    assert direct.ask("INCR", "a") == 3


def test_what_is_held_goes_by_itself(store: Redis) -> None:
    direct = Direct(store)
    for number in ("1", "2"):
        direct.hold("SET", "a", number)
        all_sent()
        assert store.get("a") == number


@pytest.mark.parametrize(("ending", "kept"), [("", "1"), ("os._exit(0)", None)])
def test_a_process_that_ends_sends_what_it_holds_unless_it_is_killed(
    store: Redis, redis_url: str, ending: str, kept: str | None
) -> None:
    code = f"import os; from config.redis import *; Direct(connect({redis_url!r})).hold('SET', 'a', '1'); {ending}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert store.get("a") == kept


@pytest.mark.usefixtures("long")
def test_what_is_held_outlives_a_connection_that_redis_closed(store: Redis) -> None:
    direct = Direct(store)
    direct.ask("CLIENT", "SETNAME", "direct")
    direct.hold("SET", "a", "1")
    kill(store, "direct")
    assert direct.ask("GET", "a") == "1"


def kill(store: Redis, name: str) -> None:
    for client in store.client_list():
        if client["name"] == name:
            store.client_kill(client["addr"])


class Scripted:
    """A socket that hears these parts; an exception among them is raised."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts, self.sent = iter(parts), b""

    def gettimeout(self) -> None:
        """None of its own."""

    def sendall(self, packet: bytes) -> None:
        self.sent += packet

    def recv(self, _: int) -> bytes:
        part = next(self.parts)
        if isinstance(part, Exception):
            raise part
        return part


def over(*sockets: Scripted) -> Direct:
    """The quick way over these sockets, one after the other."""
    pool = Mock(get_connection=Mock(side_effect=[Mock(_sock=one) for one in sockets]))
    return Direct(Mock(connection_pool=pool))


@pytest.mark.usefixtures("long")
def test_answers_may_come_in_pieces() -> None:
    direct = over(Scripted(b"+", b"OK\r", b"\n$5\r\na\r\n", b"bc\r", b"\n", b"$-1\r\n", b":-7\r\n"))
    direct.hold("SET", "a", "1")
    assert [direct.ask("GET", "a"), direct.ask("GET", "b"), direct.ask("DECR", "c")] == ["a\r\nbc", None, -7]


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize(
    "parts", [(b"+OK\r\n$4\r\n", b"$-1b\r\n"), (b"+OK\r\n$4\r\n$-1b\r\n",), (b"+OK\r\n", b"$4\r\n$-1b\r\n")]
)
def test_a_text_after_another_answer_is_not_taken_for_lines(parts: tuple[bytes, ...]) -> None:
    direct = over(Scripted(*parts, b"$-1\r\n"))
    direct.hold("SET", "a", "1")
    assert direct.ask("GET", "a") == "$-1b"
    assert direct.ask("GET", "b") is None


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("fault", [b"", BlockingIOError(), TimeoutError(), ConnectionResetError(), b"*1\r\n"])
def test_a_line_that_breaks_with_answers_owed_is_not_used_again(fault: bytes | Exception) -> None:
    broken, sound = Scripted(b"+OK\r\n", fault, b"$5\r\nanother's\r\n"), Scripted(b"$1\r\nb\r\n")
    direct = over(broken, sound)
    direct.hold("SET", "a", "1")
    with pytest.raises(RedisError):
        direct.ask("GET", "a")
    assert direct.ask("ECHO", "b") == "b"
    assert b"SET" not in sound.sent


def test_a_slow_redis_is_not_waited_for_twice(store: Redis, redis_url: str) -> None:
    with Redis.from_url(redis_url, socket_timeout=0.1, protocol=2) as hasty:
        direct = Direct(hasty)
        assert direct.ask("PING") == "PONG"
        with pytest.raises(TooSlow):
            direct.ask("BLPOP", "nothing", "9")
        assert direct.ask("PING") == "PONG"
        assert len([one for one in store.client_list() if one["cmd"] == "blpop"]) <= 1


def test_a_fault_is_of_its_own_command(store: Redis) -> None:
    direct = Direct(store)
    with pytest.raises(ResponseError):
        direct.ask("NONSENSE")
    assert direct.ask("ECHO", "b") == "b"


def test_a_connection_that_redis_closed_is_made_anew(store: Redis) -> None:
    direct = Direct(store)
    direct.ask("CLIENT", "SETNAME", "direct")
    kill(store, "direct")
    assert direct.ask("ECHO", "b") == "b"


def test_a_connection_that_was_closed_with_the_pool_is_made_anew(store: Redis) -> None:
    direct = Direct(store)
    direct.ask("SET", "a", "1")
    store.connection_pool.disconnect()
    assert direct.ask("ECHO", "b") == "b"


def test_one_connection_serves_one_thread_at_a_time(store: Redis) -> None:
    direct = Direct(store)

    def both(number: int) -> bool:
        direct.hold("SET", f"k{number}", str(number))
        return bool(direct.ask("ECHO", str(number)) == str(number))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(both, range(400)))
    all_sent()
    assert all(store.get(f"k{number}") == str(number) for number in range(400))


def test_several_commands_go_together_and_nothing_is_left_behind(store: Redis) -> None:
    direct = Direct(store)
    direct.hold("SET", "n", "1")
    assert direct.ask_all(("INCRBY", "n", "2"), ("ECHO", "x"), ("TTL", "n")) == [3, "x", -1]
    with pytest.raises(ResponseError):
        direct.ask_all(("SET", "words", "a"), ("INCR", "words"), ("ECHO", "never read"))
    assert direct.ask("ECHO", "b") == "b"


def test_redis_is_down() -> None:
    direct = Direct(connect("redis://127.0.0.1:9/0"))
    with pytest.raises(RedisError):
        direct.ask("GET", "k")
    direct.hold("SET", "k", "v")  # is lost


def test_packed() -> None:
    assert packed(("SET", "é")) == b"*2\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n"
