"""``flask worker``: the process that handles facts, sends messages and sweeps what has fallen due."""

from __future__ import annotations

import click

from config.settings import Settings
from notifications.channel import Channel
from worker.app import run


def command(settings: Settings, channel: Channel) -> click.Command:
    """The command that sends through this channel."""

    @click.command("worker")
    def worker() -> None:
        """Work through the queue until SIGTERM; run as many as you like."""
        run(settings, channel)

    return worker
