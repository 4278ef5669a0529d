"""The page with the phones, one phone alone, and the pictures and scripts they need."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as BaseResponse

from . import live, media, oauth_pages, pictures
from .addresses import WECHAT, to_phone
from .phone_browser import phone_of_host
from .scene_pages import SHOW, show_qrcode
from .world import World

COLOURS = ("#5b8def", "#e2725b", "#43a58a", "#b57edc", "#d99a2b", "#5a9fb8", "#c96b8f", "#7a8f3c")


def blueprint(world: World) -> Blueprint:
    """Everything a person's own browser loads from the simulator."""
    bp = Blueprint("pages", __name__)
    for path, view in _views(world).items():
        bp.add_url_rule(path, path.replace(".", "_"), view)
    return bp


def _views(world: World) -> dict[str, Callable[..., str | BaseResponse]]:
    return {
        "/": lambda: render_template("index.html", world=world, only=None),
        "/phones/<name>": lambda name: _alone(world, name),
        "/phones/<name>/open": lambda name: _open(world, name),
        "/simulator/live": lambda: _live(world),
        "/open/js/<path:name>": lambda name: oauth_pages.sdk(world),  # noqa: ARG005  every version is this one
        oauth_pages.AUTHORIZE: lambda: _authorize(world),
        "/mmbiz_pic/<name>/0": lambda name: _file(world, name),
        "/mmhead/<name>.svg": lambda name: _head(world, name),
        "/qr/<stem>": lambda stem: _qr(world, stem),
        SHOW: lambda: show_qrcode(world),
        "/healthz": lambda: Response("ok\n", content_type="text/plain"),
    }


def _alone(world: World, name: str) -> str:
    if name not in world.state.phones:
        abort(404)
    return render_template("index.html", world=world, only=name)


def _open(world: World, name: str) -> BaseResponse:
    """Send a web view's frame to where this phone shows the address."""
    if name not in world.state.phones:
        abort(404)
    return redirect(to_phone(world.config, name, request.args.get("url", "")))


def _live(world: World) -> Response:
    after = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(live.stream(world, after), content_type="text/event-stream", headers=headers)


def _authorize(world: World) -> BaseResponse | str:
    """The authorize address outside a phone's host: a link on a phone's page leads back into that phone."""
    referer = request.headers.get("Referer", "").removeprefix("http://").partition("/")[0]
    if phone := phone_of_host(world, referer):
        return redirect(f"{world.config.phone_origin(phone.id)}{WECHAT}{request.full_path}")
    return render_template("oauth.html", outcome=None, consent=False, world=world, phone=None)


def _file(world: World, name: str) -> Response:
    found = media.load(world, name)
    if found is None:
        abort(404)
    return Response(found[0], content_type=found[1], headers={"Cache-Control": "private, max-age=86400"})


def _head(world: World, name: str) -> Response:
    """A drawn avatar: the account's mark, or the first character of a person's name on a colour of their own."""
    phone = world.state.phones.get(name)
    if phone is None and name != "account":
        abort(404)
    text = colour = ""
    if phone:
        colour = COLOURS[list(world.state.phones).index(name) % len(COLOURS)]
        text = f"医{phone.id[-2:]}" if phone.role == "doctor" else phone.name[:1]
    svg = render_template("head.svg", account=phone is None, colour=colour, text=text)
    return Response(svg, content_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


def _qr(world: World, stem: str) -> BaseResponse:
    path = pictures.demo_picture(world.config.qr_dir, stem)
    if path is None:
        abort(404)
    return send_file(path.resolve(), max_age=0)


def boot(world: World, only: str | None) -> str:
    """What the page's script needs before it asks for anything."""
    return json.dumps({"only": only, "language": world.state.settings.language})
