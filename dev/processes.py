"""Operating-system processes on Linux and macOS: how a child dies with its parent, who a pid is, how to end it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(sig: signal.Signals) -> Callable[[], None]:
    """For ``Popen(preexec_fn=...)``: the kernel sends the child `sig` when its parent is gone, even by kill -9.

    Linux only (elsewhere it does nothing). Linux means the parent *thread*: start children from one that stays.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(sig))
        if os.getppid() != parent:  # the parent went before the call: nobody would tell us
            os._exit(1)

    return in_child


def arguments_of(pid: int) -> list[str]:
    """Returns the command line of a live process, empty when there is none (or it is a zombie)."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:
            return []
    return subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()


def end(pid: int, steps: Sequence[tuple[signal.Signals, float]], gone: Callable[[], bool]) -> None:
    """Sends each signal of `steps` and gives it so many seconds, until `gone` says the process has ended."""
    for sig, seconds in steps:
        with suppress(ProcessLookupError):
            os.kill(pid, sig)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if gone():
                return
            time.sleep(0.02)


def end_group(leader: subprocess.Popen[bytes], seconds: float) -> None:
    """Ends a process and its whole group: asks the leader, kills after `seconds` whatever is left."""
    end(leader.pid, [(signal.SIGTERM, seconds)], lambda: leader.poll() is not None)
    kill_group(leader.pid)
    leader.wait()


def kill_group(group: int) -> None:
    """Kills whatever is left of a process group."""
    with suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies is "not permitted"
        os.killpg(group, signal.SIGKILL)
