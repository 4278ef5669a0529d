"""The waiting list of a full period: joining it, the child's place, and the number that is offered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import actions, rules, waiting_queries
from booking import queries as bookings
from booking.models import AppointmentStatus
from booking.queries import Offer
from booking.refusals import ListClosed, NotOpen, NumberFree, OfferOver, ScreenNeeded
from booking.waiting_models import WaitingStatus
from booking.waiting_queries import Wait
from config.clock import now, today
from config.database import transaction
from config.policy import Policy, current
from config.text import N_
from menus.forms import BadForm, WaitForm, read
from menus.pages import bp, lead_back, page, say
from menus.visits import choices
from menus.ways import VISITS, first_of_all
from people import access
from people import queries as people
from people.access import Viewer
from people.refusals import ConsentMissing
from wechat.signin import signed_in, viewer

TIMED = 3600  # seconds: an offer that lasts longer names its end only


@bp.get("/schedules/<uuid:schedule_id>/wait")
@signed_in
def wait(schedule_id: UUID) -> ResponseReturnValue:
    return _join_page(schedule_id, {})


def _join_page(schedule_id: UUID, problems: dict[str, str]) -> ResponseReturnValue:
    with transaction() as session:
        shown = _shown(session, viewer(), schedule_id, now())
    if shown["offer"].free:
        return redirect(url_for(".confirm", schedule_id=schedule_id))
    return page("wait.html", status=422 if problems else 200, problems=problems, **shown)


def _shown(session: Session, who: Viewer, schedule_id: UUID, at: datetime) -> dict[str, Any]:
    """What the joining page shows. Raises NotFound, NotOpen, ListClosed."""
    offer, policy = _period(session, schedule_id, at)
    children = people.children(session, who)
    ids = [child.patient.id for child in children]
    waiting = waiting_queries.waiting_for(session, schedule_id, ids)
    reasons = choices(session, who, offer, at, policy)["reasons"]
    reasons |= dict.fromkeys(waiting, say(N_("Is on this list already")))
    free = [one for one in ids if one not in reasons]
    return {
        "offer": offer,
        "children": children,
        "reasons": reasons,
        "first": free[0] if free else None,
        "mine": next(iter(waiting.values()), None),
        "waiting": waiting_queries.waiting_counts(session, [schedule_id]).get(schedule_id, 0),
        "closes_at": rules.list_closes_at(offer.schedule, policy),
        "policy": policy,
        "night_ends": rules.night_offers_end(policy),
        "today": today(at),
    }


def _period(session: Session, schedule_id: UUID, at: datetime) -> tuple[Offer, Policy]:
    """The period, if one can wait for it now, and the rules. Raises NotFound, NotOpen, ListClosed."""
    offer = bookings.offer(session, schedule_id)
    schedule = offer.schedule
    policy = current(session, at, offer.department.code)
    lead_back(f"/internet-diagnosis/{offer.department.code}/{schedule.day}/{schedule.period}", N_("Other doctors"))
    if not rules.is_open(schedule.day, at, policy):
        raise NotOpen(first=policy.horizon_first_day, last=policy.horizon_last_day)
    if rules.list_closes_at(schedule, policy) <= at:
        raise ListClosed
    return offer, policy


@bp.post("/schedules/<uuid:schedule_id>/wait")
@signed_in
def join(schedule_id: UUID) -> ResponseReturnValue:
    try:
        form = read(WaitForm, request.form)
    except BadForm as bad:
        return _join_page(schedule_id, bad.problems)
    who = viewer()
    try:
        with transaction() as session:
            at = now()
            _, policy = _period(session, schedule_id, at)
            patient = access.patient_of(session, who, form.patient)
            entry = actions.join(session, schedule_id, patient, who.account_id, at, policy)
    except NumberFree:
        return redirect(url_for(".confirm", schedule_id=schedule_id, child=form.patient), 303)
    except (ScreenNeeded, ConsentMissing) as refused:
        here = url_for(".wait", schedule_id=schedule_id)
        return redirect(first_of_all(refused, form.patient, here), 303)
    return redirect(url_for(".place", entry_id=entry.id), 303)


@bp.get("/waiting/<uuid:entry_id>")
@signed_in
def place(entry_id: UUID) -> ResponseReturnValue:
    """The child's place: how many are before it, the number that is held for it, or how it ended."""
    with transaction() as session:
        at = now()
        shown = waiting_queries.wait_of(session, viewer(), entry_id)
        policy = current(session, at, shown.department.code)
    if shown.entry.status is WaitingStatus.ACCEPTED and shown.appointment:
        return redirect(url_for(".visit", visit_id=shown.appointment.id))
    return page("waiting.html", tab=VISITS, wait=shown, policy=policy, **_standing(shown, at, policy))


def _standing(shown: Wait, at: datetime, policy: Policy) -> dict[str, Any]:
    """``state`` of the place (an offer whose time is over has lapsed, swept or not), the seconds left to answer, and
    whether the list can be joined (again)."""
    state, offer = shown.entry.status, shown.appointment
    until = offer.hold_until if offer and offer.unanswered else None
    left = max(0, int((until - at).total_seconds())) if until else 0
    if state is WaitingStatus.OFFERED and not left:
        state = WaitingStatus.LAPSED
    opens = rules.is_open(shown.schedule.day, at, policy) and rules.list_closes_at(shown.schedule, policy) > at
    return {
        "state": state.value,
        "left": left,
        "timed": left <= TIMED,
        "night_ends": rules.night_offers_end(policy),
        "binding": offer is not None and at > rules.cancel_until(offer.starts_at, policy),
        "rejoin": opens and state in {WaitingStatus.LAPSED, WaitingStatus.DECLINED, WaitingStatus.LEFT},
    }


@bp.post("/waiting/<uuid:entry_id>/accept")
@signed_in
def accept(entry_id: UUID) -> ResponseReturnValue:
    who = viewer()
    try:
        with transaction() as session:
            at = now()
            shown = waiting_queries.wait_of(session, who, entry_id)
            if shown.appointment is None:
                raise OfferOver
            policy, child = current(session, at, shown.department.code), shown.patient.id
            taken = actions.accept(session, shown.appointment.id, who.account_id, at, policy)
    except OfferOver:
        return redirect(url_for(".place", entry_id=entry_id), 303)  # which says what became of it
    except (ScreenNeeded, ConsentMissing) as refused:
        return redirect(first_of_all(refused, child, url_for(".place", entry_id=entry_id)), 303)
    held = taken.status is AppointmentStatus.PENDING
    return redirect(url_for("paying.pay" if held else ".visit", visit_id=taken.id), 303)


@bp.post("/waiting/<uuid:entry_id>/decline")
@signed_in
def decline(entry_id: UUID) -> ResponseReturnValue:
    who = viewer()
    with transaction() as session:
        shown = waiting_queries.wait_of(session, who, entry_id)
        if shown.appointment:
            actions.decline(session, shown.appointment.id, who.account_id, now())
    return redirect(url_for(".place", entry_id=entry_id), 303)


@bp.post("/waiting/<uuid:entry_id>/leave")
@signed_in
def leave(entry_id: UUID) -> ResponseReturnValue:
    who = viewer()
    with transaction() as session:
        waiting_queries.wait_of(session, who, entry_id)
        actions.leave(session, entry_id, who.account_id, now())
    return redirect(url_for(".place", entry_id=entry_id), 303)
