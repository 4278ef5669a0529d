"""``flask release``: before a new version serves, bring the tables and the hospital's data up to date."""

from __future__ import annotations

import click
from sqlalchemy import Engine

from config import metrics
from config.clock import now
from config.database import transaction
from config.migrate import migrate
from config.settings import Settings
from people import departments, finding
from people.index import PatientIndex
from prescriptions.formulary import actions as formulary


def command(settings: Settings, engine: Engine, patients: PatientIndex) -> click.Command:
    """The command over the process's database and the hospital's index."""

    @click.command("release")
    def release() -> None:
        """Migrate the database, load the departments and the formulary, make children known who could not be found by
        name or phone yet, begin the metrics anew; safe to repeat."""
        migrate(engine)
        with transaction() as session:
            new = departments.load(session)
            medicines = formulary.load(session, now())
        finding.complete(patients)
        if settings.prometheus_multiproc_dir:
            metrics.forget(settings.prometheus_multiproc_dir)
        click.echo(f"database is up to date; departments: {new} new; medicines: {medicines} new")

    return release
