"""``flask roster``: schedules and numbers from the doctors' weekly rosters; rosters as spreadsheets."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from booking.pool import NumberPool
from booking.rosters import importing
from booking.rosters.importing import Loaded, What
from config import spreadsheets
from config.clock import now
from config.database import rehearsal, transaction
from config.policy import current
from config.spreadsheets import FileRefused
from config.text import CHINESE, ENGLISH, LOCALES
from worker import jobs

SHOWN = 50
WHAT = click.Choice(["templates", "exceptions"])
FILE = click.Path(dir_okay=False, path_type=Path)


def group(pool: NumberPool) -> click.Group:
    """The commands; ``pool`` says which numbers are ours."""
    roster = click.Group("roster", help="Rosters, schedules and numbers (docs/rosters.md).")
    roster.add_command(import_)
    roster.add_command(export)

    @roster.command("cut")
    def cut() -> None:
        """Cut the rosters for the days that can be booked; the worker does it every hour."""
        click.echo(f"{jobs.cut(pool)} schedules new")

    return roster


@click.command("import")
@click.argument("what", type=WHAT)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--look", is_flag=True, help="Only say what would change.")
def import_(what: What, file: Path, look: bool) -> None:
    """Load WHAT (templates or exceptions) from FILE, a CSV in UTF-8 or GBK or an XLSX. One bad row: nothing is loaded.

    What the file does not name stays as it is.
    """
    try:
        loaded = _load(what, spreadsheets.read(file.read_bytes()), look=look)
    except FileRefused as refused:
        for problem in refused.problems[:SHOWN]:
            click.echo(problem.said(ENGLISH), err=True)
        raise click.ClickException(f"{len(refused.problems)} problems; nothing was loaded") from None
    kinds = [change.kind for change in loaded.changes]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("new", "changed", "ended"))
    click.echo(f"{'would be ' if look else ''}{counts}; {loaded.unchanged} so already")


def _load(what: What, rows: spreadsheets.Rows, *, look: bool) -> Loaded:
    with transaction() as session:
        if look:
            with rehearsal(session):
                return importing.load(session, what, rows, by=None, now=now(), may=_everywhere)
        policy = current(session, now())
        return importing.apply(session, what, rows, by=None, now=now(), policy=policy, may=_everywhere)


def _everywhere(_: UUID) -> bool:
    return True


@click.command("export")
@click.argument("what", type=WHAT)
@click.argument("file", type=FILE)
@click.option("--locale", type=click.Choice(LOCALES), default=CHINESE, help="The language of headings and words.")
def export(what: What, file: Path, locale: str) -> None:
    """Write WHAT (templates or exceptions) to FILE, by its ending .csv or .xlsx."""
    writers = {".csv": spreadsheets.to_csv, ".xlsx": spreadsheets.to_xlsx}
    if file.suffix.lower() not in writers:
        raise click.ClickException(f"{file.name} must end in .csv or .xlsx")
    with transaction() as session:
        rows = importing.export(session, what, now(), locale, _everywhere)
    file.write_bytes(writers[file.suffix.lower()](rows))
    click.echo(f"{len(rows) - 1} rows in {file}")
