"""Signing in on a computer by a code that the phone scans and confirms, and signing out."""

from __future__ import annotations

import secrets
from uuid import UUID

import segno
from flask import Blueprint, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from desk.limits import CodeLimit
from desk.pages import blueprint as desk_blueprint
from desk.pages import page
from people import computers
from people.access import Viewer, member_of
from people.computers import LIVES, Claim, ComputerCode
from people.models import Role
from people.scenes import SceneCodes
from people.sessions import SignInKind
from wechat.signin import NEXT, in_wechat, own_path, public, sign_in, sign_in_now, sign_out, staff, viewer

CODE = "computer"  # in the browser's cookie: which code is on its screen, and the value that proves it
BROWSER = "computer_browser"  # a value by which this browser's codes are counted
HOME = "/desk"


def blueprint(scenes: SceneCodes, limit: CodeLimit) -> Blueprint:
    """The pages; ``scenes`` makes the codes, ``limit`` counts them."""
    bp = desk_blueprint("desk_signin")

    @bp.get("/sign-in")
    @public
    def show() -> ResponseReturnValue:
        if in_wechat():
            return redirect(url_for("oauth.start", next=HOME))
        if (here := sign_in_now()) is not None and here.kind is SignInKind.COMPUTER:
            return redirect(HOME)
        return _code_page(_shown() or _new(scenes, limit))

    bp.add_url_rule("/sign-in/state", view_func=state, methods=["GET"])
    bp.add_url_rule("/sign-in", view_func=enter, methods=["POST"])
    bp.add_url_rule("/confirm/<uuid:code_id>", view_func=ask, methods=["GET"])
    bp.add_url_rule("/confirm/<uuid:code_id>", view_func=confirm, methods=["POST"])
    bp.add_url_rule("/sign-out", view_func=leave, methods=["POST"])
    return bp


@public
def state() -> ResponseReturnValue:
    """How far the code on this browser's screen has come: shown, scanned, confirmed, or over."""
    shown = _shown()
    return jsonify(status=shown.status.value if shown else "over")


@public
def enter() -> ResponseReturnValue:
    """The browser comes in, if its code has been confirmed."""
    try:
        with transaction() as database:
            account = computers.enter(database, _claim(), now())
            member_of(database, Viewer(account.id, ""))
            target = own_path(session.get(NEXT) or HOME)
            sign_in(database, account, SignInKind.COMPUTER)
    except NotFound:
        shown = _shown()
        return _code_page(shown, early=True) if shown else redirect(url_for("desk_signin.show"), 303)
    return redirect(target, 303)


@staff(*Role)
def ask(code_id: UUID) -> ResponseReturnValue:
    """On the phone: which computer asks, and since when."""
    with transaction() as database:
        code = computers.asked(database, viewer().account_id, code_id, now())
    return page("confirm.html", code=code)


@staff(*Role)
def confirm(code_id: UUID) -> ResponseReturnValue:
    """On the phone: yes, that is me in front of it; or no."""
    yes = request.form.get("answer") == "yes"
    here = sign_in_now()
    if here is None:
        raise NotFound
    with transaction() as database:
        computers.confirm(database, here, code_id, yes=yes, now=now())
    return page("confirmed.html", yes=yes)


@public
def leave() -> ResponseReturnValue:
    """Sign this browser out."""
    with transaction() as database:
        sign_out(database)
    return page("left.html")


def _claim() -> Claim | None:
    try:
        code_id, value = session[CODE]
        return Claim(UUID(code_id), str(value))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _shown() -> ComputerCode | None:
    with transaction() as database:
        return computers.of_browser(database, _claim(), now())


def _new(scenes: SceneCodes, limit: CodeLimit) -> ComputerCode:
    """A new code; WeChat is asked with no transaction open. Raises TooManyCodes, NoSceneCode."""
    browser = session.setdefault(BROWSER, secrets.token_urlsafe(12))
    limit.count(str(browser), request.remote_addr, now())
    with transaction() as database:
        computers.may_show(database, now())
    scene = computers.new_scene()
    url = scenes.create(scene, int(LIVES.total_seconds()))
    with transaction() as database:
        code, claim = computers.show(database, scene, url, request.user_agent.string, now())
    session[CODE] = [str(claim.code_id), claim.value]
    return code


def _code_page(code: ComputerCode, *, early: bool = False) -> ResponseReturnValue:
    picture = segno.make(code.url, error="m", micro=False).svg_data_uri(scale=6, border=4, dark="#000", light="#fff")
    return page("sign_in.html", 409 if early else 200, code=code, picture=picture, early=early)
