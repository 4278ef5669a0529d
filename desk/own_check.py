"""The doctor's own real-name check, once before each session."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Schedule
from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.formats import clock
from config.ids import parse_id
from config.policy import current
from consultation.encounters.models import Encounter
from consultation.line import actions
from consultation.line.realname import RealNameCheck
from desk.pages import bp, page, say
from people.access import practitioner_of
from people.models import Role
from wechat.signin import in_wechat, staff, viewer

CHECK = "real-name-check"  # among the application's extensions


@bp.get("/sessions/<uuid:schedule_id>/check")
@staff(Role.DOCTOR)
def own_check(schedule_id: UUID) -> ResponseReturnValue:
    """The doctor says who they are, once before each session."""
    return _check_page(schedule_id)


@bp.post("/sessions/<uuid:schedule_id>/check")
@staff(Role.DOCTOR)
def own_check_done(schedule_id: UUID) -> ResponseReturnValue:
    """The answer is compared; a wrong one is counted, so it commits before it is refused."""
    at = now()
    with transaction() as session:
        _own_session(session, schedule_id)
        policy = current(session, at)
        given = {name: request.form.get(name, "") for name in ("pin", "again")}
        refusal = actions.confirm_doctor(session, viewer(), schedule_id, given, _check(), at, policy)
    if refusal:
        return _check_page(schedule_id, refusal)
    back = parse_id(request.form.get("visit"))
    return redirect(url_for("desk.visit", visit_id=back) if back else url_for("desk.my_list"), 303)


def _check_page(schedule_id: UUID, refusal: Refused | None = None) -> ResponseReturnValue:
    at = now()
    with transaction() as session:
        schedule = _own_session(session, schedule_id)
        doctor = practitioner_of(session, viewer())
        need = _check().needs(session, doctor, at, current(session, at))
    back = parse_id(request.values.get("visit"))
    problem = say(refusal.message, **_said(refusal)) if refusal else None
    way = url_for("oauth.start", next=request.path) if in_wechat() else None
    return page(
        "own_check.html",
        refusal.status if refusal else 200,
        schedule=schedule,
        doctor=doctor,
        need=need,
        problem=problem,
        visit=back,
        way=way,
    )


def _said(refusal: Refused) -> dict[str, object]:
    """What a refusal names, as the page says it."""
    return {name: clock(value) if isinstance(value, datetime) else value for name, value in refusal.params.items()}


def _own_session(session: Session, schedule_id: UUID) -> Schedule:
    """A session of the viewer's own, or of a child that was handed over to them. Raises NotFound."""
    doctor, found = practitioner_of(session, viewer()), session.get(Schedule, schedule_id)
    if found is None:
        raise NotFound
    treats = select(Encounter.id).where(Encounter.schedule_id == schedule_id, Encounter.practitioner_id == doctor.id)
    if found.practitioner_id != doctor.id and session.scalar(treats.limit(1)) is None:
        raise NotFound
    return found


def _check() -> RealNameCheck:
    found: RealNameCheck = current_app.extensions[CHECK]
    return found
