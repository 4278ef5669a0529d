"""The front door: reads the settings once, sets up the process and joins the rooms. Nobody imports it."""

from __future__ import annotations

from config import start  # isort: skip - before everything else

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import commands
import desk
import integrations.authority
import integrations.couriers
import integrations.files
import integrations.livekit
import integrations.pool
import integrations.sms
import live
import menus
import wechat.service
from config import clock, database, encryption, logging, nudges, redis
from config.settings import Settings
from consultation.line.realname import SignInAndPin
from consultation.talk.video import PeerToPeer
from consultation.triage.admission import FileAdmission
from people.index import TablePatientIndex
from prescriptions.signing.authority import trust
from prescriptions.signing.keys import KeptKeys


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Settings come from the environment unless given; a wrong one raises ValidationError."""
    settings = settings or Settings()
    logging.configure(settings.log_level)
    clock.shift(settings.clinic_clock)
    encryption.use(encryption.KeyRing.from_settings(settings))
    engine = database.connect(settings.sqlalchemy_url)
    store = redis.connect(settings.redis_url)
    nudges.use(redis.publisher(store))
    index = TablePatientIndex()
    authority = integrations.authority.connect(settings)
    trust(authority.roots if authority else ())
    signer = KeptKeys(authority)

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
    menus.lane.join(app, settings)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
    CSRFProtect(app)
    hosted = integrations.livekit.connect(settings)
    video = hosted or PeerToPeer(settings.turn_url, settings.turn_secret.get_secret_value())
    live.join(app, settings, store)
    files = integrations.files.connect(settings)
    service = wechat.service.join(app, settings, store, index)
    menus.metrics.join(app, settings, service.client.limits)
    courier = integrations.couriers.connect(settings)
    rooms = (files, service.gateway, FileAdmission(), video, signer, courier)
    menus.join(app, settings, store, index, service.jssdk, service.tickets, *rooms)
    desk.join(
        app,
        service.scenes,
        store,
        files,
        SignInAndPin(),
        video,
        signer,
        verified_only=settings.production,
        courier=courier,
    )
    pool = integrations.pool.connect(settings)
    sms = integrations.sms.connect(settings)
    commands.join(app, settings, engine, service, index, sms, files, pool, hosted, authority, courier)
    start.done()
    return app
