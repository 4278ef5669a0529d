"""``flask staff``: the clinic's practitioners and their WeChat accounts."""

from __future__ import annotations

import click

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from people.staff import AccountTaken, bind

group = click.Group("staff", help="The clinic's practitioners.")


@group.command("bind")
@click.argument("code")
@click.argument("openid")
def bind_(code: str, openid: str) -> None:
    """Bind the practitioner CODE to the WeChat user OPENID, who then gets their messages and sees their list."""
    try:
        with transaction() as session:
            bind(session, code, openid, now())
    except NotFound:
        raise click.ClickException(f"no practitioner {code!r}") from None
    except AccountTaken as taken:
        raise click.ClickException(f"that WeChat user is practitioner {taken.args[0]}") from None
    click.echo(f"{code} is bound")
