"""The whole service as `make run` starts it, on its own ports and data, and the simulator's control API."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from config.settings import ROOT
from tests.ports import free_port


@dataclass(frozen=True)
class Service:
    """A running service: its origins and where its data is."""

    clinic: str
    simulator: str
    var: Path
    courier: str

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Call the simulator's control API; ``body`` is JSON, or the query of a GET."""
        sent: dict[str, Any] = {"params": body} if method == "GET" else {"json": body}
        answer = requests.request(method, f"{self.simulator}/simulator/api{path}", timeout=120, **sent)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def running(var: Path, **environment: str) -> Iterator[Service]:
    """Start the service as a newcomer does, wait for its four lines, and stop it as Ctrl-C does.

    The data under ``var`` stays, so that the service can be started on it again.
    """
    clinic, simulator, courier = free_port(), free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "dev.run"],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}},
            "CLINIC_VAR": str(var),
            "CLINIC_PORT": str(clinic),
            "LIVE_PORT": str(free_port()),
            "SIMULATOR_PORT": str(simulator),
            "COURIER_PORT": str(courier),
            "CLINIC_DEMO_VISITS": "0",  # what a journey counts is its own
            **environment,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError("the service did not start:\n" + "".join(lines))
        said = "".join(lines)
        assert not re.search(r"\b(demo|menu) ended", said), said  # the service runs without them, a journey does not
        here = "http://127.0.0.1"
        yield Service(f"{here}:{clinic}", f"{here}:{simulator}", var, f"{here}:{courier}")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=180)  # a busy machine stops slowly, too
