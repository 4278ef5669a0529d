"""Medicines on their way and at home: where the parcel is, and how each medicine is given."""

from __future__ import annotations

import re
from uuid import UUID

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.text import N_
from menus.pages import bp, lead_back, locale, page
from menus.ways import VISITS
from people.audit import record as audit
from prescriptions.delivery import actions
from prescriptions.delivery import queries as parcels
from prescriptions.delivery.couriers import Couriers
from prescriptions.delivery.models import DeliveryStatus
from prescriptions.delivery.words import MARKS, STATES, WRONG
from prescriptions.dispensing import queries
from prescriptions.dispensing.labels import labels
from prescriptions.formulary.knowledge import knowledge
from wechat.signin import signed_in, viewer

COURIER = "prescriptions.courier"  # where the application keeps it
PHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")
ORDER = N_("Back to the order")


@bp.get("/medicine-orders/<uuid:order_id>/delivery")
@signed_in
def delivery(order_id: UUID) -> ResponseReturnValue:
    """The trace, and the code that is said at the door."""
    lead_back(f"/medicine-orders/{order_id}", ORDER)
    courier: Couriers = current_app.extensions[COURIER]
    with transaction() as session:
        found = parcels.for_family(session, viewer(), order_id)
    said = next((step.words for step in found.steps if step.words and PHONE.search(step.words)), "")
    shown = found.parcel.status in {DeliveryStatus.ORDERED, DeliveryStatus.SHIPPED, DeliveryStatus.FAILED}
    return page(
        "delivery.html",
        tab=VISITS,
        found=found,
        courier=courier if found.parcel.courier in {None, courier.code} else None,
        phone=PHONE.search(said)[0] if said else "",  # type: ignore[index]
        code=found.parcel.code if shown and found.parcel.waybill else "",
        states=STATES,
        marks=MARKS,
        wrong=WRONG,
        told=request.args.get("told") == "1",
        late=found.late(now()),
    )


@bp.post("/medicine-orders/<uuid:order_id>/wrong")
@signed_in
def delivery_wrong(order_id: UUID) -> ResponseReturnValue:
    """The family says that something is wrong: the dispatchers look, and call."""
    lead_back(f"/medicine-orders/{order_id}/delivery", N_("Back to the delivery"))
    what = request.form.get("what", "")
    if what not in WRONG:
        raise NotFound
    who = viewer()
    with transaction() as session:
        parcel = parcels.for_family(session, who, order_id).parcel
        actions.complain(session, parcel.id, now())
        about, by = parcel.id, who.account_id
        audit(session, parcels.WRONG, at=now(), entity="delivery", entity_id=about, account_id=by, what=what)
    return redirect(url_for("menus.delivery", order_id=order_id, told=1), 303)


@bp.get("/medicine-orders/<uuid:order_id>/labels")
@signed_in
def medicine_labels(order_id: UUID) -> ResponseReturnValue:
    """How each medicine is given: once the pharmacy has checked it."""
    lead_back(f"/medicine-orders/{order_id}", ORDER)
    with transaction() as session:
        work, prescription = queries.for_family(session, viewer(), order_id)
        given = queries.given(session, work.dispense)
        number = prescription.number
    made = labels(given, work.patient.name, number, knowledge(), locale())
    return page("labels.html", tab=VISITS, work=work, labels=made, number=number)
