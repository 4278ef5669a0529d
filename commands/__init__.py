"""The clinic's commands: ``flask release``, ``flask worker``, ``flask index import`` and the rest."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine

from commands import demo, index, limits, menu, messages, policy, release, roster, staff, worker
from config.settings import Settings
from notifications.sms import Sms
from people.index import PatientIndex
from wechat.service import WeChatService
from worker.sender import Ways


def join(
    app: Flask, settings: Settings, engine: Engine, service: WeChatService, patients: PatientIndex, sms: Sms | None
) -> None:
    """Register every command with the application."""
    for command in (
        release.command(settings, engine),
        worker.command(settings, Ways(service.channel, sms), patients, service.tags),
        index.group,
        menu.group(service.menu),
        messages.group(settings, service.client),
        limits.group(service.client.limits),
        roster.group,
        policy.group,
        staff.group(service.scenes),
        demo.group(settings),
    ):
        app.cli.add_command(command)
