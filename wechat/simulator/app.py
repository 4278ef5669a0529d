"""Joins the simulator's faces: WeChat's API, its web pages, the phones' browsers, the control API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import requests
from flask import Flask, Response, g, render_template, request

from . import api, control, oauth_pages, pages
from .config import Config
from .pay import api as pay_api
from .pay import notify, refunds
from .phone_browser import PhoneBrowser, phone_of_host
from .world import World

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
UPLOAD = 12 * 1024 * 1024


def phones_app(world: World, browser: PhoneBrowser) -> Flask:
    """What stands on a phone's loopback host: WeChat's own pages and, for the rest, the account's backend."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(oauth_pages.phone_pages(world))

    @app.before_request
    def find_phone() -> None:
        g.phone = phone_of_host(world, request.host)

    @app.route("/", defaults={"path": ""}, methods=METHODS, provide_automatic_options=False)
    @app.route("/<path:path>", methods=METHODS, provide_automatic_options=False)
    def show(path: str) -> Response:
        del path
        return browser.forward(g.phone)

    @app.errorhandler(requests.RequestException)
    def unreachable(error: requests.RequestException) -> tuple[str, int]:
        world.publish("page", phone=g.phone.id, url="", title="", status=502, method="GET")
        return render_template("unreachable.html", error=type(error).__name__, backend=world.config.backend), 502

    app.url_map.merge_slashes = False
    return app


def create_app(config: Config, **options: Any) -> Flask:
    """The whole simulator as one WSGI application; `options` go to World (a clock, for tests)."""
    world = World(config, **options)
    browser = PhoneBrowser(world)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = UPLOAD
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    app.extensions["simulator"] = world
    app.jinja_env.globals["boot"] = pages.boot
    app.register_blueprint(api.blueprint(world))
    app.register_blueprint(control.blueprint(world, browser))
    app.register_blueprint(pages.blueprint(world))
    app.register_blueprint(pay_api.blueprint(world))
    notify.resume(world)
    refunds.resume(world)
    main, phones = app.wsgi_app, phones_app(world, browser)

    def by_host(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        on_phone = phone_of_host(world, environ.get("HTTP_HOST", ""))
        return phones.wsgi_app(environ, start_response) if on_phone else main(environ, start_response)

    app.wsgi_app = by_host  # type: ignore[method-assign]
    return app
