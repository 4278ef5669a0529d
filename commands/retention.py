"""``flask retention``: what has been kept for long enough, its removal with a protocol, and holds."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import click

from config.clock import local, now
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import Policy, current
from people.files import FileStore
from people.keeping import holds
from people.keeping.holdings import Clock, Holding
from people.keeping.models import PurgeLine
from people.keeping.purging import Due
from worker import keeping
from worker.holdings import HOLDINGS


def group(files: FileStore) -> click.Group:
    """The commands; ``files`` is the store from which files go."""
    retention = click.Group("retention", help="How long records are kept, and their removal with proof.")
    for command in (show, hold, lift, list_holds):
        retention.add_command(command)

    @retention.command("purge")
    @click.option("--yes", is_flag=True, help="Really remove; without it only what would go is shown.")
    def purge(yes: bool) -> None:
        """Remove what is due, in batches, and print the protocol. Interrupted, the next one goes on."""
        if not yes:
            _print_due(keeping.due())
            raise click.ClickException("nothing was removed: say --yes")
        done = keeping.purge(files, f"command:{getpass.getuser()}", _tick)
        click.echo(f"purge {done.id}, due until {local(done.as_of):%Y-%m-%d %H:%M}")
        _print_protocol(done.lines)
        if done.left_over:
            raise click.ClickException(f"{done.left_over} rows or files that were due are still there")
        click.echo("asked again: nothing that was due is left")

    return retention


def _tick(rows: int) -> None:
    if rows:
        click.echo(f"removed {rows} rows", err=True)


@click.command("show")
def show() -> None:
    """Show the clocks, what is due by kind, and what is held."""
    _print_due(keeping.due())


def _print_due(found: Sequence[Due]) -> None:
    with transaction() as session:
        policy = current(session, now())
    kept = {one.kind: _kept_for(one, policy) for one in HOLDINGS}
    rows = [(one.kind, kept[one.kind], one.rows, one.held, one.oldest) for one in found]
    _table(("kind", "kept for", "due", "held", "oldest"), rows)


def _kept_for(holding: Holding, policy: Policy) -> str:
    since = " from the child's last visit" if holding.clock is Clock.RECORD else ""
    return holding.by_itself or f"{getattr(policy, holding.clock)} years{since} ({holding.clock})"


def _print_protocol(lines: Sequence[PurgeLine]) -> None:
    rows = [(one.kind, one.rows, one.held, one.oldest, one.newest, one.digest.hex()) for one in lines]
    _table(("kind", "removed", "held", "oldest", "newest", "digest"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as they must be."""
    shown = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[n]) for row in shown) for n in range(len(heads))]
    for row in shown:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{local(value):%Y-%m-%d}"
    return "-" if value is None else str(value)


@click.command("hold")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it is kept encrypted.")
def hold(number: str, reason: str) -> None:
    """Remove nothing of the child with the patient NUMBER until the hold is lifted."""
    try:
        with transaction() as session:
            made = holds.hold(session, number, reason, now(), by=f"command:{getpass.getuser()}")
            hold_id = made.id
    except Refused as refusal:
        raise click.ClickException(refusal.message) from None
    click.echo(f"hold {hold_id}")


@click.command("lift")
@click.argument("hold_id", type=click.UUID)
def lift(hold_id: UUID) -> None:
    """Lift the hold HOLD_ID."""
    try:
        with transaction() as session:
            holds.lift(session, hold_id, now(), by=f"command:{getpass.getuser()}")
    except NotFound:
        raise click.ClickException("no such hold, or it is lifted") from None
    click.echo("lifted")


@click.command("holds")
def list_holds() -> None:
    """List the holds in force; without the children's names."""
    with transaction() as session:
        found = [(one.id, child.number, one.set_at, one.set_by, one.reason) for one, child in holds.listed(session)]
    _table(("hold", "patient number", "since", "by", "reason"), found)
