"""Where gunicorn's workers run: the threads of each on one core, and the workers on different ones."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace as Fake
from urllib.request import urlopen

import psutil
import pytest

from config import server
from config.settings import ROOT

CORES = os.sched_getaffinity(0)
PATIENCE = 20.0  # seconds


def core(kind: str, *taken: int | None) -> int | None:
    """The core of one more worker beside others on these."""
    made = Fake()
    others = {number: Fake(core=where) for number, where in enumerate(taken)}
    server.pre_fork(Fake(cfg=Fake(worker_class_str=kind), WORKERS=others), made)
    found: int | None = made.core
    return found


def test_a_worker_goes_where_the_fewest_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7})
    assert core("gthread") == 2
    assert core("gthread", 2, 7) == 5
    assert core("gthread", 5, 7) == 2  # in the place of one that ended
    assert core("gthread", 2, 5, 7, 5, 2) == 7
    assert core("gevent") is None  # has one thread


def test_without_cores_to_choose_from_a_worker_goes_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS
    assert core("gthread") is None
    before = Counter(CORES)
    server.post_fork(None, Fake(core=None))
    server.post_fork(None, Fake(core=9999))  # forbidden, or gone
    monkeypatch.undo()
    assert Counter(os.sched_getaffinity(0)) == before


@contextmanager
def served(kind: str) -> Iterator[psutil.Process]:
    """The gunicorn of a line of the Procfile, with an application of the standard library."""
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith(f"{kind}:"))
    words = shlex.split(line)
    options = words[words.index("gunicorn") + 2 :]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options[options.index("--bind") + 1] = address
    command = [sys.executable, "-m", "gunicorn", "wsgiref.simple_server:demo_app", *options, "--log-level", "error"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        until(lambda: answers(address))
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def answers(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def cores(worker: psutil.Process) -> set[int]:
    """Where the threads of a process may run."""
    return {core for thread in worker.threads() for core in os.sched_getaffinity(thread.id)}


def patient(worker: psutil.Process) -> bool:
    """None of its threads pushes another aside when it wakes."""
    return all(os.sched_getscheduler(thread.id) == os.SCHED_BATCH for thread in worker.threads())


def spread(master: psutil.Process) -> bool:
    """Both workers are there, each on a core of its own (where there are two)."""
    found = [cores(worker) for worker in master.children()]
    on_one_each = list(map(len, found)) == [1, 1] and len(set.union(*found)) == min(2, len(CORES))
    return on_one_each and all(map(patient, master.children()))


def test_each_worker_of_threads_has_a_core_also_the_one_that_follows() -> None:
    with served("web") as master:
        until(lambda: spread(master))
        for worker in master.children():
            worker.kill()
            until(lambda worker=worker: worker not in master.children() and spread(master))  # type: ignore[misc]


def test_the_live_process_goes_anywhere() -> None:
    with served("live") as master:
        assert [cores(worker) for worker in master.children()] == [CORES]
        assert not any(map(patient, master.children()))
