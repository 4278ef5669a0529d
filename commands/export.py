"""``flask export``: one child's whole file for the hospital; audited, with the reason."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import click

from config.clock import now
from config.database import transaction
from config.errors import Refused
from config.text import CHINESE, LOCALES
from people.files import FileStore
from people.keeping import copies
from people.keeping.holdings import Reader
from worker.copies import gather, packed


def command(files: FileStore) -> click.Command:
    """The command; ``files`` is where the pictures are."""

    @click.command("export")
    @click.argument("number")
    @click.option("--reason", required=True, help="Why; it is kept encrypted beside the audit event.")
    @click.option("--to", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new ZIP.")
    @click.option("--locale", type=click.Choice(LOCALES), default=CHINESE, show_default=True)
    def export(number: str, reason: str, target: Path, locale: str) -> None:
        """Write everything that is kept of the child with the patient NUMBER into a new ZIP, readable by you alone."""
        by = f"command:{getpass.getuser()}"
        try:
            with transaction() as session:
                made = copies.for_hospital(session, number, reason, locale, now(), by=by)
                contents = gather(session, made.patient_id, Reader(None), now())
            data = packed(contents, files, locale)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
        except Refused as refusal:
            raise click.ClickException(refusal.message) from None
        except OSError as error:
            raise click.ClickException(f"{target}: {error.strerror}") from None
        click.echo(f"{target}: {len(contents.resources)} resources, {contents.files} files")

    return export
