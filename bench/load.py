"""Sends requests that were made beforehand over connections that stay open, as fast as they are answered."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
PATIENCE = 10.0  # seconds without any answer


@dataclass
class Connection:
    """One connection, with what has come of the answer that it waits for."""

    socket: socket.socket
    come: bytes = b""


@dataclass(frozen=True)
class Round:
    """Requests per second, the share of one core that sending took, and the answers' bodies in the order they came."""

    rate: float
    busy: float
    bodies: list[bytes] = field(repr=False)


@contextmanager
def connected(port: int, clients: int) -> Iterator[list[Connection]]:
    """That many open connections to 127.0.0.1."""
    with ExitStack() as stack:
        opened = (socket.create_connection(("127.0.0.1", port)) for _ in range(clients))
        yield [Connection(stack.enter_context(one)) for one in opened]


def drive(connections: Sequence[Connection], requests: Sequence[bytes], expected: int = 200) -> Round:
    """Send the requests, one at a time on each of the connections.

    Raises RuntimeError for an answer whose status is not ``expected`` and TimeoutError when none comes.
    """
    started, busy = time.perf_counter(), time.process_time()
    bodies = list(_answers(connections, iter(requests), b" %d " % expected))
    taken = time.perf_counter() - started
    busy = time.process_time() - busy
    return Round(len(bodies) / taken, busy / taken, bodies)


def _answers(connections: Sequence[Connection], requests: Iterator[bytes], expected: bytes) -> Iterator[bytes]:
    waiting = 0
    with selectors.DefaultSelector() as selector:
        for connection, request in zip(connections, requests, strict=False):
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.socket.sendall(request)
            waiting += 1
        while waiting:
            ready = selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"no answer in {PATIENCE} s")
            for key, _ in ready:
                body = _received(key.data, expected)
                if body is None:
                    continue
                yield body
                if following := next(requests, None):
                    key.data.socket.sendall(following)
                else:
                    waiting -= 1


def _received(connection: Connection, expected: bytes) -> bytes | None:
    """The body of an answer that is complete, else None."""
    part = connection.socket.recv(65536)
    if not part:
        raise RuntimeError("the server closed the connection")
    come = connection.come + part
    head, end, body = come.partition(b"\r\n\r\n")
    length = LENGTH.search(head + b"\r\n") if end else None
    if length is None or len(body) < int(length[1]):
        connection.come = come
        return None
    if expected not in head[:16]:
        raise RuntimeError(head[:200].decode(errors="replace"))
    connection.come = b""
    return body
