"""``flask policy``: the hospital's rules, changed without a release."""

from __future__ import annotations

import getpass
from datetime import datetime

import click
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import SHANGHAI, local, now
from config.database import transaction
from config.errors import NotFound
from config.policy import Policy, PolicyChange, change, current
from people.queries import department as department_of

group = click.Group("policy", help="The hospital's rules (docs/settings.md lists the deployment's settings).")


@group.command("show")
@click.option("--department", help="A department's code: its own values count.")
def show(department: str | None) -> None:
    """Show every rule with the value in force, its default, and changes to come."""
    with transaction() as session:
        _known(session, department)
        values = current(session, now(), department).model_dump(mode="json")
        coming = session.scalars(
            select(PolicyChange).where(PolicyChange.valid_from > now()).order_by(PolicyChange.valid_from)
        ).all()
    defaults = Policy().model_dump(mode="json")
    for key, field in Policy.model_fields.items():
        default = "" if values[key] == defaults[key] else f" (default {defaults[key]})"
        click.echo(f"{key} = {values[key]}{default}\n    {field.description}")
    for later in coming:
        whose = f" in {later.department}" if later.department else ""
        click.echo(f"from {local(later.valid_from):%Y-%m-%d %H:%M}: {later.key} = {later.value}{whose}")


@group.command("set")
@click.argument("key")
@click.argument("value")
@click.option("--department", help="Only in this department (its code).")
@click.option(
    "--from",
    "valid_from",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    help="From when on, Beijing time; now unless given.",
)
def set_(key: str, value: str, department: str | None, valid_from: datetime | None) -> None:
    """Set the rule KEY to VALUE."""
    since = valid_from.replace(tzinfo=SHANGHAI) if valid_from else now()
    author = f"command:{getpass.getuser()}"
    try:
        with transaction() as session:
            _known(session, department)
            change(session, key, value, author=author, valid_from=since, department=department)
    except KeyError:
        raise click.ClickException(f"no rule {key!r}; there are: {', '.join(Policy.model_fields)}") from None
    except ValidationError as error:
        raise click.ClickException(f"{key}: {error.errors()[0]['msg']}") from None
    click.echo(f"{key} = {value} from {local(since):%Y-%m-%d %H:%M}")


def _known(session: Session, department: str | None) -> None:
    try:
        if department:
            department_of(session, department)
    except NotFound:
        raise click.ClickException(f"no department {department!r}") from None
