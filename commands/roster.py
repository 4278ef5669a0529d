"""``flask roster``: schedules and numbers from the doctors' weekly rosters."""

from __future__ import annotations

import click

from worker import jobs

group = click.Group("roster", help="Rosters, schedules and numbers.")


@group.command("cut")
def cut() -> None:
    """Cut the rosters for the days that can be booked; the worker does it every hour."""
    click.echo(f"{jobs.cut()} schedules new")
