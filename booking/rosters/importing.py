"""Rosters from a spreadsheet and back: every fault is named by row and column, and nothing is half loaded.

What the file does not name stays. A template is known by doctor, weekday, period and first day; an exception by doctor,
day and period.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.models import ClinicType
from booking.roster_models import ExceptionKind, OnHolidays, Roster, RosterException
from booking.rosters import changes
from booking.rosters.changes import Change, Departure, Template, departure_of, template_of
from booking.rosters.columns import EXCEPTIONS, TEMPLATES, BadCell, Column, Directory, headings, placed
from booking.rosters.cutting import cut_days, cut_soon
from config.clock import today
from config.errors import Refused
from config.policy import Policy
from config.spreadsheets import FileRefused, Problem, Rows
from config.text import N_
from people.audit import record as audit

What = Literal["templates", "exceptions"]
MayKeep = Callable[[UUID], bool]  # whether the sender keeps the roster of a department

COLUMNS: Mapping[What, Sequence[Column]] = {"templates": TEMPLATES, "exceptions": EXCEPTIONS}
EXTRA = ("starts", "ends", "quota", "fee_fen", "clinic_type")


@dataclass
class Loaded:
    """What a file changes, and how many of its rows are so already."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0

    @property
    def digest(self) -> str:
        """The same for the same changes: what was seen is what is done."""
        return hashlib.sha256(repr(self.changes).encode()).hexdigest()[:32]


def export(session: Session, what: What, now: datetime, locale: str, may: MayKeep) -> Rows:
    """The templates in force and to come, or the exceptions from today on, as rows with their heading."""
    known, columns = Directory(session), COLUMNS[what]
    found = _templates(session, today(now)) if what == "templates" else _exceptions(session, today(now))
    values = [value for value in found if may(value.department_id) and known.by_id[value.practitioner_id].active]
    return [headings(columns, locale), *(_shown(value, columns, known, locale) for value in values)]


def load(session: Session, what: What, rows: Rows, *, by: UUID | None, now: datetime, may: MayKeep) -> Loaded:
    """Load rows (spreadsheets.read). Raises FileRefused with every fault; the caller's transaction then rolls back."""
    known = Directory(session)
    parsed, problems = _parse(rows, COLUMNS[what], known, may)
    loaded = Loaded()
    for number, values in parsed.items():
        try:
            if what == "templates":
                made = changes.put_template(session, _template(values, known), by=by, now=now)
            else:
                made = _put_exception(session, _departure(values, known), by=by, now=now)
        except BadCell as bad:
            problems.append(Problem(number, "", bad.message, bad.params))
        except Refused as refusal:
            problems.append(Problem(number, "", refusal.message, refusal.params))
        else:
            loaded.changes += made
            loaded.unchanged += not made
    if problems:
        raise FileRefused(sorted(problems, key=lambda problem: problem.row))
    return loaded


def apply(
    session: Session, what: What, rows: Rows, *, by: UUID | None, now: datetime, policy: Policy, may: MayKeep
) -> Loaded:
    """Load rows for good: audited, and cut again by the worker. Raises FileRefused."""
    loaded = load(session, what, rows, by=by, now=now, may=may)
    counts = Counter(change.kind for change in loaded.changes)
    audit(session, "import-rosters", at=now, entity="roster", account_id=by, what=what, counts=dict(counts))
    cut_soon(session, cut_days(now, policy), now, policy)
    return loaded


def _parse(
    rows: Rows, columns: Sequence[Column], known: Directory, may: MayKeep
) -> tuple[dict[int, dict[str, Any]], list[Problem]]:
    """Rows by number to their values, and the faults of single cells and rows."""
    places, missing = placed(columns, rows[0])
    if missing:
        problem = N_("The heading lacks this column.")
        raise FileRefused([Problem(1, column.heading, problem) for column in missing])
    parsed: dict[int, dict[str, Any]] = {}
    problems: list[Problem] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        values, faults = _values(number, row, places, known)
        if not faults and not may(values["department_id"]):
            faults = [Problem(number, N_("Department"), N_("is not one whose roster you keep"))]
        problems += faults
        if not faults:
            parsed[number] = values
    return parsed, problems + list(_doubled(parsed))


