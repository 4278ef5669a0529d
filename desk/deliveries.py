"""Parcels at the dispatchers' desk: what is in trouble first, then what is due; asked about, sent anew, written by
hand."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.text import N_
from desk.pages import bp, page, say
from people.audit import record as audit
from people.models import Role
from prescriptions.delivery import actions, queries
from prescriptions.delivery.addresses import receiver
from prescriptions.delivery.couriers import Couriers, Mark
from prescriptions.delivery.models import DeliveryStatus
from prescriptions.delivery.words import MARKS, STATES, WRONG, why_text
from wechat.signin import member, staff

DISPATCHERS = (Role.DISPATCHER, Role.PHARMACIST)
COURIER = "prescriptions.courier"  # where the application keeps it
BY_HAND = {
    Mark.COLLECTED: N_("It was fetched"),
    Mark.OUT: N_("It is out for delivery"),
    Mark.MISSED: N_("Nobody was there"),
    Mark.REFUSED: N_("The family did not take it"),
    Mark.LOST: N_("It is lost"),
    Mark.RETURNED: N_("It is back at the pharmacy"),
}
CODE = 12  # characters


@bp.get("/deliveries")
@staff(*DISPATCHERS)
def deliveries() -> ResponseReturnValue:
    over = request.args.get("show") == "over"
    with transaction() as session:
        found = queries.listed(session, over=over)
    return page("deliveries.html", found=found, over=over, states=STATES, now=now())


@bp.get("/deliveries/<uuid:delivery_id>")
@staff(*DISPATCHERS)
def delivery(delivery_id: UUID) -> ResponseReturnValue:
    """One parcel with its trace and where it goes; that it was looked at is recorded."""
    return _parcel(delivery_id)


@bp.post("/deliveries/<uuid:delivery_id>/<any('ask', 'anew'):verb>")
@staff(*DISPATCHERS)
def see_to_delivery(delivery_id: UUID, verb: str) -> ResponseReturnValue:
    """Ask the courier again, or send a further parcel."""
    by, shown = member().practitioner, delivery_id
    try:
        with transaction() as session:
            if verb == "ask":
                actions.ask_now(session, delivery_id, now())
            else:
                shown = actions.anew(session, delivery_id, by, now()).id
            _note(session, delivery_id, verb)
    except NotFound:
        raise
    except Refused as refused:
        return _parcel(delivery_id, refused)
    return redirect(url_for("desk.delivery", delivery_id=shown), 303)


@bp.post("/deliveries/<uuid:delivery_id>/steps")
@staff(*DISPATCHERS)
def write_step(delivery_id: UUID) -> ResponseReturnValue:
    """What the dispatchers know of it themselves."""
    mark = next((one for one in (*BY_HAND, Mark.DELIVERED) if one == request.form.get("mark")), None)
    if mark is None:
        raise NotFound
    code = request.form.get("code", "")[:CODE]
    try:
        with transaction() as session:
            actions.write_down(session, delivery_id, mark, member().practitioner, now(), code)
    except NotFound:
        raise
    except Refused as refused:
        return _parcel(delivery_id, refused)
    return redirect(url_for("desk.delivery", delivery_id=delivery_id), 303)


def _parcel(delivery_id: UUID, refused: Refused | None = None) -> ResponseReturnValue:
    courier: Couriers = current_app.extensions[COURIER]
    with transaction() as session:
        found = queries.trace(session, delivery_id)
        to, said = receiver(found.order), queries.complaints(session, delivery_id)
        if refused is None:
            _note(session, delivery_id, "look")
    gone = found.parcel.status in {DeliveryStatus.FAILED, DeliveryStatus.RETURNED}
    return page(
        "delivery.html",
        refused.status if refused else 200,
        found=found,
        to=to,
        courier=courier,
        states=STATES,
        marks=MARKS,
        by_hand=BY_HAND,
        said=[(at, WRONG[what]) for at, what in said if what in WRONG],
        gone=gone,
        why=say(why_text(found.parcel.error)) if found.parcel.error else "",
        late=found.late(now()),
        problem=say(refused.message, **refused.params) if refused else None,
        now=now(),
    )


def _note(session: Session, delivery_id: UUID, what: str) -> None:
    who = member().practitioner.account_id
    audit(session, "delivery-desk", at=now(), entity="delivery", entity_id=delivery_id, account_id=who, what=what)
