"""``flask staff``: the clinic's staff, their WeChat accounts and roles; and the table of who may open what."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
import segno
from flask import Flask, current_app
from flask.cli import with_appcontext

from config.clock import local, now
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from consultation.line.realname import forget_pin
from people import invitations
from people.models import Role
from people.scenes import SceneCodes
from people.staff import AccountTaken, add, bind, by_code, grant, unbind

WHO = ("anyone", "parent", *(role.value for role in Role))


def group(scenes: SceneCodes) -> click.Group:
    """The commands; ``scenes`` makes invitations' codes."""
    staff = click.Group("staff", help="The clinic's staff.")
    staff.add_command(bind_)
    staff.add_command(unbind_)
    staff.add_command(access)
    staff.add_command(clear_pin)

    @staff.command("invite")
    @click.argument("code")
    def invite(code: str) -> None:
        """Print a QR code that binds whoever scans it first with WeChat to the member of staff CODE."""
        with _plainly(code):
            url, until = _invite(scenes, code)
        _print(code, url, until)

    @staff.command("admin")
    @click.argument("code")
    @click.argument("openid", required=False)
    @click.option("--name", help="Their name, when no member of staff has this code yet.")
    def admin(code: str, openid: str | None, name: str | None) -> None:
        """Make the member of staff CODE an administrator: the first one, say.

        With OPENID that WeChat user is bound to them; without it an invitation is printed.
        """
        with _plainly(code):
            _make_admin(code, openid, name)
            url, until = ("", None) if openid else _invite(scenes, code)
        click.echo(f"{code} is an administrator")
        if until:
            _print(code, url, until)

    return staff


@click.command("clear-pin")
@click.argument("code")
@with_appcontext
def clear_pin(code: str) -> None:
    """Let the doctor CODE choose a new PIN for the check before each session."""
    with _plainly(code), transaction() as session:
        had = forget_pin(session, by_code(session, code), now(), "command:staff")
    click.echo(f"{code} chooses a new PIN at the next session" if had else f"{code} has no PIN")


@contextmanager
def _plainly(code: str) -> Iterator[None]:
    """What is refused, in a line for the command line."""
    try:
        yield
    except NotFound:
        raise click.ClickException(f"no member of staff {code!r}") from None
    except AccountTaken as taken:
        raise click.ClickException(f"that WeChat user is {taken.args[0]}") from None
    except Refused as refusal:
        raise click.ClickException(refusal.message) from None


def _make_admin(code: str, openid: str | None, name: str | None) -> None:
    with transaction() as session:
        try:
            who = by_code(session, code)
        except NotFound:
            if not name:
                raise
            both = {"zh_CN": name, "en": name}
            who = add(session, code=code, name=both, department_id=None, title=None, licence=None, by=None, now=now())
        grant(session, who, Role.ADMINISTRATOR, by=None, now=now())
        if openid:
            bind(session, code, openid, now())


def _print(code: str, url: str, until: datetime) -> None:
    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(drawn, compact=True)
    click.echo(f"{drawn.getvalue()}\n{url}\nfor {code} only, once, until {local(until):%Y-%m-%d %H:%M}")


def _invite(scenes: SceneCodes, code: str) -> tuple[str, datetime]:
    with transaction() as session:
        by_code(session, code)
        policy = current(session, now())
    scene = invitations.new_scene()
    url = scenes.create(scene, invitations.seconds(policy))
    with transaction() as session:
        made = invitations.create(session, code, scene, url, by=None, now=now(), policy=policy)
    return url, made.expires_at


@click.command("bind")
@click.argument("code")
@click.argument("openid")
def bind_(code: str, openid: str) -> None:
    """Bind the member of staff CODE to the WeChat user OPENID, who then gets their messages and sees their pages."""
    with _plainly(code), transaction() as session:
        bind(session, code, openid, now())
    click.echo(f"{code} is bound")


@click.command("unbind")
@click.argument("code")
def unbind_(code: str) -> None:
    """Take the WeChat user of the member of staff CODE away: no more messages, no more pages."""
    with _plainly(code), transaction() as session:
        unbind(session, by_code(session, code), by=None, now=now())
    click.echo(f"{code} is not bound")


@click.command("access")
@with_appcontext
def access() -> None:
    """Print which page who may open: the table in docs/access.md."""
    click.echo("\n".join(table(current_app)))


def table(app: Flask) -> Iterator[str]:
    """The table of routes by who may open them, in Markdown."""
    yield f"| | {' | '.join(WHO)} |"
    yield f"|---|{'---|' * len(WHO)}"
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        methods = " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        may = allowed(app, rule.endpoint)
        yield f"| {methods} `{rule.rule}` | {' | '.join('✓' if who in may else '' for who in WHO)} |"


def allowed(app: Flask, endpoint: str) -> frozenset[str]:
    """Who may open the pages of a view, by the guard that it carries. Staff are parents too, on their phones."""
    view = app.view_functions[endpoint]
    guard = getattr(view, "guard", None)
    if guard == "staff":
        return frozenset(role.value for role in getattr(view, "roles", ()))
    return frozenset({"public": WHO, "signed-in": WHO[1:]}.get(str(guard), ()))
