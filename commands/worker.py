"""``flask worker``: the process that handles facts, sends messages and sweeps what has fallen due."""

from __future__ import annotations

import click

from config.settings import Settings
from people.index import PatientIndex
from wechat.tags import Tags
from worker.app import run
from worker.sender import Ways


def command(settings: Settings, ways: Ways, index: PatientIndex, tags: Tags) -> click.Command:
    """The command that sends these ways; ``index`` knows the families' phones, ``tags`` WeChat's tags."""

    @click.command("worker")
    def worker() -> None:
        """Work through the queue until SIGTERM; run as many as you like."""
        run(settings, ways, index, tags)

    return worker
