"""Whether this process is alive, and whether it can serve: for load balancers and the supervisor."""

from __future__ import annotations

import structlog
from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from config import database, redis
from config.settings import Settings
from wechat.signin import public

log = structlog.get_logger()


def join(app: Flask, settings: Settings) -> None:
    """Register ``/healthz`` and ``/readyz``."""
    store = redis.connect(settings.redis_url)

    @app.get("/healthz")
    @public
    def healthz() -> ResponseReturnValue:
        return jsonify(status="alive")

    @app.get("/readyz")
    @public
    def readyz() -> ResponseReturnValue:
        """503 without the database; without Redis the service is degraded, and booking still works."""
        base, cache = _database(), redis.attempt(store.ping, False)
        status = "ready" if base and cache else "degraded" if base else "unavailable"
        checks = {"database": "up" if base else "down", "redis": "up" if cache else "down"}
        return jsonify(status=status, **checks), 200 if base else 503


def _database() -> bool:
    try:
        database.alive()
    except SQLAlchemyError as error:
        log.error("database-unavailable", error=type(error).__name__)
        return False
    return True
