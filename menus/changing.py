"""Giving a number back and changing it: for which reasons that is still possible, and what else is free."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions, rules
from booking import queries as bookings
from booking.models import COMING, AppointmentStatus, Why
from booking.queries import Visit
from booking.refusals import NotChangeable, ScreenNeeded, ShortWait, SoldOut, Suspended
from config.clock import now, today
from config.database import transaction
from config.policy import Policy, current
from config.text import N_
from consultation.line.queries import begun
from consultation.line.refusals import VisitBegun
from menus import cashier
from menus.forms import BadForm, CancelForm, ChangeForm, read
from menus.limits import count_try, please_wait
from menus.pages import lead_back, page
from menus.ways import VISITS, first_of_all
from payments import collecting
from payments.gateway import Gateway
from people.audit import refusals
from people.refusals import ConsentMissing
from wechat.signin import signed_in, viewer

SHOWN = 40  # periods on the page for changing
NO_ANSWER = N_(
    "WeChat Pay does not answer at the moment, so the number can't be given back just now. Please try again."
)


def standing(visit: Visit, at: datetime, policy: Policy) -> dict[str, Any]:
    """What may still be done about a visit: ``reasons`` for giving it back, and whether it can be changed."""
    appointment = visit.appointment
    coming = appointment.status in COMING and visit.schedule.over_at > at
    held = appointment.status is AppointmentStatus.PENDING
    reasons = rules.reasons_to_cancel(appointment, visit.schedule, at, policy) if coming else frozenset()
    booked = appointment.status is AppointmentStatus.BOOKED
    return {
        "cancel_until": rules.cancel_until(appointment.starts_at, policy),
        "coming": coming,
        "held": held and coming,
        "reasons": reasons,
        "freely": Why.PARENT in reasons or held,
        "changeable": booked and coming and bool(reasons & rules.REASONS_TO_CHANGE),
        "today": today(at),
        "policy": policy,
    }


def blueprint(gateway: Gateway | None) -> Blueprint:
    """The pages."""
    bp = Blueprint("changing", __name__)

    @bp.post("/visits/<uuid:visit_id>/cancel")
    @signed_in
    def cancel(visit_id: UUID) -> ResponseReturnValue:
        lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
        try:
            form = read(CancelForm, request.form)
        except BadForm as bad:
            return _cancel_page(visit_id, bad.problems)
        visit, _ = _found(visit_id)
        unpaid = visit.appointment.payment_id if visit.appointment.status is AppointmentStatus.PENDING else None
        if unpaid and not cashier.called(
            gateway, collecting.ask, unpaid
        ):  # when it has been paid meanwhile, the money goes back
            return _cancel_page(visit_id, {"why": NO_ANSWER}, 503)
        with transaction() as session:
            at = now()
            shown = bookings.visit_of(session, viewer(), visit_id)
            if shown.appointment.status is not AppointmentStatus.CANCELLED:  # a second tap changes nothing
                if begun(session, visit_id):
                    raise VisitBegun
                policy = current(session, at, shown.department.code)
                actions.cancel(session, visit_id, viewer().account_id, at, policy, form.why)
        if unpaid:
            cashier.called(gateway, collecting.close, unpaid)  # if this fails, the sweep does it
        return redirect(url_for("menus.visit", visit_id=visit_id), 303)

    bp.add_url_rule("/visits/<uuid:visit_id>/cancel", view_func=ask_cancel, methods=["GET"])
    bp.add_url_rule("/visits/<uuid:visit_id>/change", view_func=choose, methods=["GET"])
    bp.add_url_rule("/visits/<uuid:visit_id>/change", view_func=change, methods=["POST"])
    return bp


@signed_in
def ask_cancel(visit_id: UUID) -> ResponseReturnValue:
    return _cancel_page(visit_id, {})


@signed_in
def choose(visit_id: UUID) -> ResponseReturnValue:
    """The other periods of the department with numbers left, the same doctor's first."""
    return _change_page(visit_id, {})


@signed_in
def change(visit_id: UUID) -> ResponseReturnValue:
    lead_back(f"/visits/{visit_id}/change", N_("Choose another one"))
    try:
        form = read(ChangeForm, request.form)
    except BadForm as bad:
        return _change_page(visit_id, bad.problems, 422)
    who = viewer()
    tries = count_try(who.account_id)
    try:
        with transaction() as session:
            at = now()
            shown = bookings.visit_of(session, who, visit_id)
            policy, child = current(session, at, shown.department.code), shown.patient.id
            with refusals("reschedule", at=at, entity="appointment", entity_id=visit_id, account_id=who.account_id):
                actions.slow_down(session, None, who.account_id, tries, at, policy)
            new = actions.reschedule(session, visit_id, form.schedule, who.account_id, at, policy)
            held = new.status is AppointmentStatus.PENDING
    except ShortWait as wait:
        return please_wait(wait, schedule=form.schedule)
    except Suspended:
        lead_back("/suspensions", N_("See why, and appeal"))
        raise
    except SoldOut:
        return _change_page(
            visit_id, {"schedule": N_("The last number there has just gone. Your visit is unchanged.")}, 409
        )
    except (ScreenNeeded, ConsentMissing) as missing:
        return redirect(first_of_all(missing, child, f"/visits/{visit_id}/change"), 303)
    except NotChangeable:
        after = _changed_to(visit_id)  # a second tap ends where the first did
        if after is None:
            raise
        return redirect(url_for("menus.visit", visit_id=after), 303)
    return redirect(url_for("paying.pay" if held else "menus.visit", visit_id=new.id), 303)


def _changed_to(visit_id: UUID) -> UUID | None:
    with transaction() as session:
        return bookings.replacement(session, viewer(), visit_id)


def _found(visit_id: UUID) -> tuple[Visit, dict[str, Any]]:
    with transaction() as session:
        at = now()
        visit = bookings.visit_of(session, viewer(), visit_id)
        return visit, standing(visit, at, current(session, at, visit.department.code))


def _cancel_page(visit_id: UUID, problems: dict[str, str], status: int | None = None) -> ResponseReturnValue:
    visit, may = _found(visit_id)
    if not (may["reasons"] or may["held"]):
        return redirect(url_for("menus.visit", visit_id=visit_id))
    return page(
        "cancel.html", tab=VISITS, status=status or (422 if problems else 200), visit=visit, problems=problems, **may
    )


def _change_page(visit_id: UUID, problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    visit, may = _found(visit_id)
    if not may["changeable"]:
        return redirect(url_for("menus.visit", visit_id=visit_id))
    with transaction() as session:
        at = now()
        days = rules.open_days(at, may["policy"])
        offers = bookings.alternatives(session, visit, days, SHOWN)
    return page("change.html", tab=VISITS, status=status, visit=visit, offers=offers, problems=problems, **may)
