"""Headers that every answer of the service carries, and the name of a request in the logs."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request

from config.settings import Settings

YEAR = 365 * 24 * 3600


def join(app: Flask, settings: Settings) -> None:
    """Name each request and add the headers to each answer."""
    jssdk = urlsplit(settings.wechat_jssdk_url)
    policy = (
        "default-src 'self'; img-src 'self' data:; script-src 'nonce-{nonce}' "
        f"{jssdk.scheme}://{jssdk.netloc}; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )

    @app.before_request
    def begin() -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy.format(nonce=nonce()))
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["X-Request-ID"] = request_id()
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        if settings.production:
            headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        return response

    app.add_template_global(nonce, "nonce")


def request_id() -> str:
    """This request's name: in the log, in the answer's header and on the page that tells of a fault."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)


def nonce() -> str:
    """The value that this answer's own scripts carry."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def from_our_page() -> bool:
    """Whether the browser says that this request was sent by a page of this site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin", "") == request.host_url.rstrip("/")
