"""The clinic's commands: ``flask release``, ``flask worker``, ``flask index import`` and the rest."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine

from commands import demo, index, menu, policy, release, roster, staff, worker
from config.settings import Settings
from wechat.service import WeChatService


def join(app: Flask, settings: Settings, engine: Engine, service: WeChatService) -> None:
    """Register every command with the application."""
    for command in (
        release.command(engine),
        worker.command(settings, service.channel),
        index.group,
        menu.group(service.menu),
        roster.group,
        policy.group,
        staff.group,
        demo.group(settings),
    ):
        app.cli.add_command(command)
