"""gunicorn's settings that a command line can't hold (`--config python:config.server` in the Procfile)."""

from __future__ import annotations

import gc
import os
from collections import Counter
from contextlib import suppress
from typing import Any


def pre_fork(server: Any, worker: Any) -> None:
    """Choose the core for a worker of threads: of those the server may use, one on which the fewest others are.

    Python runs one thread of a process at a time. Spread over cores its threads wake one another across them at every
    system call, mostly in vain, and that takes more than the request (docs/wechat.md, "What it costs").
    """
    worker.core = None
    if server.cfg.worker_class_str == "gthread" and hasattr(os, "sched_getaffinity"):
        taken = Counter(other.core for other in server.WORKERS.values())
        worker.core = min(sorted(os.sched_getaffinity(0)), key=taken.__getitem__)


def post_fork(_server: Any, worker: Any) -> None:
    """Stay on it, with all threads that will be made, and let none that wakes push aside the one that works: it would
    find the lock taken. Where the machine forbids that, go anywhere."""
    if worker.core is not None:
        with suppress(OSError):
            os.sched_setaffinity(0, {worker.core})
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def post_worker_init(_worker: object) -> None:
    """What was made at start stays as long as the process: the collector need not walk over it again and again."""
    gc.collect()
    gc.freeze()
