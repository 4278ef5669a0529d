"""My devices: where I am signed in, and ending it there, at once."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.policy import current
from desk.pages import bp, page
from people import sessions
from people.models import Role
from wechat.signin import sign_in_now, staff, viewer


@bp.get("/devices")
@staff(*Role)
def devices() -> ResponseReturnValue:
    at = now()
    with transaction() as database:
        found = sessions.devices(database, viewer().account_id, at, current(database, at))
    return page("devices.html", devices=found, here=sign_in_now())


@bp.post("/devices/<uuid:sign_in_id>/end")
@staff(*Role)
def end_device(sign_in_id: UUID) -> ResponseReturnValue:
    with transaction() as database:
        sessions.end(database, viewer().account_id, sign_in_id, now())
    return redirect(url_for("desk.devices"), 303)


@bp.post("/devices/end-others")
@staff(*Role)
def end_other_devices() -> ResponseReturnValue:
    who, here = viewer().account_id, sign_in_now()
    with transaction() as database:
        sessions.end_all(database, who, now(), by=who, but=here.id if here else None)
    return redirect(url_for("desk.devices"), 303)
