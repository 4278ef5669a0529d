"""A department's pages, kept for a second, against a page of the same size that never changes."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from wsgiref.util import setup_testing_defaults

from flask import Flask, Response

from app import create_app
from bench.rounds import Way, compare
from config import clock
from config.settings import Settings
from wechat.signin import public

CALLS = 3000
TARGET = 0.9
DEPARTMENT = "/internet-diagnosis/internal-medicine"


def run(settings: Settings) -> None:
    """Compare the kept pages with a constant one, called as a WSGI server calls them: no client, no network.

    The database holds the department with its schedules.
    """
    app = create_app(settings)
    _constant(app)
    day = clock.today(clock.now()) + timedelta(days=2)
    for path in (DEPARTMENT, f"{DEPARTMENT}/{day}/morning"):
        size, etag = call(app, path)
        kept = Way(f"{path[20:]}: {size / 1000:.0f} kB", partial(_ask, app, path, ""))
        constant = Way("a constant page of that size", partial(_ask, app, f"/constant/{size}", ""))
        compare(f"A page kept for a second (wanted: {TARGET})", kept, constant, clients=1, calls=CALLS)
        unchanged = Way("304, unchanged", partial(_ask, app, path, etag))
        compare("The same, asked with its ETag", unchanged, constant, clients=1, calls=CALLS)


def _constant(app: Flask) -> None:
    pages: dict[int, bytes] = {}

    @public
    def constant(size: int) -> Response:
        return Response(pages.setdefault(size, b"x" * size), content_type="text/html; charset=utf-8")

    app.add_url_rule("/constant/<int:size>", "constant", constant)


def _ask(app: Flask, path: str, etag: str, _number: int) -> None:
    call(app, path, etag)


def call(app: Flask, path: str, etag: str = "") -> tuple[int, str]:
    """Ask for a page. Returns its size and ETag; raises RuntimeError for anything but 200 and 304."""
    environ: dict[str, object] = {"PATH_INFO": path, "HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9"}
    setup_testing_defaults(environ)
    if etag:
        environ["HTTP_IF_NONE_MATCH"] = etag
    seen: list[tuple[str, dict[str, str]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        seen.append((status, dict(headers)))

    body = b"".join(app.wsgi_app(environ, start))  # type: ignore[arg-type]
    status, headers = seen[0]
    if status[:3] not in {"200", "304"}:
        raise RuntimeError(status)
    return len(body), headers.get("ETag", "")
