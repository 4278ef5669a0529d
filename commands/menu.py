"""``flask menu``: the account's menu in WeChat."""

from __future__ import annotations

import json
from typing import Any

import click

from wechat.client import WeChatError, WeChatUnavailable
from wechat.menu import MenuError, MenuPublisher


def group(publisher: MenuPublisher) -> click.Group:
    """The commands over one account."""
    menu = click.Group("menu", help="The account's menu in WeChat (config/data/menu.toml).")

    @menu.command("preview")
    def preview() -> None:
        """Show the menu as it would be sent, checked against WeChat's limits."""
        click.echo(json.dumps(_checked(publisher.preview), ensure_ascii=False, indent=2))

    @menu.command("publish")
    def publish() -> None:
        """Publish the menu when WeChat has another one."""
        click.echo(f"menu {_checked(publisher.publish)}")

    @menu.command("diff")
    def diff() -> None:
        """Show what publishing would change."""
        click.echo(_checked(publisher.diff) or "WeChat has the same menus")

    @menu.command("pull")
    def pull() -> None:
        """Print the menus that WeChat has as a file like config/data/menu.toml."""
        click.echo(_checked(publisher.pull), nl=False)

    @menu.command("delete")
    @click.confirmation_option(prompt="Take all menus away from everybody?")
    def delete() -> None:
        """Take all menus away, the staff's too."""
        _checked(publisher.delete)
        click.echo("the account has no menu")

    return menu


def _checked(ask: Any) -> Any:
    try:
        return ask()
    except MenuError as error:
        raise click.ClickException(f"config/data/menu.toml: {error}") from error
    except WeChatError as error:
        raise click.ClickException(f"WeChat refused: {error.code} {error.message} (rid {error.rid})") from error
    except WeChatUnavailable as error:
        raise click.ClickException(f"WeChat does not answer: {error}") from error
