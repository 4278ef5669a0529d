"""The staff's pages: signing in, the doctor's own list, tasks, and who works here with which roles."""

from __future__ import annotations

from flask import Flask

from config import templates
from desk import assets, devices, members, pages, schedule, signin, tasks
from people.scenes import SceneCodes
from wechat.signin import visitor_locale


def join(app: Flask, scenes: SceneCodes) -> None:
    """Register the pages, their style sheet and script; ``scenes`` makes the codes that phones scan."""
    templates.install(app.jinja_env, visitor_locale)
    assets.join(app)
    app.register_blueprint(pages.bp)
    app.register_blueprint(signin.blueprint(scenes))
    app.register_blueprint(members.blueprint(scenes))


__all__ = ["devices", "join", "schedule", "tasks"]
