"""What a process holds back for Redis for a moment (config/redis.py: Direct.hold)."""

from __future__ import annotations

import threading

import config.redis


def all_sent() -> None:
    """Wait until everything has gone."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer) and thread.name == config.redis.HOLDER:
            thread.join()
