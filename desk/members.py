"""Who works here: the list of staff, their roles, and the invitation that binds a WeChat account to each."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from uuid import UUID

import segno
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from config.text import N_
from desk.pages import READERS, page, say
from desk.pages import blueprint as desk_blueprint
from people import invitations, queries
from people import staff as members
from people.models import Department, Practitioner, Role, Title
from people.scenes import SceneCodes
from wechat.signin import member, staff, viewer

FIELDS = {"code": 20, "name_zh": 40, "name_en": 60, "licence": 40}  # the most characters of each
MISSING = N_("Please enter a staff number and both names.")


def blueprint(scenes: SceneCodes) -> Blueprint:
    """The pages; ``scenes`` makes the invitations' codes."""
    bp = desk_blueprint("desk_staff")

    @bp.post("/staff/<uuid:person_id>/invite")
    @staff(Role.ADMINISTRATOR)
    def invite(person_id: UUID) -> ResponseReturnValue:
        """WeChat is asked for the code with no transaction open; a refused one leads nowhere."""
        with transaction() as session:
            code = members.entry(session, person_id).practitioner.code
            policy = current(session, now())
        scene = invitations.new_scene()
        url = scenes.create(scene, invitations.seconds(policy))
        with transaction() as session:
            invitations.create(session, code, scene, url, by=viewer().account_id, now=now(), policy=policy)
        return _back(person_id)

    bp.add_url_rule("/staff", view_func=staff_list, methods=["GET"])
    bp.add_url_rule("/staff", view_func=add, methods=["POST"])
    bp.add_url_rule("/staff/new", view_func=new, methods=["GET"])
    bp.add_url_rule("/staff/<uuid:person_id>", view_func=one, methods=["GET"])
    bp.add_url_rule("/staff/<uuid:person_id>/roles", view_func=grant, methods=["POST"])
    bp.add_url_rule("/staff/<uuid:person_id>/roles/<uuid:role_id>/withdraw", view_func=withdraw, methods=["POST"])
    bp.add_url_rule("/staff/<uuid:person_id>/invite/cancel", view_func=cancel, methods=["POST"])
    bp.add_url_rule("/staff/<uuid:person_id>/unbind", view_func=unbind, methods=["POST"])
    bp.add_url_rule("/staff/<uuid:person_id>/<any('let-in', 'shut-out'):verb>", view_func=let, methods=["POST"])
    return bp


@staff(*READERS)
def staff_list() -> ResponseReturnValue:
    with transaction() as session:
        found = members.entries(session)
    return page("staff.html", entries=found, may_change=_may_change())


@staff(Role.ADMINISTRATOR)
def new() -> ResponseReturnValue:
    return _form({}, None)


@staff(Role.ADMINISTRATOR)
def add() -> ResponseReturnValue:
    """A new member of staff, without roles and not yet bound."""
    sent = {name: unicodedata.normalize("NFKC", request.form.get(name, "")).strip() for name in FIELDS}
    sent |= {name: request.form.get(name, "") for name in ("department", "title")}
    if not all(sent[name] for name in ("code", "name_zh", "name_en")):
        return _form(sent, MISSING)
    try:
        with transaction() as session:
            made = members.add(
                session,
                code=sent["code"][:20],
                name={"zh_CN": sent["name_zh"][:40], "en": sent["name_en"][:60]},
                department_id=_department(session, sent["department"]),
                title=next((title for title in Title if title == sent["title"]), None),
                licence=sent["licence"][:40] or None,
                by=viewer().account_id,
                now=now(),
            )
    except Refused as refusal:
        return _form(sent, refusal.message)
    return _back(made.id)


@staff(*READERS)
def one(person_id: UUID) -> ResponseReturnValue:
    return _page(person_id)


@staff(Role.ADMINISTRATOR)
def grant(person_id: UUID) -> ResponseReturnValue:
    role = next((role for role in Role if role == request.form.get("role")), None)
    if role is None:
        raise NotFound
    try:
        with transaction() as session:
            where = _department(session, request.form.get("department", ""))
            who = _person(session.get(Practitioner, person_id))
            members.grant(session, who, role, where, by=viewer().account_id, now=now())
    except Refused as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _page(person_id, problem=say(refusal.message), status=refusal.status, sent=request.form)
    return _back(person_id)


@staff(Role.ADMINISTRATOR)
def withdraw(person_id: UUID, role_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        who = _person(session.get(Practitioner, person_id))
        members.withdraw(session, who, role_id, by=viewer().account_id, now=now())
    return _back(person_id)


@staff(Role.ADMINISTRATOR)
def cancel(person_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        invitations.cancel(session, person_id, by=viewer().account_id, now=now())
    return _back(person_id)


@staff(Role.ADMINISTRATOR)
def unbind(person_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        who = _person(session.get(Practitioner, person_id))
        members.unbind(session, who, by=viewer().account_id, now=now())
    return _back(person_id)


@staff(Role.ADMINISTRATOR)
def let(person_id: UUID, verb: str) -> ResponseReturnValue:
    with transaction() as session:
        who = _person(session.get(Practitioner, person_id))
        members.set_active(session, who, active=verb == "let-in", by=viewer().account_id, now=now())
    return _back(person_id)


def _person(found: Practitioner | None) -> Practitioner:
    if found is None:
        raise NotFound
    return found


def _department(session: Session, sent: str) -> UUID | None:
    try:
        found = session.get(Department, UUID(sent))
    except ValueError:
        return None
    return found.id if found else None


def _may_change() -> bool:
    return Role.ADMINISTRATOR in member().roles


def _back(person_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("desk_staff.one", person_id=person_id), 303)


def _form(sent: dict[str, str], problem: str | None) -> ResponseReturnValue:
    with transaction() as session:
        departments = queries.departments(session)
    said = say(problem) if problem else None
    return page(
        "member_new.html",
        422 if problem else 200,
        sent=sent,
        problem=said,
        departments=departments,
        titles=list(Title),
        limits=FIELDS,
    )


def _page(
    person_id: UUID, *, problem: str | None = None, status: int = 200, sent: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    with transaction() as session:
        entry = members.entry(session, person_id)
        waiting = invitations.waiting(session, person_id, now()) if _may_change() else None
        departments: list[Department] = list(queries.departments(session))
    picture = waiting and segno.make(waiting.url, error="m", micro=False).svg_data_uri(
        scale=6, border=4, dark="#000", light="#fff"
    )
    shown: dict[str, object] = {
        "sent": sent or {},
        "entry": entry,
        "waiting": waiting,
        "picture": picture,
        "departments": departments,
        "roles": list(Role),
    }
    return page("member.html", status, problem=problem, may_change=_may_change(), **shown)
