"""``flask release``: before a new version serves, bring the tables and the hospital's data up to date."""

from __future__ import annotations

import click
from sqlalchemy import Engine

from config.database import transaction
from config.migrate import migrate
from people import departments


def command(engine: Engine) -> click.Command:
    """The command over the process's database."""

    @click.command("release")
    def release() -> None:
        """Migrate the database and load the departments; safe to repeat."""
        migrate(engine)
        with transaction() as session:
            new = departments.load(session)
        click.echo(f"database is up to date; departments: {new} new")

    return release
