"""WeChat's own pages inside a phone's browser: authorisation, consent and error pages, the JS-SDK script."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from . import once
from .addresses import OPEN, WECHAT, to_phone
from .agents import agent
from .jssdk import APIS
from .oauth import Consent, Redirect, Refusal, authorize, in_order
from .scene_pages import SHOW, show_qrcode
from .state import Phone
from .world import World

AUTHORIZE = "/connect/oauth2/authorize"


def _asked(world: World, phone: Phone, query: dict[str, str]) -> Redirect | Consent | Refusal:
    """Authorise and write it to the log."""
    outcome = authorize(world, phone, query, confirmed=query.pop("confirmed", "") == "1")
    verdict = {Redirect: "code given", Consent: "asks the person"}.get(type(outcome), "")
    if isinstance(outcome, Refusal):
        verdict = f"{outcome.code} {outcome.text}"
    elif not in_order(list(query)):
        verdict += " (parameters are not in the order WeChat documents)"
    path = f"{AUTHORIZE} {query.get('scope', '')} {query.get('redirect_uri', '')}"
    world.record("page", method="GET", path=path, status=200, verdict=verdict, phone=phone.id)
    return outcome


def step(world: World, phone: Phone, url: str) -> str | dict[str, Any] | None:
    """Open `url` without a screen: the next address, the page shown, or None when it is not WeChat's."""
    parts = urlsplit(url)
    if not url.startswith((world.config.origin, OPEN)) or parts.path != AUTHORIZE:
        return once.step(world, phone, url)
    outcome = _asked(world, phone, dict(parse_qsl(parts.query, keep_blank_values=True)))
    if isinstance(outcome, Redirect):
        return outcome.url
    if isinstance(outcome, Consent):
        return {
            "status": 200,
            "title": "consent",
            "html": "",
            "allow": f"{world.config.origin}{AUTHORIZE}{outcome.allow}",
        }
    return {"status": 200, "title": f"{outcome.code} {outcome.text}", "html": ""}


def phone_pages(world: World) -> Blueprint:
    """The pages below `/.wechat` on a phone's host."""
    bp = Blueprint("oauth", __name__, url_prefix=WECHAT)

    @bp.get(AUTHORIZE)
    def show() -> BaseResponse | str:
        phone: Phone = g.phone
        outcome = _asked(world, phone, request.args.to_dict())
        world.publish("page", phone=phone.id, url="", title="", status=200, method="GET")
        if isinstance(outcome, Redirect):
            return redirect(to_phone(world.config, phone.id, outcome.url))
        return render_template(
            "oauth.html", outcome=outcome, consent=isinstance(outcome, Consent), world=world, phone=phone
        )

    @bp.get(once.PAGE)
    def subscribe() -> BaseResponse | str:
        phone: Phone = g.phone
        asked = once.visit(world, phone, request.args.to_dict())
        if isinstance(asked, once.Answered):
            return redirect(to_phone(world.config, phone.id, asked.url))
        world.publish("page", phone=phone.id, url="", title="", status=200, method="GET")
        return render_template("once.html", asked=asked, again=request.full_path, world=world)

    @bp.get("/open/js/<path:name>")
    def script(name: str) -> Response:
        del name
        return sdk(world)

    bp.add_url_rule(SHOW, "showqrcode", lambda: show_qrcode(world))
    return bp


def sdk(world: World) -> Response:
    """The stand-in for jweixin: it finds its phone by the page's host and talks to the phone around the page."""
    agents = {phone.id: agent(world, phone) for phone in world.state.phones.values()}
    body = current_app.jinja_env.get_template("jweixin.js").render(agents=agents, apis=APIS)
    headers = {
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
    }
    return Response(body, content_type="text/javascript; charset=utf-8", headers=headers)
