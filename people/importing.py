"""Loads the hospital's patient index from its CSV: every bad row is named, and nothing is half loaded."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from people.index import IndexRecord, Visit, code_blind, number_blind, put
from people.models import Department, IndexEntry, Sex

SEXES = {
    "male": Sex.MALE,
    "男": Sex.MALE,
    "female": Sex.FEMALE,
    "女": Sex.FEMALE,
    "unknown": Sex.UNKNOWN,
    "": Sex.UNKNOWN,
}
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_VISIT = re.compile(r"([a-z0-9-]{1,40})[ :]+(\S+)")
OTHER = "other"  # a department of the hospital that has no internet clinic
_PHONE_SEPARATORS = re.compile(r"[;；,，/、\s]+")
_PHONE_MARKS = re.compile(r"^(?:\+|00)86|[-()]")


class ImportRefused(Exception):
    """The file was not loaded. ``problems`` names each fault: ``row 7, birth_date: ...`` (row 1 is the header)."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Counts:
    """How many children were new to the index, and how many were known and are now as the file says."""

    new: int
    known: int


def load(session: Session, data: bytes, today: date) -> Counts:
    """Load a CSV file into the index, by patient number. Raises ImportRefused.

    Children whom the file does not name stay as they are.
    """
    rows = parse(data, today)
    if problems := [*_taken_codes(session, rows), *_unknown_departments(session, rows)]:
        raise ImportRefused(*problems)
    with session.no_autoflush:
        new = sum(put(session, record) for record in rows.values())
    session.flush()
    return Counts(new, len(rows) - new)


def parse(data: bytes, today: date) -> dict[int, IndexRecord]:
    """The children of a CSV file (UTF-8 or GB18030) by row. Raises ImportRefused with every fault of the file."""
    lines = csv.reader(io.StringIO(_text(data), newline=""))
    header = [name.strip() for name in next(lines, [])]
    if sorted({*header, *OPTIONAL}) != sorted([*READERS, *OPTIONAL]) or len(header) != len(set(header)):
        raise ImportRefused(f"row 1: the columns must be {','.join(READERS)} and, if known, {','.join(OPTIONAL)}")
    rows, problems = {}, []
    for row, cells in enumerate(lines, start=2):
        if len(cells) == len(header):
            record, faults = _record(dict(zip(header, cells, strict=True)), today)
            if record:
                rows[row] = record
            problems += [f"row {row}, {fault}" for fault in faults]
        elif cells:
            problems.append(f"row {row}: has {len(cells)} values instead of {len(header)}")
    problems += [*_doubled(rows, "code"), *_doubled(rows, "number")]
    if problems:
        raise ImportRefused(*problems)
    return rows


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportRefused("the file is neither UTF-8 nor GB18030")


def _record(cells: Mapping[str, str], today: date) -> tuple[IndexRecord | None, list[str]]:
    values: dict[str, Any] = {}
    faults = []
    for column, read in (READERS | OPTIONAL).items():
        try:
            values[column] = read(cells.get(column, "").strip())
        except ValueError as error:
            faults.append(f"{column}: {error}")
    if faults:
        return None, faults
    record = IndexRecord(**values)
    if record.birth_date > today:
        faults.append("birth_date: is in the future")
    last = [record.last_visit_on] if record.last_visit_on else []
    for column, days in {"last_visit_on": last, "visits": [day for _, day in record.visits]}.items():
        if not all(record.birth_date <= day <= today for day in days):
            faults.append(f"{column}: is before birth_date or in the future")
    return record, faults


def _words(longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not text:
            raise ValueError("is empty")
        if len(text) > longest or not text.isprintable():
            raise ValueError(f"is longer than {longest} characters or not printable")
        return text

    return read


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:20]!r} is no date such as 2021-03-09")
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        raise ValueError(f"{text[:20]!r} is not in the calendar") from None


def _maybe_date(text: str) -> date | None:
    return _date(text) if text else None


def _visits(text: str) -> tuple[Visit, ...]:
    visits = []
    for part in filter(None, (part.strip() for part in re.split("[;；]", text))):
        match = _VISIT.fullmatch(part)
        if not match:
            raise ValueError(f"{part[:40]!r} is no visit such as internal-medicine 2021-03-09; several: a semicolon")
        visits.append((match[1], _date(match[2])))
    return tuple(visits)


def _sex(text: str) -> Sex:
    if text.lower() not in SEXES:
        raise ValueError("is none of male, female, unknown, 男, 女")
    return SEXES[text.lower()]


def _phones(text: str) -> tuple[str, ...]:
    phones = tuple(_PHONE_MARKS.sub("", phone) for phone in _PHONE_SEPARATORS.split(text) if phone)
    if not all(phone.isascii() and phone.isdigit() and 7 <= len(phone) <= 15 for phone in phones):
        raise ValueError("holds something that is no phone number; several are separated by a space")
    return phones


READERS: dict[str, Callable[[str], Any]] = {
    "code": _words(128),
    "number": _words(40),
    "name": _words(60),
    "birth_date": _date,
    "sex": _sex,
    "phones": _phones,
    "last_visit_on": _maybe_date,  # empty: registered, never seen
}
OPTIONAL: dict[str, Callable[[str], Any]] = {"visits": _visits}


def _doubled(rows: Mapping[int, IndexRecord], column: str) -> Iterator[str]:
    first: dict[str, int] = {}
    for row, record in rows.items():
        before = first.setdefault(getattr(record, column).upper(), row)
        if before != row:
            yield f"row {row}, {column}: stands in row {before} already"


def _taken_codes(session: Session, rows: Mapping[int, IndexRecord]) -> Iterator[str]:
    """Codes that belong to another patient number in the index: a code never moves to another child."""
    owners = {code: number for code, number in session.execute(select(IndexEntry.code_blind, IndexEntry.number_blind))}
    for row, record in rows.items():
        owner = owners.get(code_blind(record.code))
        if owner is not None and owner != number_blind(record.number):
            yield f"row {row}, code: belongs to another patient number"


def _unknown_departments(session: Session, rows: Mapping[int, IndexRecord]) -> Iterator[str]:
    known = {OTHER, *session.scalars(select(Department.code))} if any(record.visits for record in rows.values()) else {}
    for row, record in rows.items():
        for code in sorted({code for code, _ in record.visits} - set(known)):
            yield f"row {row}, visits: no department {code!r}; one without an internet clinic is {OTHER!r}"
