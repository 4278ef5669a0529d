"""My children: the cards, one child with its QR code and guardians, unbinding."""

from __future__ import annotations

import io
from uuid import UUID

import segno
from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import queries as bookings
from config.clock import now, today
from config.database import transaction
from config.policy import current
from config.text import N_
from menus.pages import bp, lead_back, page
from menus.ways import CHILDREN
from people import access, actions
from people import queries as people
from people.refusals import OpenAppointments
from people.rules import may_freeze
from wechat.signin import signed_in, viewer

PIXELS_PER_MODULE = 10
QUIET_ZONE = 4  # modules of white around the code, as ISO/IEC 18004 asks


@bp.get("/children")
@signed_in
def children() -> ResponseReturnValue:
    with transaction() as session:
        at = now()
        mine = people.children(session, viewer())
        limit = current(session, at).children_per_account
    return page("children.html", tab=CHILDREN, children=mine, limit=limit, today=today(at))


@bp.get("/children/<uuid:child_id>")
@signed_in
def child(child_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        at = now()
        mine = access.binding_of(session, viewer(), child_id)
        patient = access.patient_of(session, viewer(), child_id)
        guardians = people.guardians(session, child_id)
    later = {other.id for other in guardians if may_freeze(mine, other)}
    return page(
        "child.html",
        tab=CHILDREN,
        child=patient,
        mine=mine,
        guardians=guardians,
        later=later,
        today=today(at),
        new="new" in request.args,
    )


@bp.get("/children/<uuid:child_id>/qr.png")
@signed_in
def qr(child_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        code = access.patient_of(session, viewer(), child_id).code
    picture = io.BytesIO()
    segno.make(code, error="m", micro=False).save(
        picture, kind="png", scale=PIXELS_PER_MODULE, border=QUIET_ZONE, dark="#000", light="#fff"
    )
    return Response(picture.getvalue(), content_type="image/png", headers={"Cache-Control": "no-store"})


@bp.get("/children/<uuid:child_id>/unbind")
@signed_in
def ask_unbind(child_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        patient = access.patient_of(session, viewer(), child_id)
    return page("unbind.html", tab=CHILDREN, child=patient)


@bp.post("/children/<uuid:child_id>/unbind")
@signed_in
def unbind(child_id: UUID) -> ResponseReturnValue:
    who = viewer()
    lead_back("/visits", N_("My visits"))
    with transaction() as session:
        at = now()
        mine = access.binding_of(session, who, child_id)
        if bookings.holds_coming(session, child_id, who.account_id, at):
            raise OpenAppointments
        actions.unbind(session, mine, at)
    return redirect(url_for(".children"), 303)


@bp.post("/children/<uuid:child_id>/guardians/<uuid:binding_id>/<any(freeze, unfreeze):verb>")
@signed_in
def freeze(child_id: UUID, binding_id: UUID, verb: str) -> ResponseReturnValue:
    with transaction() as session:
        mine = access.binding_of(session, viewer(), child_id)
        actions.set_frozen(session, mine, binding_id, frozen=verb == "freeze", now=now())
    return redirect(url_for(".child", child_id=child_id, _anchor="guardians"), 303)
