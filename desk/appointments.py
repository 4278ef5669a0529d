"""Appointments for those who lead: a list in pages, by day, department, doctor and state; and each visit. Looking is
recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import listing
from booking.listing import Place, Wanted
from booking.models import AppointmentStatus, Why
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound
from config.ids import parse_id
from config.text import N_
from desk.clinics import chosen_department, departments_of
from desk.pages import LEADERS, bp, page
from payments import queries as payments
from payments.reasons import REASONS
from people import queries as people
from people.audit import record as audit
from people.models import Department, Role
from wechat.signin import member, staff, viewer

NO_DAY = N_("Please write the day as in 2026-11-25.")
YEARS = range(2000, 2100)  # in which a day can lie
WHY = {
    **REASONS,
    Why.UNPAID: N_("Not paid in time"),
    Why.DECLINED: N_("Offer declined"),
    Why.LAPSED: N_("Offer not answered in time"),
}
BY = {
    "account": N_("the family"),
    "practitioner": N_("the staff"),
    "stop": N_("the staff"),
}  # others: the clinic itself


@dataclass(frozen=True)
class Asked:
    """What the address asks for: as typed, and as understood (``department`` None: all)."""

    typed: dict[str, str]
    wanted: Wanted
    department: Department | None
    problem: str | None


@bp.get("/appointments")
@staff(*LEADERS)
def appointments() -> ResponseReturnValue:
    """Today's first; an empty day is every day."""
    with transaction() as session:
        asked = _asked(session)
        found = listing.Listed([], None)
        if not asked.problem:
            found = listing.listed(session, asked.wanted, place(request.args.get("after", "")))
            _record(session, asked)
        shown: dict[str, Any] = {
            "departments": departments_of(session, member()),
            "doctors": people.doctors(session, asked.department.id) if asked.department else [],
        }
    following = (
        f"{url_for('.appointments')}?{urlencode({**asked.typed, 'after': mark(found.next)})}" if found.next else None
    )
    return page(
        "appointments.html",
        422 if asked.problem else 200,
        asked=asked,
        visits=found.visits,
        following=following,
        later="after" in request.args,
        statuses=list(AppointmentStatus),
        everywhere=Role.ADMINISTRATOR in member().roles,
        **shown,
    )


def _asked(session: Session) -> Asked:
    """Raises NotFound for a department that the member does not lead, and for a child unless they lead all."""
    typed = {name: request.args.get(name, "") for name in ("department", "practitioner", "status", "child")}
    typed["day"] = request.args.get("day", today(now()).isoformat())
    everywhere = Role.ADMINISTRATOR in member().roles
    department = None if everywhere and not typed["department"] else chosen_department(session, member())
    if typed["child"] and not everywhere:
        raise NotFound
    day = parsed_day(typed["day"])
    doctor = parse_id(typed["practitioner"])
    if department is None or doctor not in {one.id for one in people.doctors(session, department.id)}:
        doctor = None
    typed |= {"department": str(department.id) if department else "", "practitioner": str(doctor or "")}
    status = next((one for one in AppointmentStatus if one == typed["status"]), None)
    wanted = Wanted(day, department.id if department else None, doctor, parse_id(typed["child"]), status)
    return Asked(typed, wanted, department, NO_DAY if typed["day"] and day is None else None)


def _record(session: Session, asked: Asked) -> None:
    wanted = asked.wanted
    entity, entity_id = ("patient", wanted.patient_id) if wanted.patient_id else ("department", wanted.department_id)
    detail: dict[str, Any] = {
        name: asked.typed[name] for name in ("day", "practitioner", "status") if asked.typed[name]
    }
    by = viewer().account_id
    audit(session, "see-appointments", at=now(), entity=entity, entity_id=entity_id, account_id=by, **detail)


@bp.get("/appointments/<uuid:visit_id>")
@staff(*LEADERS)
def appointment(visit_id: UUID) -> ResponseReturnValue:
    """One visit, what became of it and of its money."""
    with transaction() as session:
        visit = listing.led_visit(session, member(), visit_id)
        moves = listing.moves(session, visit_id)
        money = payments.for_staff(session, visit.appointment.payment_id)
        by = viewer().account_id
        audit(session, "see-appointment", at=now(), entity="appointment", entity_id=visit_id, account_id=by)
    everywhere = Role.ADMINISTRATOR in member().roles
    return page("appointment.html", visit=visit, moves=moves, money=money, why=WHY, by=BY, everywhere=everywhere)


def parsed_day(text: str) -> date | None:
    """A day as an address or a form has it; None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def mark(place: Place) -> str:
    """A place in the list as a link names it."""
    return f"{place[0].isoformat()}_{place[1]}"


def place(text: str) -> Place | None:
    """A place in the list; what no link of ours says is the beginning."""
    moment, _, visit_id = text.partition("_")
    try:
        at, after = datetime.fromisoformat(moment).astimezone(UTC), UUID(visit_id)
    except (ValueError, OverflowError):
        return None
    return (at, after) if at.year in YEARS else None
