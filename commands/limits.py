"""``flask limits``: which of WeChat's APIs are closed to the clinic because a quota is used up."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from config.clock import local
from wechat.limits import Limits


def group(limits: Limits) -> click.Group:
    """The commands over one account."""
    commands = click.Group("limits", help="WeChat's quotas.")

    @commands.command("show")
    def show() -> None:
        """Show the APIs that are closed, until when, and the request id that WeChat's support asks for."""
        closed = limits.closed()
        for closing in closed:
            until = local(datetime.fromtimestamp(closing.until, UTC))
            click.echo(f"{closing.path} until {until:%Y-%m-%d %H:%M} Beijing time ({closing.code}, rid {closing.rid})")
        if not closed:
            click.echo("no API is closed")

    @commands.command("reopen")
    @click.argument("path")
    def reopen(path: str) -> None:
        """Ask WeChat again at PATH before the time is over: somebody has raised or cleared the quota."""
        limits.reopen(path)
        click.echo(f"{path} will be asked again")

    return commands
