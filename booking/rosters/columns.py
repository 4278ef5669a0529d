"""The columns of the roster's spreadsheets: what each is called, how its cells are read and written.

A heading is an English msgid; both languages are understood, in any order of columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.roster_models import FEE_FEN, QUOTA, REASON
from booking.rosters import words
from config.text import CHINESE, ENGLISH, LOCALES, N_, translate
from people.models import Department, Practitioner

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(r"(\d{1,2})[:：](\d{2})(?::00)?")
_MONEY = re.compile(r"(\d{1,6})(?:\.(\d{1,2}))?元?")


class BadCell(Exception):
    """What is wrong with a cell: an English msgid and its values."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.message, self.params = message, params


class Directory:
    """Doctors by staff number and departments by code and name, to read with; both by id, to write with."""

    def __init__(self, session: Session) -> None:
        self.practitioners = {row.code.lower(): row for row in session.scalars(select(Practitioner))}
        self.by_id = {row.id: row for row in self.practitioners.values()}
        self.departments = {row.id: row for row in session.scalars(select(Department).order_by(Department.position))}
        self.department_ids = {
            name.lower(): row.id for row in self.departments.values() for name in (row.code, *row.name.values())
        }

    def practitioner(self, text: str) -> UUID:
        """By staff number. Raises BadCell."""
        found = self.practitioners.get(text.lower())
        if found is None or not found.active:
            raise BadCell(N_("nobody who works here has the staff number %(text)s"), text=text[:20])
        return found.id

    def department(self, text: str) -> UUID:
        """By code or name. Raises BadCell."""
        if text.lower() not in self.department_ids:
            raise BadCell(N_("there is no department %(text)s"), text=text[:40])
        return self.department_ids[text.lower()]


@dataclass(frozen=True)
class Column:
    """One column. ``field`` is the value's; empty is one that is written to be read by people only."""

    field: str
    heading: str
    read: Callable[[str, Directory], Any]
    show: Callable[[Any, Directory, str], str]
    required: bool = True


def headings(columns: Sequence[Column], locale: str) -> list[str]:
    """The first row of an export."""
    return [translate(locale, column.heading) for column in columns]


def placed(columns: Sequence[Column], row: Sequence[str]) -> tuple[dict[int, Column], list[Column]]:
    """The columns by their place in a heading row, and the required ones that it lacks."""
    names = {_folded(translate(locale, c.heading)): c for c in columns for locale in LOCALES}
    found = {place: names[_folded(cell)] for place, cell in enumerate(row) if _folded(cell) in names}
    return found, [column for column in columns if column.required and column not in found.values()]


def _folded(text: str) -> str:
    return re.sub(r"[\s()（）]", "", text).lower()


def _choice(names: Mapping[Any, str]) -> tuple[Callable[[str, Directory], Any], Callable[[Any, Directory, str], str]]:
    def read(text: str, _: Directory) -> Any:
        ways = words.ways_to_say(names)
        if text.lower() not in ways:
            known = " / ".join(translate(CHINESE, name) for name in names.values())
            also = " / ".join(translate(ENGLISH, name) for name in names.values())
            raise BadCell(N_("must be one of: %(zh)s (%(en)s)"), zh=known, en=also)
        return ways[text.lower()]

    return read, lambda value, _, locale: translate(locale, names[value])


def read_weekday(text: str, _: Directory) -> int:
    """0 for Monday."""
    if text.lower() not in words.weekdays():
        raise BadCell(N_("%(text)s is no weekday such as 周三, Wed or 3"), text=text[:20])
    return words.weekdays()[text.lower()]


def read_date(text: str, _: Directory | None = None) -> date:
    """``2026-11-27``, ``2026/11/27`` or ``2026年11月27日``."""
    if match := _DATE.fullmatch(text):
        try:
            return date(*map(int, match.groups()))
        except ValueError:
            pass
    raise BadCell(N_("%(text)s is no date such as 2026-11-27"), text=text[:20])


def read_time(text: str, _: Directory | None = None) -> time:
    """``8:00`` or ``08:00``."""
    if match := _TIME.fullmatch(text):
        try:
            return time(int(match[1]), int(match[2]))
        except ValueError:
            pass
    raise BadCell(N_("%(text)s is no time such as 08:00"), text=text[:20])


