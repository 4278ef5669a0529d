"""What is counted: routes, WeChat's codes and kinds of messages; never a person, an id or an address.

Where PROMETHEUS_MULTIPROC_DIR is set (prometheus-client reads it itself), the processes of one machine count together.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import Counter, Histogram

if _folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(_folder).mkdir(parents=True, exist_ok=True)  # the library opens its files there, and makes no folder

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds; WeChat waits five for an answer

REQUESTS = Histogram(
    "clinic_request_seconds", "Requests answered, by route and status.", ["method", "route", "status"], buckets=QUICK
)
PUSHES = Counter("clinic_wechat_pushes", "WeChat's pushes, by kind and what became of them.", ["kind", "outcome"])
CALLS = Histogram(
    "clinic_wechat_call_seconds", "Calls of WeChat's API, by path and outcome.", ["path", "outcome"], buckets=QUICK
)


def forget(folder: Path) -> None:
    """Drop what processes of an earlier release have counted."""
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
