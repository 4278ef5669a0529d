"""A child whose clinic was stopped gets another number in one tap."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions
from booking import queries as bookings
from booking.models import AppointmentStatus, Why
from booking.refusals import AlreadyHolding, NotChangeable, ScreenNeeded
from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from menus.forms import BadForm, ChangeForm, read
from menus.pages import bp, say
from menus.visits import held_already, visit_page
from menus.ways import first_of_all
from people import access
from people.refusals import ConsentMissing
from wechat.signin import signed_in, viewer


@bp.post("/visits/<uuid:visit_id>/rebook")
@signed_in
def rebook(visit_id: UUID) -> ResponseReturnValue:
    """Book another period for the same child; one with a fee is held and paid as usual."""
    try:
        form = read(ChangeForm, request.form)
    except BadForm as bad:
        return visit_page(visit_id, say(next(iter(bad.problems.values()))), 422)
    who = viewer()
    try:
        with transaction() as session:
            at = now()
            lost = bookings.visit_of(session, who, visit_id).appointment
            child = lost.patient_id
            if lost.cancel_reason is not Why.SUSPENDED:
                raise NotChangeable
            patient = access.patient_of(session, who, child)
            policy = current(session, at, bookings.offer(session, form.schedule).department.code)
            new = actions.book(session, form.schedule, patient, who.account_id, at, policy)
            held = new.status is AppointmentStatus.PENDING
    except AlreadyHolding as refusal:  # a second tap ends where the first did
        before = held_already(who, form.schedule, child)
        if before is None:
            return visit_page(visit_id, say(refusal.message), refusal.status)
        return redirect(url_for("menus.visit", visit_id=before, note="already"), 303)
    except (ScreenNeeded, ConsentMissing) as missing:
        return redirect(first_of_all(missing, child, f"/visits/{visit_id}"), 303)
    except NotFound:
        raise
    except Refused as refusal:  # sold out meanwhile, say: the other times are there still
        return visit_page(visit_id, say(refusal.message, **refusal.params), refusal.status)
    return redirect(url_for("paying.pay" if held else "menus.visit", visit_id=new.id), 303)
