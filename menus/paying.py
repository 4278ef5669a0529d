"""Paying for a held number: the page with the countdown, the cashier's parameters, and whether the money has come."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from booking import queries as bookings
from booking.models import AppointmentStatus
from booking.queries import Visit
from booking.refusals import NoPayment
from config.clock import now
from config.database import transaction
from config.policy import current
from config.settings import Settings
from config.text import N_
from menus import cashier
from menus.pages import lead_back, page
from menus.ways import VISITS
from payments import collecting
from payments.gateway import Gateway
from people.audit import refusals
from wechat.signin import in_wechat, signed_in, viewer

TRY_AGAIN = N_("WeChat Pay does not answer at the moment. Your number is still held: please try again.")


def blueprint(settings: Settings, gateway: Gateway | None) -> Blueprint:
    """The pages; without a gateway nothing can be paid, and they say so."""
    bp = Blueprint("paying", __name__)

    @bp.get("/visits/<uuid:visit_id>/pay")
    @signed_in
    def pay(visit_id: UUID) -> ResponseReturnValue:
        with transaction() as session:
            at = now()
            visit = bookings.visit_of(session, viewer(), visit_id)
            policy = current(session, at, visit.department.code)
        until = visit.appointment.hold_until
        if until is None or visit.appointment.payment_id is None:
            return redirect(url_for("menus.visit", visit_id=visit_id))
        left = max(0, int((until - at).total_seconds()))
        return page(
            "pay.html",
            tab=VISITS,
            visit=visit,
            left=left,
            here=in_wechat(),
            policy=policy,
            appid=settings.wechat_appid,
            jssdk_url=settings.wechat_jssdk_url,
        )

    @bp.post("/visits/<uuid:visit_id>/checkout")
    @signed_in
    def checkout(visit_id: UUID) -> ResponseReturnValue:
        """What opens the cashier. The order is placed at WeChat with no transaction open."""
        lead_back(url_for("paying.pay", visit_id=visit_id), N_("Back to paying"))
        visit = _visit(visit_id)
        if visit.appointment.status is not AppointmentStatus.PENDING:
            return jsonify(status=visit.appointment.status.value)
        if gateway is None or visit.appointment.payment_id is None:
            who = viewer().account_id
            with transaction(), refusals("pay", at=now(), entity="appointment", entity_id=visit_id, account_id=who):
                raise NoPayment
        return cashier.parameters(gateway, visit.appointment.payment_id, TRY_AGAIN)

    @bp.post("/visits/<uuid:visit_id>/paid")
    @signed_in
    def paid(visit_id: UUID) -> ResponseReturnValue:
        """The cashier says that it was paid: WeChat is asked, whatever the page believes."""
        visit = _visit(visit_id)
        if visit.appointment.status is AppointmentStatus.PENDING and visit.appointment.payment_id:
            cashier.called(gateway, collecting.ask, visit.appointment.payment_id)
        return _state(visit_id)

    bp.add_url_rule("/visits/<uuid:visit_id>/state", view_func=state, methods=["GET"])
    return bp


@signed_in
def state(visit_id: UUID) -> ResponseReturnValue:
    """Whether the number is booked by now (asked by the page while it waits)."""
    return _state(visit_id)


def _state(visit_id: UUID) -> ResponseReturnValue:
    return cashier.told(_visit(visit_id).appointment.status.value)


def _visit(visit_id: UUID) -> Visit:
    with transaction() as session:
        return bookings.visit_of(session, viewer(), visit_id)