def read_fee(text: str, _: Directory | None = None) -> int:
    """Yuan to fen."""
    match = _MONEY.fullmatch(text)
    fen = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else -1
    if not 0 <= fen <= FEE_FEN:
        raise BadCell(N_("%(text)s is no amount in yuan such as 50 or 12.50"), text=text[:20])
    return fen


class Count(Protocol):
    """Reads a whole number."""

    def __call__(self, text: str, known: Directory | None = None, /) -> int:
        """The number. Raises BadCell."""
        ...


def count(lowest: int) -> Count:
    """A reader of whole numbers up to QUOTA."""

    def read(text: str, _: Directory | None = None, /) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
        if not lowest <= number <= QUOTA:
            raise BadCell(N_("must be a whole number from %(low)s to %(high)s"), low=lowest, high=QUOTA)
        return number

    return read


def read_reason(text: str, _: Directory | None = None) -> str:
    """At most REASON printable characters."""
    if len(text) > REASON or not text.isprintable():
        raise BadCell(N_("is longer than %(limit)s characters"), limit=REASON)
    return text


def _unread(_: str, __: Directory) -> None:
    return None


def show_fee(fen: int) -> str:
    """Fen as yuan, ``50`` or ``12.50``."""
    return f"{fen // 100}" if fen % 100 == 0 else f"{fen // 100}.{fen % 100:02d}"


def _as_fee(value: int, _: Directory, __: str) -> str:
    return show_fee(value)


def _as_time(value: time, _: Directory, __: str) -> str:
    return value.strftime("%H:%M")


def _as_text(value: object, _: Directory, __: str) -> str:
    return str(value)


def _code(value: UUID, known: Directory, _: str) -> str:
    return known.by_id[value].code


def _name(value: UUID, known: Directory, locale: str) -> str:
    return str(known.by_id[value].name.get(locale, ""))


def _department(value: UUID, known: Directory, locale: str) -> str:
    return str(known.departments[value].name.get(locale) or known.departments[value].code)


def _weekday(value: int, _: Directory, locale: str) -> str:
    return words.weekday(value, locale)


WHO = (
    Column("practitioner_id", N_("Staff number"), lambda text, known: known.practitioner(text), _code),
    Column("", N_("Name"), _unread, _name, required=False),
    Column("department_id", N_("Department"), lambda text, known: known.department(text), _department, required=False),
)
PERIOD = Column("period", N_("Period"), *_choice(words.PERIODS))
STARTS = Column("starts", N_("Starts"), read_time, _as_time)
ENDS = Column("ends", N_("Ends"), read_time, _as_time)
NUMBERS = Column("quota", N_("Numbers"), count(1), _as_text)
FEE = Column("fee_fen", N_("Fee (yuan)"), read_fee, _as_fee)
TYPE = Column("clinic_type", N_("Clinic type"), *_choice(words.CLINIC_TYPES), required=False)

TEMPLATES = (
    *WHO,
    Column("weekday", N_("Weekday"), read_weekday, _weekday),
    PERIOD,
    STARTS,
    ENDS,
    NUMBERS,
    FEE,
    TYPE,
    Column("later_quota", N_("Kept for later that day"), count(0), _as_text, required=False),
    Column("followup_quota", N_("Kept for follow-ups"), count(0), _as_text, required=False),
    Column("area_quota", N_("Kept for controlled areas"), count(0), _as_text, required=False),
    Column("on_holidays", N_("On holidays"), *_choice(words.ON_HOLIDAYS), required=False),
    Column("valid_from", N_("Valid from"), read_date, _as_text),
    Column("valid_to", N_("Valid to"), read_date, _as_text, required=False),
)
EXCEPTIONS = (
    *WHO,
    Column("day", N_("Day"), read_date, _as_text),
    PERIOD,
    Column("kind", N_("Exception"), *_choice(words.KINDS)),
    *(Column(c.field, c.heading, c.read, c.show, required=False) for c in (STARTS, ENDS, NUMBERS, FEE, TYPE)),
    Column("swap_with_id", N_("Swap with"), lambda text, known: known.practitioner(text), _code, required=False),
    Column("swap_day", N_("Swap day"), read_date, _as_text, required=False),
    Column("reason", N_("Reason"), read_reason, _as_text, required=False),
)
