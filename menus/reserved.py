"""Numbers that are kept back: the doctor's invitation to a follow-up, and areas under control measures."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import choosing, rights, rules
from booking.models import Pool
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound
from config.ids import parse_id
from config.policy import current
from config.text import N_
from menus.pages import bp, lead_back, page
from menus.ways import CHILDREN
from people import queries as people
from people.models import GuardianStatus
from wechat.signin import signed_in, viewer


@bp.get("/followups/<uuid:grant_id>")
@signed_in
def followup(grant_id: UUID) -> ResponseReturnValue:
    """The doctor's periods with the numbers kept for invited children, for the child that was invited."""
    with transaction() as session:
        at = now()
        invitation = rights.invitation(session, viewer(), grant_id)
        policy = current(session, at, invitation.department.code)
        days = [day for day in rules.open_days(at, policy) if day <= invitation.grant.until]
        doctor = invitation.practitioner.id
        offers = choosing.doctor_offers(session, doctor, days[0], days[-1], Pool.FOLLOWUP) if days else []
    over = invitation.grant.until < today(at)
    return page("followup.html", invitation=invitation, offers=[o for o in offers if o.free], over=over, policy=policy)


@bp.get("/internet-diagnosis/<code>/areas")
@signed_in
def areas(code: str) -> ResponseReturnValue:
    return _areas(code)


@bp.post("/internet-diagnosis/<code>/areas")
@signed_in
def declare_area(code: str) -> ResponseReturnValue:
    """Where a child is, on the guardian's word; "none" takes it back."""
    lead_back(f"/internet-diagnosis/{code}/areas", N_("Choose again"))
    child, area = parse_id(request.form.get("patient")), request.form.get("area", "")
    if child is None or not area:
        return _areas(code, problem=N_("Please choose a child and an area."), status=422)
    with transaction() as session:
        at = now()
        policy = current(session, at, people.department(session, code).code)
        rights.declare(session, viewer(), child, None if area == "none" else area, at, policy)
    return redirect(url_for(".areas", code=code), 303)


def _areas(code: str, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    lead_back(*CHILDREN)
    with transaction() as session:
        at = now()
        department = people.department(session, code)
        policy = current(session, at, code)
        listed = rights.controlled_areas(policy)
        if not listed:
            raise NotFound
        mine = [c for c in people.children(session, viewer()) if c.binding.status is GuardianStatus.ACTIVE]
        declared = {c.patient.id: rights.declared(session, c.patient.id, at, policy) for c in mine}
        offers = choosing.area_offers(session, department.id, rules.open_days(at, policy))
    return page(
        "areas.html",
        status=status,
        department=department,
        areas=listed,
        children=mine,
        declared=declared,
        declared_ids=[child for child, word in declared.items() if word],
        offers=offers,
        problem=problem,
        typed=request.form,
        policy=policy,
    )
