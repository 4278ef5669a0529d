"""``flask index import``: the hospital's patient index from a CSV file."""

from __future__ import annotations

from pathlib import Path

import click

from config.clock import now, today
from config.database import transaction
from people.importing import ImportRefused, load

group = click.Group("index", help="The hospital's patient index.")
SHOWN = 50


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Load FILE, a CSV in UTF-8 or GB18030 with the columns code, number, name, birth_date, sex, phones, last_visit_on.

    A column visits may follow: "internal-medicine 2026-10-09; other 2026-11-02". Children are known by their number.
    One bad row, and nothing is loaded.
    """
    try:
        with transaction() as session:
            counts = load(session, file.read_bytes(), today(now()))
    except ImportRefused as refused:
        for problem in refused.problems[:SHOWN]:
            click.echo(problem, err=True)
        raise click.ClickException(f"{len(refused.problems)} problems; nothing was loaded") from None
    click.echo(f"{counts.new} children new, {counts.known} known and refreshed")
