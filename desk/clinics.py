"""The clinics of a department's day; and one of them: its doctor is late, or a colleague stands in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import actions
from booking.actions.standing_in import MOST
from booking.models import ScheduleStatus
from booking.refusals import BadDelay, DoctorNotFree
from booking.stand_ins import clinic_of, clinics, free_doctors
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound, Refused
from config.ids import parse_id
from config.policy import current
from desk.pages import LEADERS, bp, page, say
from people import queries as people
from people.access import Member, leads, led
from people.models import Department, Role
from wechat.signin import member, staff


def departments_of(session: Session, who: Member) -> Sequence[Department]:
    """The departments over whose clinics the member decides, in the hospital's order."""
    return [found for found in people.departments(session) if leads(who, found.id)]


def chosen_department(session: Session, who: Member) -> Department:
    """The one that the address names, else the first of the member's. Raises NotFound for one that is not theirs."""
    found = departments_of(session, who)
    wanted = request.args.get("department")
    own = [one for one in found if str(one.id) == wanted] if wanted else _nearest(found, who)
    if not own:
        raise NotFound
    return own[0]


def _nearest(found: Sequence[Department], who: Member) -> list[Department]:
    near = {who.practitioner.department_id, *led(who)}
    return [one for one in found if one.id in near] or list(found)


@bp.get("/clinics")
@staff(*LEADERS)
def clinic_list() -> ResponseReturnValue:
    at = now()
    day = _day(request.args.get("day")) or today(at)
    with transaction() as session:
        department = chosen_department(session, member())
        shown: dict[str, Any] = {
            "department": department,
            "departments": departments_of(session, member()),
            "clinics": clinics(session, department.id, day),
        }
    return page("clinics.html", day=day, now=at, **shown)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


@bp.get("/clinics/<uuid:schedule_id>")
@staff(Role.DOCTOR, *LEADERS)
def clinic(schedule_id: UUID) -> ResponseReturnValue:
    return _page(schedule_id)


@bp.post("/clinics/<uuid:schedule_id>/delay")
@staff(Role.DOCTOR, *LEADERS)
def delay(schedule_id: UUID) -> ResponseReturnValue:
    """The doctor of the period, or who decides over it, says how late it is."""
    typed = request.form.get("minutes", "").strip()
    try:
        with transaction() as session:
            at, found = now(), clinic_of(session, member(), schedule_id)
            policy = current(session, at, found.department.code)
            if not typed.isdecimal():
                raise BadDelay(field="minutes", most=MOST)
            actions.delay(session, member(), schedule_id, int(typed), at, policy)
    except BadDelay as refusal:
        return _page(schedule_id, refusal, typed=typed)
    return redirect(url_for("desk.clinic", schedule_id=schedule_id), 303)


@bp.post("/clinics/<uuid:schedule_id>/stand-in")
@staff(*LEADERS)
def stand_in(schedule_id: UUID) -> ResponseReturnValue:
    """A colleague takes the period over."""
    try:
        with transaction() as session:
            found = clinic_of(session, member(), schedule_id)
            if not leads(member(), found.department.id):
                raise NotFound
            actions.replace(session, member(), schedule_id, _chosen(), now())
    except DoctorNotFree as refusal:
        return _page(schedule_id, refusal)
    return redirect(url_for("desk.clinic", schedule_id=schedule_id), 303)


def _chosen() -> UUID:
    found = parse_id(request.form.get("practitioner"))
    if found is None:
        raise DoctorNotFree(field="practitioner")
    return found


def _page(schedule_id: UUID, refusal: Refused | None = None, *, typed: str | None = None) -> ResponseReturnValue:
    with transaction() as session:
        at, who = now(), member()
        found = clinic_of(session, who, schedule_id)
        may_lead = leads(who, found.department.id)
        doctors = free_doctors(session, found.schedule) if may_lead else []
        told_from = current(session, at, found.department.code).delay_told_minutes
    open_still = found.schedule.status is ScheduleStatus.ACTIVE and found.schedule.over_at > at
    problems = {refusal.field: say(refusal.message, **refusal.params)} if refusal else {}
    return page(
        "clinic.html",
        refusal.status if refusal else 200,
        clinic=found,
        may_lead=may_lead,
        doctors=doctors,
        still=open_still,
        typed=typed,
        most=MOST,
        told_from=told_from,
        problems=problems,
    )
