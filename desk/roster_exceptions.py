"""Leave, extra clinics and swaps: entered for one period of one day, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.models import ClinicType, Period
from booking.roster_models import ExceptionKind, RosterException
from booking.rosters import changes, columns, cutting, importing, queries, words
from booking.rosters.changes import Departure, days_of
from booking.rosters.columns import BadCell
from booking.rosters.compare import Step
from booking.rosters.refusals import NotYourDepartment
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from desk.pages import bp, page, say
from desk.rosters import KEEPERS, keeps, kept, typed
from people.models import Department, Practitioner, Role
from wechat.signin import member, staff, viewer

Reader = Callable[[str], Any]
EXTRA: dict[str, Reader] = {
    "starts": columns.read_time,
    "ends": columns.read_time,
    "quota": columns.count(1),
    "fee_fen": columns.read_fee,
    "clinic_type": ClinicType,
}


@bp.get("/rosters/departments/<code>/exceptions")
@staff(*KEEPERS)
def new_exception(code: str) -> ResponseReturnValue:
    return _form(code, request.args, _kind(request.args.get("kind", "leave")), {})


@bp.post("/rosters/departments/<code>/exceptions")
@staff(*KEEPERS)
def add_exception(code: str) -> ResponseReturnValue:
    """Enter it. Where somebody is booked, what that means is shown first."""
    kind = _kind(request.form.get("kind", ""))
    problems: dict[str, str] = {}
    touched: list[Step] = []
    try:
        with transaction() as session:
            wanted = _read(session, kept(session, code), kind, problems)
            if wanted:
                touched = _effects(session, wanted)
                if not touched or request.form.get("sure"):
                    _add(session, wanted)
                    return redirect(url_for("desk.roster_week", code=code) + "#exceptions", 303)
    except Refused as refusal:
        if refusal.field is None:
            raise
        problems[refusal.field] = say(refusal.message, **refusal.params)
    return _form(code, request.form, kind, problems, touched)


@bp.post("/rosters/exceptions/<uuid:exception_id>/revoke")
@staff(*KEEPERS)
def revoke_exception(exception_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = session.get(RosterException, exception_id)
        if found is None:
            raise NotFound
        if not keeps(found.department_id):
            raise NotYourDepartment
        code = session.get_one(Department, found.department_id).code
        policy = current(session, now())
        changes.revoke(session, found, by=viewer().account_id, now=now(), policy=policy)
    return redirect(url_for("desk.roster_week", code=code) + "#exceptions", 303)


def _kind(sent: str) -> ExceptionKind:
    found = next((kind for kind in ExceptionKind if kind == sent), None)
    if found is None:
        raise NotFound
    return found


def _read(session: Session, department: Department, kind: ExceptionKind, problems: dict[str, str]) -> Departure | None:
    """The form's exception; None when something is wrong, which is then in ``problems``."""
    values: dict[str, Any] = {"kind": kind, "department_id": department.id}
    values["period"] = next((period for period in Period if period == request.form.get("period")), None)
    readers: dict[str, Reader] = {"day": columns.read_date, "reason": columns.read_reason}
    if kind is ExceptionKind.EXTRA:
        readers |= EXTRA
    if kind is ExceptionKind.SWAP and not request.form.get("swap_with"):
        readers["swap_day"] = columns.read_date
    for name, read in readers.items():
        try:
            values[name] = read(typed(name))
        except BadCell as bad:
            problems[name] = say(bad.message, **bad.params)
        except ValueError:
            raise NotFound from None
    values["practitioner_id"] = _chosen(session, "practitioner", department)
    if kind is ExceptionKind.SWAP and request.form.get("swap_with"):
        values["swap_with_id"] = _chosen(session, "swap_with", department)
    if problems or values["period"] is None:
        return None
    return _checked(Departure(**values), problems)


def _checked(made: Departure, problems: dict[str, str]) -> Departure | None:
    try:
        importing.check_departure(made)
    except BadCell as bad:
        problems["swap_with" if made.kind is ExceptionKind.SWAP else "starts"] = say(bad.message)
        return None
    return made


def _chosen(session: Session, field: str, department: Department) -> UUID:
    """One of the doctors whom the form offers. Raises NotFound."""
    sent = request.form.get(field, "")
    for practitioner in _doctors(session, department):
        if practitioner.code == sent:
            return practitioner.id
    raise NotFound


def _doctors(session: Session, department: Department) -> list[Practitioner]:
    first = today(now())
    return [line.practitioner for line in queries.week(session, department.id, first, first)]


def _add(session: Session, wanted: Departure) -> None:
    policy = current(session, now())
    changes.add_exception(session, wanted, by=viewer().account_id, now=now(), policy=policy)


def _effects(session: Session, wanted: Departure) -> list[Step]:
    days = set(cutting.cut_days(now(), current(session, now()))) & days_of(wanted)
    of = [wanted.practitioner_id, *([wanted.swap_with_id] if wanted.swap_with_id else [])]
    return queries.effects(session, of, days, now(), lambda: _add(session, wanted))


def _form(
    code: str, sent: Any, kind: ExceptionKind, problems: dict[str, str], touched: list[Step] | None = None
) -> ResponseReturnValue:
    with transaction() as session:
        department = kept(session, code)
        doctors = _doctors(session, department)
    status = 422 if problems else 409 if touched else 200
    context: dict[str, Any] = {"department": department, "doctors": doctors, "sent": sent, "kind": kind}
    context |= {"problems": problems, "touched": touched, "kinds": words.KINDS, "periods": words.PERIODS}
    context |= {"types": words.CLINIC_TYPES, "today": today(now()), "all": Role.ADMINISTRATOR in member().roles}
    return page("roster_exception.html", status, **context)
