"""The staff's pages: the doctor's own list, read-only."""

from __future__ import annotations

from flask import Flask

from config import templates
from desk import assets, pages, schedule
from wechat.signin import visitor_locale


def join(app: Flask) -> None:
    """Register the pages and their style sheet."""
    templates.install(app.jinja_env, visitor_locale)
    assets.join(app)
    app.register_blueprint(pages.bp)


__all__ = ["join", "schedule"]