def _values(
    number: int, row: Sequence[str], places: Mapping[int, Column], known: Directory
) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for place, column in places.items():
        text = row[place] if place < len(row) else ""
        try:
            if text and column.field:
                values[column.field] = column.read(text, known)
            elif column.required:
                raise BadCell(N_("is empty"))
        except BadCell as bad:
            problems.append(Problem(number, column.heading, bad.message, bad.params))
    if len(row) > max(places, default=0) + 1 and any(row[max(places) + 1 :]):
        problems.append(Problem(number, "", N_("has more cells than the heading")))
    if not problems and not values.get("department_id"):
        values["department_id"] = known.by_id[values["practitioner_id"]].department_id
        if values["department_id"] is None:
            problems.append(Problem(number, N_("Department"), N_("is empty")))
    return values, problems


def _doubled(parsed: Mapping[int, Mapping[str, Any]]) -> Iterator[Problem]:
    names = ("practitioner_id", "weekday", "day", "period", "valid_from")
    first: dict[tuple[Any, ...], int] = {}
    for number, values in parsed.items():
        before = first.setdefault(tuple(values.get(name) for name in names), number)
        if before != number:
            yield Problem(number, "", N_("is about the same as row %(before)s"), {"before": before})


def _template(values: Mapping[str, Any], known: Directory) -> Template:  # noqa: ARG001
    defaults: dict[str, Any] = {"clinic_type": ClinicType.ORDINARY, "on_holidays": OnHolidays.AS_WORKDAYS}
    defaults |= {"later_quota": 0, "followup_quota": 0, "area_quota": 0, "valid_to": None}
    made = Template(**{**defaults, **values})
    check_template(made)
    return made


def check_template(made: Template) -> None:
    """What the fields of a template say together. Raises BadCell."""
    if made.ends <= made.starts:
        raise BadCell(N_("ends before it starts"))
    if made.later_quota + made.followup_quota + made.area_quota > made.quota:
        raise BadCell(N_("keeps back more numbers than there are"))
    if made.valid_to and made.valid_to < made.valid_from:
        raise BadCell(N_("ends before its first day"))


def _departure(values: Mapping[str, Any], known: Directory) -> Departure:  # noqa: ARG001
    given = dict(values)
    if given["kind"] is ExceptionKind.EXTRA:
        given.setdefault("clinic_type", ClinicType.ORDINARY)
    made = Departure(**given)
    check_departure(made)
    return made


def check_departure(made: Departure) -> None:
    """What the fields of an exception say together. Raises BadCell."""
    hours = [getattr(made, name) is not None for name in EXTRA]
    if made.kind is ExceptionKind.EXTRA and not all(hours):
        raise BadCell(N_("an extra clinic needs its hours, numbers and fee"))
    if made.kind is not ExceptionKind.EXTRA and any(hours):
        raise BadCell(N_("only an extra clinic has hours, numbers and a fee"))
    swaps = (made.swap_with_id is not None) + (made.swap_day is not None)
    if swaps != (made.kind is ExceptionKind.SWAP):
        raise BadCell(N_("a swap, and only a swap, names either a colleague or another day"))
    if made.starts and made.ends and made.ends <= made.starts:
        raise BadCell(N_("ends before it starts"))
    if made.swap_day == made.day or made.swap_with_id == made.practitioner_id:
        raise BadCell(N_("a swap is with somebody else or on another day"))


def _put_exception(session: Session, wanted: Departure, *, by: UUID | None, now: datetime) -> list[Change]:
    live = session.scalar(
        select(RosterException).where(
            RosterException.practitioner_id == wanted.practitioner_id,
            RosterException.day == wanted.day,
            RosterException.period == wanted.period,
            RosterException.revoked_at.is_(None),
        )
    )
    before = departure_of(live) if live else None
    if before == wanted:
        return []
    if live:
        changes.take_back(session, live, by=by, now=now)
    changes.put_exception(session, wanted, by=by, now=now)
    return [Change(before, wanted)]


def _templates(session: Session, since: date) -> list[Template]:
    order = (Roster.practitioner_id, Roster.weekday, Roster.period, Roster.valid_from)
    rows = session.scalars(
        select(Roster).where(Roster.valid_to.is_(None) | (Roster.valid_to >= since)).order_by(*order)
    )
    return [template_of(row) for row in rows]


def _exceptions(session: Session, since: date) -> list[Departure]:
    rows = session.scalars(
        select(RosterException)
        .where(RosterException.revoked_at.is_(None))
        .where(or_(RosterException.day >= since, RosterException.swap_day >= since))
        .order_by(RosterException.day, RosterException.practitioner_id, RosterException.period)
    )
    return [departure_of(row) for row in rows]


def _shown(value: Template | Departure, columns: Sequence[Column], known: Directory, locale: str) -> list[str]:
    cells = ((column, getattr(value, column.field or "practitioner_id")) for column in columns)
    return ["" if cell is None else column.show(cell, known, locale) for column, cell in cells]
