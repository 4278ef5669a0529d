"""Ports for what a test starts in a process of its own: below those that the system gives out by itself, and another
part of them for each test process, so that nobody takes one between here and the start."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress

FIRST, EACH, PARTS = 20_000, 3_000, 4
_own = FIRST + EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS)
_left = random.sample(range(_own, _own + EACH), EACH)  # another run on this machine begins elsewhere


def free_port() -> int:
    """A port that nothing listens on, never the same twice."""
    while _left:
        port = _left.pop()
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is left")
