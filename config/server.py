"""gunicorn's settings that a command line can't hold (`--config python:config.server` in the Procfile)."""

from __future__ import annotations

import gc


def post_worker_init(_worker: object) -> None:
    """What was made at start stays as long as the process: the collector need not walk over it again and again."""
    gc.collect()
    gc.freeze()
