"""The front page's redirect, the help page and the choice of language."""

from __future__ import annotations

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.policy import current
from config.text import known
from menus.pages import bp, page
from menus.ways import HELP, HOME, way_on
from people.actions import choose_locale
from people.departments import emergency_signs
from wechat.signin import account_id, from_our_page, public, remember_locale


@bp.get("/")
@public
def front() -> ResponseReturnValue:
    return redirect(HOME.path)


@bp.get("/help")
@public
def help_page() -> ResponseReturnValue:
    with transaction() as session:
        policy = current(session, now())
    return page("help.html", tab=HELP, policy=policy, signs=emergency_signs())


@bp.post("/language")
@public
def language() -> ResponseReturnValue:
    """Pages that visitors share have no form token: there the browser's word that it is our own page stands for it."""
    if not from_our_page():
        current_app.extensions["csrf"].protect()
    chosen = known(request.form.get("locale"))
    remember_locale(chosen)
    if account := account_id():
        with transaction() as session:
            choose_locale(session, account, chosen)
    return redirect(way_on(request.form.get("next"), HOME.path), 303)
