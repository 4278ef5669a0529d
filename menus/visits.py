"""Booking and what was booked: confirm, book, the visit, cancel, my visits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import actions, rules
from booking import queries as bookings
from booking.models import COMING, AppointmentStatus
from booking.queries import Offer, Visit
from booking.refusals import AlreadyHolding, NotOpen, SoldOut
from config.clock import now, today
from config.database import transaction
from config.policy import Policy, current
from config.text import N_
from menus.forms import BadForm, BookForm, read
from menus.pages import bp, lead_back, page
from menus.ways import VISITS
from people import access
from people import queries as people
from people.access import Viewer
from people.models import GuardianStatus
from people.queries import Child
from wechat.signin import signed_in, viewer


@bp.get("/schedules/<uuid:schedule_id>/book")
@signed_in
def confirm(schedule_id: UUID) -> ResponseReturnValue:
    chosen = _uuid(request.args.get("child"))
    with transaction() as session:
        shown = _confirmation(session, viewer(), schedule_id, now())
    if not shown["children"]:
        here = url_for(".confirm", schedule_id=schedule_id)
        return redirect(f"/children/bind?{urlencode({'next': here})}")
    return page("confirm.html", chosen=chosen, problems={}, **shown)


def _confirmation(session: Session, who: Viewer, schedule_id: UUID, at: datetime) -> dict[str, Any]:
    """What the confirming page shows. Raises NotFound, NotOpen, SoldOut."""
    offer = bookings.offer(session, schedule_id)
    policy = current(session, at, offer.department.code)
    _lead_back_to(offer)
    if offer.schedule.day not in rules.open_days(at, policy):
        raise NotOpen(first=policy.horizon_first_day, last=policy.horizon_last_day)
    if offer.next_at is None:
        raise SoldOut
    children = people.children(session, who)
    holding = bookings.holders(
        session, [child.patient.id for child in children], offer.department.id, offer.schedule.day
    )
    reasons = {child.patient.id: reason for child in children if (reason := _why_not(child, holding))}
    free = [child.patient.id for child in children if child.patient.id not in reasons]
    return {
        "offer": offer,
        "children": children,
        "reasons": reasons,
        "first": free[0] if free else None,
        "cancel_until": rules.cancel_until(offer.next_at, policy),
        "hours": policy.cancel_until_hours,
        "at": at,
        "today": today(at),
    }


def _why_not(child: Child, holding: set[UUID]) -> str | None:
    if child.binding.status is GuardianStatus.FROZEN:
        return N_("Paused by another guardian")
    return N_("Already has a number in this department that day") if child.patient.id in holding else None


def _lead_back_to(offer: Offer) -> None:
    schedule = offer.schedule
    lead_back(f"/internet-diagnosis/{offer.department.code}/{schedule.day}/{schedule.period}", N_("Other doctors"))


@bp.post("/visits")
@signed_in
def book() -> ResponseReturnValue:
    try:
        form = read(BookForm, request.form)
    except BadForm as bad:
        return _choose_again(bad)
    who = viewer()
    try:
        with transaction() as session:
            at = now()
            offer = bookings.offer(session, form.schedule)
            _lead_back_to(offer)
            patient = access.patient_of(session, who, form.patient)
            policy = current(session, at, offer.department.code)
            booked = actions.book(session, form.schedule, patient, who.account_id, at, policy).id
    except AlreadyHolding:
        held = _held(who, form)
        if held is None:
            raise
        return redirect(url_for(".visit", visit_id=held, note="already"), 303)
    return redirect(url_for(".visit", visit_id=booked), 303)


def _choose_again(bad: BadForm) -> ResponseReturnValue:
    schedule_id = _uuid(request.form.get("schedule"))
    if schedule_id is None:
        return redirect("/internet-diagnosis", 303)
    with transaction() as session:
        shown = _confirmation(session, viewer(), schedule_id, now())
    return page("confirm.html", status=422, chosen=None, problems=bad.problems, **shown)


def _held(who: Viewer, form: BookForm) -> UUID | None:
    """The visit that the child holds in the schedule's department on its day: a second tap ends there too."""
    with transaction() as session:
        schedule = bookings.offer(session, form.schedule).schedule
        for visit in bookings.coming_visits(session, who, now()):
            held = visit.appointment
            if (held.patient_id, held.department_id, held.day) == (form.patient, schedule.department_id, schedule.day):
                return held.id
    return None


@bp.get("/visits/<uuid:visit_id>")
@signed_in
def visit(visit_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        at, who = now(), viewer()
        shown = bookings.visit_of(session, who, visit_id)
        policy = current(session, at, shown.department.code)
        siblings = _siblings(session, who, shown, at, policy)
    return page(
        "visit.html",
        tab=VISITS,
        visit=shown,
        siblings=siblings,
        policy=policy,
        note=request.args.get("note"),
        **_cancelling(shown, at, policy),
    )


def _siblings(session: Session, who: Viewer, visit: Visit, at: datetime, policy: Policy) -> list[Child]:
    """The viewer's other children who could take the next number of the same period."""
    booked = visit.appointment.status is AppointmentStatus.BOOKED
    if not booked or visit.schedule.day not in rules.open_days(at, policy):
        return []
    others = [child for child in people.children(session, who) if child.binding.status is GuardianStatus.ACTIVE]
    holding = bookings.holders(session, [child.patient.id for child in others], visit.department.id, visit.schedule.day)
    free = [child for child in others if child.patient.id not in holding]
    return free if free and bookings.offer(session, visit.schedule.id).free else []


def _cancelling(visit: Visit, at: datetime, policy: Policy) -> dict[str, Any]:
    deadline = rules.cancel_until(visit.appointment.starts_at, policy)
    coming = visit.appointment.status in COMING and visit.schedule.ends_at > at
    return {"cancel_until": deadline, "coming": coming, "cancellable": coming and at <= deadline, "today": today(at)}


@bp.get("/visits/<uuid:visit_id>/cancel")
@signed_in
def ask_cancel(visit_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        at = now()
        shown = bookings.visit_of(session, viewer(), visit_id)
        policy = current(session, at, shown.department.code)
    asked = _cancelling(shown, at, policy)
    if not asked["cancellable"]:
        return redirect(url_for(".visit", visit_id=visit_id))
    return page("cancel.html", tab=VISITS, visit=shown, **asked)


@bp.post("/visits/<uuid:visit_id>/cancel")
@signed_in
def cancel(visit_id: UUID) -> ResponseReturnValue:
    who = viewer()
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    with transaction() as session:
        at = now()
        shown = bookings.visit_of(session, who, visit_id)
        if shown.appointment.status is not AppointmentStatus.CANCELLED:  # a second tap changes nothing
            policy = current(session, at, shown.department.code)
            actions.cancel(session, visit_id, who.account_id, at, policy)
    return redirect(url_for(".visit", visit_id=visit_id), 303)


@bp.get("/visits")
@signed_in
def visits() -> ResponseReturnValue:
    with transaction() as session:
        at, who = now(), viewer()
        coming = bookings.coming_visits(session, who, at)
        past = bookings.past_visits(session, who, at)
    return page("visits.html", tab=VISITS, coming=coming, past=past, today=today(at))


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
