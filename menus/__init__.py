"""The parents' pages, laid out as the account's menu: Medical Services > Internet Diagnosis > department."""

from __future__ import annotations

from flask import Flask

from config import templates
from config.settings import Settings
from menus import assets, binding, children, consents, departments, errors, guide, health, pages, security, visits
from people.index import PatientIndex
from wechat.jssdk import JsSdk
from wechat.tickets import Tickets


def join(app: Flask, settings: Settings, index: PatientIndex, jssdk: JsSdk, tickets: Tickets) -> None:
    """Register the pages, their files and error pages, and the headers of every answer."""
    templates.install(app.jinja_env, pages.locale)
    security.join(app, settings)
    errors.join(app)
    assets.join(app, settings)
    health.join(app, settings)
    app.register_blueprint(pages.bp)
    app.register_blueprint(binding.blueprint(settings, index, jssdk, tickets))


__all__ = ["children", "consents", "departments", "guide", "join", "visits"]
