"""What a page costs in one process, without a network, against a POST that does nothing."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response

from app import create_app
from bench.rounds import Way, compare
from config.settings import Settings

CALLS = 400


def run(settings: Settings, _: Path) -> None:
    """Compare the departments' page and a department's page with a no-op."""
    app = create_app(settings)
    _no_op(app)
    client = app.test_client()
    nothing = Way("POST that does nothing", lambda _: client.post("/no-op", data="x"))
    ways = (
        Way("page: all departments", lambda _: client.get("/internet-diagnosis")),
        Way("page: one department, eight days", lambda _: client.get("/internet-diagnosis/internal-medicine")),
    )
    for way in ways:
        compare(way.name, way, nothing, clients=1, calls=CALLS, rounds=3)


def _no_op(app: Flask) -> None:
    def view() -> Response:
        return Response("", 200)

    app.add_url_rule("/no-op", "no-op", view, methods=["POST"])
    app.extensions["csrf"].exempt(f"{view.__module__}.{view.__name__}")
