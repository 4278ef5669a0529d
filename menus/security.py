"""Headers that every answer of the service carries, and the name of a request in the logs."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g

from config.settings import Settings

REQUEST_ID = "X-Request-ID"
HSTS = f"max-age={365 * 24 * 3600}; includeSubDomains"


# WeChat's open tags draw themselves in frames of their own, and bring the style of their content with them.
OPEN_TAGS = "; frame-src https://*.qq.com:* weixin://*; style-src 'self' 'nonce-{nonce}'"


def constant(settings: Settings) -> list[tuple[str, str]]:
    """The headers of an answer in which there is no page."""
    headers = [
        ("Content-Security-Policy", _policy(settings).format(scripts="'self'")),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]
    return [*headers, ("Strict-Transport-Security", HSTS)] if settings.production else headers


def _policy(settings: Settings) -> str:
    livekit = settings.livekit_url
    others = [*filter(None, [settings.live_origin, livekit, livekit and f"http{livekit.removeprefix('ws')}"])]
    return (
        "default-src 'self'; img-src 'self' data:; script-src {scripts}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'" + (f"; connect-src 'self' {' '.join(others)}" if others else "")
    )


def join(app: Flask, settings: Settings) -> None:
    """Name each request and add the headers to each answer."""
    jssdk = urlsplit(settings.wechat_jssdk_url)
    policy = _policy(settings)
    jssdk_origin = f"{jssdk.scheme}://{jssdk.netloc}"

    def scripts() -> str:
        """A page shared by visitors (menus/kept.py) has no nonce of its own: its scripts are our files, none inline."""
        return "'self'" if g.get("shared") else f"'nonce-{nonce()}' {jssdk_origin}"

    @app.before_request
    def begin() -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        wanted = policy + OPEN_TAGS if g.get("open_tags") else policy
        headers.setdefault("Content-Security-Policy", wanted.format(scripts=scripts(), nonce=nonce()))
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers[REQUEST_ID] = request_id()
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        if settings.production:
            headers["Strict-Transport-Security"] = HSTS
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
