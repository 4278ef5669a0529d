"""The hospital's window: the family shows the order's number and its code, and gets the medicines."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import Refused
from desk.dispensing import PICKERS
from desk.pages import bp, page, say
from prescriptions.dispensing import queries, window
from wechat.signin import member, staff

LONGEST = 40


@bp.get("/pickup")
@staff(*PICKERS)
def pickup() -> ResponseReturnValue:
    return _window(given=request.args.get("given", "")[:LONGEST])


@bp.post("/pickup")
@staff(*PICKERS)
def hand_out() -> ResponseReturnValue:
    """Number and code fit: the order is done."""
    number, code = (request.form.get(name, "")[:LONGEST] for name in ("number", "code"))
    try:
        with transaction() as session:
            order = window.hand_over(session, number, code, member().practitioner, now())
    except Refused as refused:
        return _window(refused)
    return redirect(url_for("desk.pickup", given=order.number), 303)


def _window(refused: Refused | None = None, given: str = "") -> ResponseReturnValue:
    with transaction() as session:
        ready = queries.at_window(session)
    problem = say(refused.message, **refused.params) if refused else None
    status, field = (refused.status, refused.field) if refused else (200, None)
    return page("pickup.html", status, ready=ready, problem=problem, field=field, typed=request.form, given=given)
