"""``flask messages``: what the account needs so that every message can be sent."""

from __future__ import annotations

import json

import click

from config.settings import Settings
from notifications.catalogue import messages
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable
from wechat.template_check import Finding, account_notices, account_templates, compare


def group(settings: Settings, client: WeChatClient) -> click.Group:
    """The commands over one account."""
    catalogue = click.Group("messages", help="The messages that the clinic sends (docs/messages.md).")

    @catalogue.command("check")
    def check() -> None:
        """Compare the catalogue with the account's own templates; exits 1 when something is to be done."""
        try:
            templates = account_templates(client)
            notices = account_notices(client) if settings.notices else []
        except WeChatError as error:
            raise click.ClickException(f"WeChat refused: {error.code} {error.message} (rid {error.rid})") from error
        except WeChatUnavailable as error:
            raise click.ClickException(f"WeChat does not answer: {error}") from error
        findings = compare(messages().values(), [*templates, *notices], settings.wechat_templates, settings.notices)
        for finding in findings:
            click.echo(_line(finding, settings.notices.get(finding.message.name)))
        own = {template.id for template in templates}
        chosen = {f.message.name: f.template.id for f in findings if f.template and f.template.id in own}
        if chosen != dict(settings.wechat_templates):
            click.echo(f"\nWECHAT_TEMPLATES={json.dumps(chosen)}")
        if any(finding.problems for finding in findings):
            raise click.exceptions.Exit(1)

    return catalogue


def _line(finding: Finding, notice: str | None) -> str:
    where = finding.template.id if finding.template else "-"
    if notice:
        where = f"{notice} (subscription notice)"
    return "\n".join([f"{finding.message.name}: {where}", *(f"    {problem}" for problem in finding.problems)])
