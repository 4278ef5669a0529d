"""Ordering the medicines of a prescription: what it costs and when it comes, paying, where it stands, giving it up."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.ids import parse_id
from config.policy import current
from config.settings import Settings
from config.text import N_
from menus import cashier
from menus.pages import lead_back, locale, page
from menus.ways import VISITS
from payments import collecting
from payments import queries as money
from payments.gateway import Gateway
from people.audit import refusals
from people.models import Patient
from prescriptions.orders import actions, addresses, deciding, offers, placing, queries
from prescriptions.orders.models import MedicineOrder, OrderStatus, Way
from prescriptions.orders.refusals import AlreadyOrdered, NoPaying, OutOfArea, PickupOnly, QuoteChanged
from prescriptions.orders.regions import named
from prescriptions.orders.zones import terms
from prescriptions.stock import queries as stock
from prescriptions.stock.recalling import reached
from prescriptions.stock.refusals import OutOfStock
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import for_family, orderable
from wechat.signin import in_wechat, signed_in, viewer

PICKUP = "pickup"
TRY_AGAIN = N_("WeChat Pay does not answer at the moment. Your medicines are still held: please try again.")
NO_ANSWER = N_("WeChat Pay does not answer at the moment, so the order can't be ended just now. Please try again.")
CHOOSE = N_("Please choose how the medicines come to you.")


def blueprint(settings: Settings, gateway: Gateway | None) -> Blueprint:
    """The pages; without a gateway nothing can be paid, and they say so."""
    bp = Blueprint("ordering", __name__)

    @bp.get("/medicine-orders/<uuid:order_id>/pay")
    @signed_in
    def pay(order_id: UUID) -> ResponseReturnValue:
        return _pay(order_id, appid=settings.wechat_appid, jssdk_url=settings.wechat_jssdk_url)

    @bp.post("/medicine-orders/<uuid:order_id>/checkout")
    @signed_in
    def checkout(order_id: UUID) -> ResponseReturnValue:
        return _checkout(gateway, order_id)

    @bp.post("/medicine-orders/<uuid:order_id>/paid")
    @signed_in
    def paid(order_id: UUID) -> ResponseReturnValue:
        """The cashier says that it was paid: WeChat is asked, whatever the page believes."""
        order = _own(order_id)
        if order.status is OrderStatus.PENDING and order.payment_id:
            cashier.called(gateway, collecting.ask, order.payment_id)
        return cashier.told(_own(order_id).status.value)

    @bp.post("/medicine-orders/<uuid:order_id>/cancel")
    @signed_in
    def cancel(order_id: UUID) -> ResponseReturnValue:
        return _cancel(gateway, order_id)

    for rule, view, method in (
        ("/prescriptions/<uuid:prescription_id>/order", choose, "GET"),
        ("/prescriptions/<uuid:prescription_id>/order", place, "POST"),
        ("/medicine-orders/<uuid:order_id>", order, "GET"),
        ("/medicine-orders/<uuid:order_id>/state", state, "GET"),
        ("/medicine-orders/<uuid:order_id>/cancel", ask_cancel, "GET"),
        ("/medicine-orders/<uuid:order_id>/recalls/<uuid:recalled_id>", recall_seen, "POST"),
    ):
        bp.add_url_rule(rule, view_func=view, methods=[method])
    return bp


def _pay(order_id: UUID, **wechat: str) -> ResponseReturnValue:
    """The countdown and the button; what does not wait for its payment has its own page."""
    at = now()
    with transaction() as session:
        order, child = _order(session, order_id)
        lines = queries.lines(session, order_id)
    if order.status is not OrderStatus.PENDING or order.account_id != viewer().account_id:
        return redirect(url_for("ordering.order", order_id=order_id))
    return page(
        "order_pay.html",
        tab=VISITS,
        order=order,
        child=child,
        lines=lines,
        to=queries.address_of(order),
        pickup=terms().pickup,
        left=max(0, int((order.hold_until - at).total_seconds())),
        here=in_wechat(),
        locale=locale(),
        wechat=wechat,
    )


def _checkout(gateway: Gateway | None, order_id: UUID) -> ResponseReturnValue:
    """What opens the cashier. The order is placed at WeChat with no transaction open."""
    lead_back(url_for("ordering.pay", order_id=order_id), N_("Back to paying"))
    order = _own(order_id)
    if order.status is not OrderStatus.PENDING:
        return jsonify(status=order.status.value)
    if gateway is None or order.payment_id is None:
        who = viewer().account_id
        with transaction(), refusals("pay", at=now(), entity="medicine_order", entity_id=order_id, account_id=who):
            raise NoPaying
    return cashier.parameters(gateway, order.payment_id, TRY_AGAIN)


def _cancel(gateway: Gateway | None, order_id: UUID) -> ResponseReturnValue:
    """Given up: at once before the pharmacy has begun; afterwards a pharmacist is asked for the money."""
    lead_back(url_for("ordering.order", order_id=order_id), N_("Back to the order"))
    order = _own(order_id)
    if order.status is OrderStatus.CANCELLED:  # a second tap changes nothing
        return redirect(url_for("ordering.order", order_id=order_id), 303)
    unpaid = order.payment_id if order.status is OrderStatus.PENDING else None
    if unpaid and not cashier.called(gateway, collecting.ask, unpaid):  # paid meanwhile: the money goes back
        return _ask_cancel(order_id, NO_ANSWER, 503)
    at, who = now(), viewer()
    with transaction() as session:
        if queries.begun(queries.dispense_of(session, order_id)):
            deciding.ask_back(session, who, order_id, at, current(session, at))
        else:
            actions.cancel(session, who, order_id, at)
    if unpaid:
        cashier.called(gateway, collecting.close, unpaid)  # if this fails, the sweep does it
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@signed_in
def choose(prescription_id: UUID) -> ResponseReturnValue:
    """What it costs, how it can come and when; or the order that stands."""
    return _choose(prescription_id)


def _choose(
    prescription_id: UUID, problems: Mapping[str, str] | None = None, status: int = 200, to: str = ""
) -> ResponseReturnValue:
    at = now()
    lead_back(f"/prescriptions/{prescription_id}", N_("Back to the prescription"))
    with transaction() as session:
        prescription = for_family(session, viewer(), prescription_id)
        before = queries.standing(session, prescription_id)
        if before:
            return redirect(url_for("ordering.order", order_id=before.id))
        if not orderable(prescription, at):
            return redirect(f"/prescriptions/{prescription_id}")
        policy = current(session, at)
        offer = offers.offer(session, prescription, addresses.book(session, viewer()), at, policy)
        child = session.get_one(Patient, prescription.patient_id)
    return page(
        "order.html",
        status=status,
        tab=VISITS,
        offer=offer,
        child=child,
        terms=terms(),
        policy=policy,
        problems=problems or {},
        chosen=to or _proposed(offer),
        locale=locale(),
        most=addresses.MOST,
        district=named,
    )


def _proposed(offer: offers.Offer) -> str:
    """What is chosen at first: picking up where something should begin today, else the first address to which one
    delivers (the default one stands first)."""
    if offer.urgent or offer.cold:
        return PICKUP
    return next((str(one.address.id) for one in offer.destinations if one.quote), PICKUP)


@signed_in
def place(prescription_id: UUID) -> ResponseReturnValue:
    """Order it as it was shown. A second tap ends where the first did."""
    lead_back(f"/prescriptions/{prescription_id}/order", N_("Back to the order"))
    to, at, who = request.form.get("to", ""), now(), viewer()
    address_id = parse_id(to)
    if to != PICKUP and address_id is None:
        return _choose(prescription_id, {"to": CHOOSE}, 422)
    way = Way.PICKUP if to == PICKUP else Way.DELIVERY
    audit = {"entity": "prescription", "entity_id": prescription_id, "account_id": who.account_id}
    try:
        with transaction() as session, refusals("order-medicines", at=at, **audit):  # type: ignore[arg-type]
            prescription: Prescription = for_family(session, who, prescription_id)
            seen, policy = request.form.get(f"seen-{to}", ""), current(session, at)
            made = placing.place(session, who, prescription, way, address_id, seen, at, policy)
            free = made.status is OrderStatus.PAID
    except AlreadyOrdered as before:
        return redirect(url_for("ordering.order", order_id=before.order_id), 303)
    except (QuoteChanged, OutOfStock, OutOfArea, PickupOnly) as refused:
        return _choose(prescription_id, {"to": refused.message}, refused.status, to)
    return redirect(url_for("ordering.order" if free else "ordering.pay", order_id=made.id), 303)


@signed_in
def order(order_id: UUID) -> ResponseReturnValue:
    """Where it stands, what it cost, what comes back; for every guardian, the address only for who gave it."""
    with transaction() as session:
        found, child = _order(session, order_id)
        work, parcel = queries.dispense_of(session, order_id), queries.delivery_of(session, order_id)
        own = found.account_id == viewer().account_id
        return page(
            "medicine_order.html",
            tab=VISITS,
            order=found,
            child=child,
            own=own,
            lines=queries.lines(session, order_id),
            steps=queries.steps(found, work, parcel),
            refund=money.refund_of(session, found.payment_id) if own else None,
            recalls=stock.recalls_for(session, found),
            left=deciding.left_fen(session, found),
            to=queries.address_of(found) if own else None,
            begun=queries.begun(work),
            checked=work is not None and work.completed_at is not None,
            parcel=parcel,
            pickup=terms().pickup,
            locale=locale(),
        )


@signed_in
def state(order_id: UUID) -> ResponseReturnValue:
    """Whether it is paid by now (asked by the page while it waits)."""
    return cashier.told(_own(order_id).status.value)


@signed_in
def ask_cancel(order_id: UUID) -> ResponseReturnValue:
    return _ask_cancel(order_id)


def _ask_cancel(order_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        found, child = _order(session, order_id)
        begun = queries.begun(queries.dispense_of(session, order_id))
        left = deciding.left_fen(session, found)
        policy = current(session, now())
    if found.account_id != viewer().account_id or not _open(found, begun=begun, left=left):
        return redirect(url_for("ordering.order", order_id=order_id))
    return page(
        "order_cancel.html",
        status=status,
        tab=VISITS,
        order=found,
        child=child,
        begun=begun,
        left=left,
        policy=policy,
        problem=problem,
    )


def _open(found: MedicineOrder, *, begun: bool, left: int) -> bool:
    """Whether it can be given up, or the money be asked for."""
    if found.status is OrderStatus.CANCELLED:
        return False
    return not begun or (found.asked_at is None and left > 0)


@signed_in
def recall_seen(order_id: UUID, recalled_id: UUID) -> ResponseReturnValue:
    """The family has read that a lot is recalled, and has stopped using it."""
    with transaction() as session:
        found, _ = _order(session, order_id)
        for concerned, _lot in stock.recalls_for(session, found):
            if concerned.id == recalled_id:
                reached(session, recalled_id, now(), account=viewer().account_id)
    return redirect(url_for("ordering.order", order_id=order_id), 303)


def _order(session: Session, order_id: UUID) -> tuple[MedicineOrder, Patient]:
    found = queries.for_family(session, viewer(), order_id)
    return found, session.get_one(Patient, found.patient_id)


def _own(order_id: UUID) -> MedicineOrder:
    """An order that the viewer has made. Raises NotFound, NotTheirs."""
    with transaction() as session:
        return queries.of_payer(session, viewer(), order_id)
