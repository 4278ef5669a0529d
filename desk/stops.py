"""Stopping a clinic (停诊): choose, see whom it touches, confirm, watch it being carried out, take it back."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import actions
from booking.actions.stopping import Wish
from booking.models import Period
from booking.refusals import BadSpan, NotStoppable
from booking.stop_models import NOTE, REASON_TEXTS, StopReason, StopStatus
from booking.stop_queries import ended, preview, progress, stop_of
from booking.stop_queries import stops as all_stops
from config.clock import now, today
from config.database import transaction
from config.errors import Refused
from config.text import N_
from desk.clinics import chosen_department, departments_of
from desk.pages import LEADERS, bp, page, say
from notifications.queries import taken_of
from people import queries as people
from wechat.signin import member, staff

INCOMPLETE = N_("Please choose both days, both periods and a reason.")


@bp.get("/stops")
@staff(*LEADERS)
def stop_list() -> ResponseReturnValue:
    with transaction() as session:
        found = all_stops(session, member())
    return page("stops.html", stops=found, reasons=REASON_TEXTS)


@bp.get("/stops/new")
@staff(*LEADERS)
def new_stop() -> ResponseReturnValue:
    """The form; the address may name the department, the doctor, the day and the period."""
    asked = {name: request.args.get(name, "") for name in ("department", "practitioner")}
    day, period = request.args.get("day", ""), request.args.get("period", "")
    asked |= {"first_day": day, "last_day": day, "first_period": period, "last_period": period}
    return _form(asked, None)


@bp.post("/stops")
@staff(*LEADERS)
def plan_stop() -> ResponseReturnValue:
    """A stop to look at; nobody is touched yet."""
    try:
        wish = _wish()
    except ValueError:
        return _form(request.form.to_dict(), say(INCOMPLETE))
    try:
        with transaction() as session:
            made = actions.plan_stop(session, member(), wish, now())
    except BadSpan as refusal:
        return _form(request.form.to_dict(), say(refusal.message, **refusal.params))
    return redirect(url_for("desk.stop", stop_id=made.id), 303)


def _wish() -> Wish:
    """What the form says. Raises ValueError when something is missing."""
    sent = request.form
    return Wish(
        department_id=UUID(sent.get("department", "")),
        practitioner_id=UUID(sent["practitioner"]) if sent.get("practitioner") else None,
        first_day=date.fromisoformat(sent.get("first_day", "")),
        first_period=Period(sent.get("first_period", "")),
        last_day=date.fromisoformat(sent.get("last_day", "")),
        last_period=Period(sent.get("last_period", "")),
        reason=StopReason(sent.get("reason", "")),
        note=" ".join(sent.get("note", "").split()),
    )


@bp.get("/stops/<uuid:stop_id>")
@staff(*LEADERS)
def stop(stop_id: UUID) -> ResponseReturnValue:
    return _page(stop_id)


@bp.post("/stops/<uuid:stop_id>/confirm")
@staff(*LEADERS)
def confirm_stop(stop_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        stop_of(session, member(), stop_id)
        actions.confirm_stop(session, member(), stop_id, now())
    return redirect(url_for("desk.stop", stop_id=stop_id), 303)


@bp.post("/stops/<uuid:stop_id>/discard")
@staff(*LEADERS)
def discard_stop(stop_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        stop_of(session, member(), stop_id)
        actions.discard_stop(session, stop_id)
    return redirect(url_for("desk.stop_list"), 303)


@bp.post("/stops/<uuid:stop_id>/lift")
@staff(*LEADERS)
def lift_stop(stop_id: UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            stop_of(session, member(), stop_id)
            actions.lift_stop(session, member(), stop_id, now())
    except NotStoppable as refusal:
        return _page(stop_id, refusal)
    return redirect(url_for("desk.stop", stop_id=stop_id), 303)


def _form(sent: dict[str, str], problem: str | None) -> ResponseReturnValue:
    with transaction() as session:
        chosen = chosen_department(session, member()) if not problem else _sent_department(session, sent)
        shown: dict[str, Any] = {
            "department": chosen,
            "departments": departments_of(session, member()),
            "doctors": people.doctors(session, chosen.id),
        }
    return page(
        "stop_new.html",
        422 if problem else 200,
        sent=sent,
        problem=problem,
        periods=list(Period),
        reasons=REASON_TEXTS,
        note=NOTE,
        first=today(now()).isoformat(),
        **shown,
    )


def _sent_department(session: Session, sent: dict[str, str]) -> Any:
    found = departments_of(session, member())
    return next((one for one in found if str(one.id) == sent.get("department")), found[0])


def _page(stop_id: UUID, refusal: Refused | None = None) -> ResponseReturnValue:
    with transaction() as session:
        at = now()
        found = stop_of(session, member(), stop_id)
        planned = found.stop.status is StopStatus.PLANNED
        shown = {
            "seen": preview(session, found.stop, at) if planned else None,
            "done": progress(session, found.stop),
            "told": taken_of(session, "clinic-stopped", ended(stop_id)),
        }
    problem = say(refusal.message, **refusal.params) if refusal else None
    status = refusal.status if refusal else 200
    return page("stop.html", status, found=found, reasons=REASON_TEXTS, problem=problem, **shown)
