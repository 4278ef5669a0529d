"""The front door: reads the settings once, sets up the process and joins the rooms. Nobody imports it."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

import commands
import desk
import integrations.sms
import menus
import wechat.service
from config import clock, database, encryption, logging, redis
from config.settings import Settings
from people.index import TablePatientIndex


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Settings come from the environment unless given; a wrong one raises ValidationError."""
    settings = settings or Settings()
    logging.configure(settings.log_level)
    clock.shift(settings.clinic_clock)
    encryption.use(encryption.KeyRing.from_settings(settings))
    engine = database.connect(settings.sqlalchemy_url)
    store = redis.connect(settings.redis_url)
    index = TablePatientIndex()

    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="clinic",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.production,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
    )
    CSRFProtect(app)
    service = wechat.service.join(app, settings, store, index)
    menus.join(app, settings, index, service.jssdk, service.tickets)
    menus.metrics.join(app, settings, service.client.limits)
    desk.join(app, service.scenes)
    commands.join(app, settings, engine, service, index, integrations.sms.connect(settings))
    return app
