"""The parents' pages, laid out as the account's menu: Medical Services > Internet Diagnosis > department."""

from __future__ import annotations

from flask import Flask

from config import templates
from config.settings import Settings
from menus import (
    assets,
    binding,
    children,
    consents,
    departments,
    devices,
    errors,
    guide,
    health,
    message_settings,
    metrics,
    pages,
    security,
    visits,
)
from people.index import PatientIndex
from wechat.jssdk import JsSdk
from wechat.tickets import Tickets


def join(app: Flask, settings: Settings, index: PatientIndex, jssdk: JsSdk, tickets: Tickets) -> None:
    """Register the pages, their files and error pages, and the headers of every answer."""
    templates.install(app.jinja_env, pages.locale)
    app.jinja_env.globals["texts"] = settings.sms_provider != "off"  # whether text messages are sent at all
    security.join(app, settings)
    errors.join(app)
    assets.join(app, settings)
    health.join(app, settings)
    app.register_blueprint(pages.bp)
    app.register_blueprint(binding.blueprint(settings, index, jssdk, tickets))


__all__ = ["children", "consents", "departments", "devices", "guide", "join", "message_settings", "metrics", "visits"]
