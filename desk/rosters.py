"""The roster of a department: its week, and one period of one weekday of one doctor, changed from a day on."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.models import ClinicType, Period
from booking.roster_models import OnHolidays, Roster
from booking.rosters import changes, columns, cutting, importing, queries, words
from booking.rosters.changes import Template
from booking.rosters.columns import BadCell
from booking.rosters.compare import Step
from booking.rosters.refusals import NotYourDepartment, OtherDepartment
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from config.text import N_
from desk.pages import bp, page, say
from people.models import Department, Practitioner, Role
from people.queries import department as department_by_code
from people.queries import departments
from wechat.signin import member, staff, viewer

KEEPERS = (Role.ADMINISTRATOR, Role.DEPARTMENT_HEAD)
HOURS = {Period.MORNING: ("08:00", "12:00"), Period.AFTERNOON: ("13:30", "17:00")}

READERS: dict[str, Callable[[str], Any]] = {
    "starts": columns.read_time,
    "ends": columns.read_time,
    "quota": columns.count(1),
    "fee_fen": columns.read_fee,
    "clinic_type": ClinicType,
    "later_quota": columns.count(0),
    "followup_quota": columns.count(0),
    "area_quota": columns.count(0),
    "on_holidays": OnHolidays,
    "valid_from": columns.read_date,
}


def keeps(department_id: UUID | None) -> bool:
    """Whether the member of staff keeps the roster of a department."""
    return Role.ADMINISTRATOR in member().roles or (Role.DEPARTMENT_HEAD, department_id) in member().departments


def typed(field: str) -> str:
    """What was typed into a field: full-width digits narrow, no spaces around."""
    return unicodedata.normalize("NFKC", request.form.get(field, "")).strip()


def kept(session: Session, code: str) -> Department:
    """A department by its code. Raises NotFound, NotYourDepartment."""
    found = department_by_code(session, code)
    if not keeps(found.id):
        raise NotYourDepartment
    return found


@bp.get("/rosters")
@staff(*KEEPERS)
def roster_departments() -> ResponseReturnValue:
    """The departments whose roster one keeps; a single one opens at once."""
    with transaction() as session:
        mine = [department for department in departments(session) if keeps(department.id)]
        counts = queries.rostered(session, today(now()))
    if len(mine) == 1:
        return redirect(url_for("desk.roster_week", code=mine[0].code))
    return page("rosters.html", departments=mine, counts=counts)


@bp.get("/rosters/departments/<code>")
@staff(*KEEPERS)
def roster_week(code: str) -> ResponseReturnValue:
    with transaction() as session:
        department = kept(session, code)
        first = today(now())
        last = first + timedelta(days=current(session, now(), code).horizon_last_day)
        lines = queries.week(session, department.id, first, last)
        names = {line.practitioner.id: line.practitioner.name for line in lines}
    exceptions = sorted((e for line in lines for e in line.exceptions), key=lambda e: (e.day, str(e.practitioner_id)))
    shown: dict[str, Any] = {"department": department, "lines": lines, "exceptions": exceptions, "names": names}
    return page("roster_week.html", **shown, words=words, periods=list(Period), many=_keeps_many())


@bp.get("/rosters/departments/<code>/<number>/<int:weekday>/<period>")
@staff(*KEEPERS)
def roster_cell(code: str, number: str, weekday: int, period: str) -> ResponseReturnValue:
    return _cell(code, number, weekday, period)


@bp.post("/rosters/departments/<code>/<number>/<int:weekday>/<period>")
@staff(*KEEPERS)
def save_roster_cell(code: str, number: str, weekday: int, period: str) -> ResponseReturnValue:
    """A new template from a day on. Where somebody is booked, what that means is shown first."""
    problems: dict[str, str] = {}
    values = _read(problems)
    if problems:
        return _cell(code, number, weekday, period, problems=problems)
    touched: list[Step] = []
    try:
        with transaction() as session:
            made = _template(session, code, number, (_weekday(weekday), _period(period)), values)
            touched = _effects(session, made.practitioner_id, lambda: _save(session, made))
            if not touched or request.form.get("sure"):
                _save(session, made)
                return redirect(url_for("desk.roster_week", code=code), 303)
    except BadCell as bad:
        problems["ends"] = say(bad.message)
    except OtherDepartment as refusal:
        problems["valid_from"] = say(refusal.message)
    return _cell(code, number, weekday, period, problems=problems, touched=touched)


@bp.post("/rosters/departments/<code>/<number>/<int:weekday>/<period>/end")
@staff(*KEEPERS)
def end_roster_cell(code: str, number: str, weekday: int, period: str) -> ResponseReturnValue:
    """No clinic from a day on."""
    try:
        first = columns.read_date(typed("from"))
        if first < today(now()):
            raise BadCell(PAST)
    except BadCell as bad:
        return _cell(code, number, weekday, period, problems={"from": say(bad.message, **bad.params)})
    with transaction() as session:
        department, doctor = kept(session, code), _doctor(session, number)
        found = queries.templates(session, department.id, doctor.id, (_weekday(weekday), _period(period)), first)
        touched = _effects(session, doctor.id, lambda: _end(session, found, first))
        if not touched or request.form.get("sure"):
            _end(session, found, first)
            return redirect(url_for("desk.roster_week", code=code), 303)
    return _cell(code, number, weekday, period, touched=touched, ending=first)


@bp.get("/rosters/clinics/<uuid:schedule_id>")
@staff(*KEEPERS)
def roster_clinic(schedule_id: UUID) -> ResponseReturnValue:
    """Where a task leads: a clinic in which somebody is booked and that the roster wants otherwise."""
    with transaction() as session:
        schedule, doctor, department, step = queries.clinic(session, schedule_id, now())
        if not keeps(department.id):
            raise NotYourDepartment
    return page("roster_clinic.html", schedule=schedule, doctor=doctor, department=department, step=step, words=words)


PAST = N_("That day is over.")


def _read(problems: dict[str, str]) -> dict[str, Any]:
    """The fields of the form; what is wrong with each goes into ``problems``."""
    values: dict[str, Any] = {}
    for name, read in READERS.items():
        try:
            values[name] = read(typed(name))
        except BadCell as bad:
            problems[name] = say(bad.message, **bad.params)
        except ValueError:
            raise NotFound from None  # a choice that the form does not offer
    if "valid_from" in values and values["valid_from"] < today(now()):
        problems["valid_from"] = say(PAST)
    return values | {"valid_to": None}


def _template(session: Session, code: str, number: str, cell: queries.Cell, values: dict[str, Any]) -> Template:
    department, doctor = kept(session, code), _doctor(session, number)
    values |= {"practitioner_id": doctor.id, "department_id": department.id}
    made = Template(weekday=cell[0], period=cell[1], **values)
    importing.check_template(made)
    return made


def _save(session: Session, wanted: Template) -> None:
    policy = current(session, now())
    changes.save_template(session, wanted, by=viewer().account_id, now=now(), policy=policy)


def _end(session: Session, found: list[Roster], first: date) -> None:
    policy, last = current(session, now()), first - timedelta(days=1)
    for roster in found:
        changes.end_template(session, roster, last, by=viewer().account_id, now=now(), policy=policy)


def _effects(session: Session, doctor_id: UUID, change: Callable[[], None]) -> list[Step]:
    days = cutting.cut_days(now(), current(session, now()))
    return queries.effects(session, [doctor_id], days, now(), change)


def _doctor(session: Session, number: str) -> Practitioner:
    found = queries.doctor(session, number)
    if not found.active or found.title is None:
        raise NotFound
    return found


def _weekday(weekday: int) -> int:
    if weekday > 6:
        raise NotFound
    return weekday


def _period(sent: str) -> Period:
    found = next((period for period in Period if period == sent), None)
    if found is None:
        raise NotFound
    return found


def _keeps_many() -> bool:
    return Role.ADMINISTRATOR in member().roles or len(member().departments) > 1


def _cell(
    code: str,
    number: str,
    weekday: int,
    period: str,
    *,
    problems: dict[str, str] | None = None,
    touched: list[Step] | None = None,
    ending: date | None = None,
) -> ResponseReturnValue:
    """The form, with what was typed, what is wrong with it, and where somebody is booked."""
    cell = (_weekday(weekday), _period(period))
    with transaction() as session:
        department, doctor = kept(session, code), _doctor(session, number)
        found = queries.templates(session, department.id, doctor.id, cell, today(now()))
        entries = queries.history(session, [roster.id for roster in found])
    shown = next(iter(found), None)
    sent = request.form if request.method == "POST" and not ending else _typed(shown, cell[1], now())
    status = 422 if problems else 409 if touched else 200
    context: dict[str, Any] = {"department": department, "doctor": doctor, "weekday": cell[0], "period": cell[1]}
    context |= {"templates": found, "sent": sent, "problems": problems or {}, "touched": touched, "ending": ending}
    context |= {"entries": entries, "types": words.CLINIC_TYPES, "holidays": words.ON_HOLIDAYS, "words": words}
    return page("roster_cell.html", status, **context, today=today(now()))


def _typed(roster: Roster | None, period: Period, at: datetime) -> dict[str, Any]:
    """What stands in the form at first."""
    tomorrow = (today(at) + timedelta(days=1)).isoformat()
    starts, ends = HOURS[period]
    if roster is None:
        empty = dict.fromkeys(("later_quota", "followup_quota", "area_quota"), 0)
        return {**empty, "starts": starts, "ends": ends, "quota": "", "fee_fen": "", "valid_from": tomorrow}
    values = {name: getattr(roster, name) for name in READERS}
    values |= {"starts": f"{roster.starts:%H:%M}", "ends": f"{roster.ends:%H:%M}"}
    return values | {"fee_fen": columns.show_fee(roster.fee_fen), "valid_from": max(tomorrow, str(roster.valid_from))}
