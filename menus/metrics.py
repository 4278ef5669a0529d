"""``/metrics`` for Prometheus: what processes count, and where messages, jobs and quotas stand. No personal data.

It asks for METRICS_TOKEN: behind a proxy on the same machine everybody comes from loopback, so addresses say nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

from flask import Flask, Response, abort, g, request
from flask.signals import request_started
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from config import jobs
from config.clock import real_now
from config.database import transaction
from config.metrics import REQUESTS
from config.settings import Settings
from notifications.models import NotificationStatus
from notifications.queries import by_status
from wechat.limits import Limits
from wechat.signin import public

DAY = timedelta(days=1)
METHODS = {"GET", "HEAD", "POST"}


class Standing(Collector):
    """What is looked up when asked for."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def collect(self) -> Iterator[Metric]:
        """The gauges; without the database those that need none."""
        closed = GaugeMetricFamily(
            "clinic_wechat_closed_until",
            "When an API that is over its quota opens again.",
            labels=["path", "code"],
        )
        for closing in self.limits.closed():
            closed.add_metric([closing.path, str(closing.code)], closing.until)
        yield closed
        up = GaugeMetricFamily("clinic_database_up", "Whether the database answers.")
        try:
            found = list(_rows())
        except SQLAlchemyError:
            found = []
        up.add_metric([], float(bool(found)))
        yield up
        yield from found


def _rows() -> Iterator[Metric]:
    with transaction() as session:
        messages, waiting = by_status(session, real_now() - DAY), jobs.queued(session)
    notifications = GaugeMetricFamily("clinic_notifications", "Messages of the last 24 hours.", labels=["status"])
    for standing in NotificationStatus:
        notifications.add_metric([standing.value], messages.get(standing.value, 0))
    yield notifications
    queue = GaugeMetricFamily("clinic_jobs", "Jobs that are queued, running or failed.", labels=["task", "status"])
    for (task, status), count in waiting.items():
        queue.add_metric([task, status], count)
    yield queue


def join(app: Flask, settings: Settings, limits: Limits) -> None:
    """Register ``/metrics``, and time every request."""
    request_started.connect(_start, app)
    app.after_request(_count)
    standing = CollectorRegistry()
    standing.register(Standing(limits))
    expected = f"Bearer {settings.metrics_token.get_secret_value()}".encode()

    @app.get("/metrics")
    @public
    def metrics() -> Response:
        """404 without a token in the settings, 401 without it in the request."""
        if not settings.metrics_token.get_secret_value():
            abort(404)
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            return Response("", 401, {"WWW-Authenticate": "Bearer"})
        counted = generate_latest(_counted(settings)) + generate_latest(standing)
        return Response(counted, content_type=CONTENT_TYPE_LATEST)


def _counted(settings: Settings) -> CollectorRegistry:
    """What this process has counted, or all of this machine."""
    if settings.prometheus_multiproc_dir is None:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together, str(settings.prometheus_multiproc_dir))  # type: ignore[no-untyped-call]
    return together


def _start(*_: object, **__: object) -> None:
    g.started = monotonic()


def _count(response: Response) -> Response:
    """Time the request under its route's name, never its path: paths hold ids."""
    route = request.endpoint or "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, route, response.status_code).observe(monotonic() - g.started)
    return response
