"""``flask release``: before a new version serves, bring the tables and the hospital's data up to date."""

from __future__ import annotations

import click
from sqlalchemy import Engine

from config import metrics
from config.database import transaction
from config.migrate import migrate
from config.settings import Settings
from people import departments


def command(settings: Settings, engine: Engine) -> click.Command:
    """The command over the process's database."""

    @click.command("release")
    def release() -> None:
        """Migrate the database, load the departments, begin the metrics anew; safe to repeat."""
        migrate(engine)
        with transaction() as session:
            new = departments.load(session)
        if settings.prometheus_multiproc_dir:
            metrics.forget(settings.prometheus_multiproc_dir)
        click.echo(f"database is up to date; departments: {new} new")

    return release
