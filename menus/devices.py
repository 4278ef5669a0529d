"""My devices: where I am signed in, and ending it there, at once."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.policy import current
from menus.pages import bp, page
from menus.ways import HELP
from people import sessions
from wechat.signin import sign_in_now, signed_in, viewer


@bp.get("/devices")
@signed_in
def devices() -> ResponseReturnValue:
    at = now()
    with transaction() as database:
        found = sessions.devices(database, viewer().account_id, at, current(database, at))
    return page("devices.html", tab=HELP, devices=found, here=sign_in_now())


@bp.post("/devices/<uuid:sign_in_id>/end")
@signed_in
def end_device(sign_in_id: UUID) -> ResponseReturnValue:
    with transaction() as database:
        sessions.end(database, viewer().account_id, sign_in_id, now())
    return redirect(url_for(".devices"), 303)


@bp.post("/devices/end-others")
@signed_in
def end_other_devices() -> ResponseReturnValue:
    who, here = viewer().account_id, sign_in_now()
    with transaction() as database:
        sessions.end_all(database, who, now(), by=who, but=here.id if here else None)
    return redirect(url_for(".devices"), 303)
