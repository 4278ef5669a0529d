"""The formulary as a spreadsheet and back, and from the desk's form: every fault is named by row and column, and
nothing is half loaded. What a file does not name stays. What is changed has to be verified anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from config.spreadsheets import CELL, FileRefused, Problem, Rows
from config.text import CHINESE, ENGLISH, N_, translate
from people.audit import record as audit
from prescriptions.formulary import queries
from prescriptions.formulary.actions import put
from prescriptions.formulary.columns import COLUMNS, DOSE, PRODUCT, Column, cells, placed
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.product import Product

Row = tuple[int, Mapping[str, str]]  # its number in the file, its cells by column
MISSING = N_("is empty")
WORDS = {
    "missing": MISSING,
    "string_too_short": MISSING,
    "too_short": MISSING,
    "string_too_long": N_("is too long"),
    "string_pattern_mismatch": N_("is not written as it should be"),
    "int_type": N_("must be a whole number"),
    "int_parsing": N_("must be a whole number"),
    "greater_than_equal": N_("is too small or too large"),
    "less_than_equal": N_("is too small or too large"),
    "bool_type": N_("must be yes or no"),
    "bool_parsing": N_("must be yes or no"),
}
ODD = N_("can't be read")


@dataclass(frozen=True)
class Change:
    """A product as it was (None: new) and as it would be."""

    before: Product | None
    after: Product

    def differences(self, locale: str) -> list[tuple[str, str, str]]:
        """Heading, what it was, what it would be, for each column that differs; dose rules by their place."""
        old, new = cells(self.before, locale) if self.before else [], cells(self.after, locale)
        found = []
        for place in range(max(len(old), len(new))):
            was, now = (rows[place] if place < len(rows) else {} for rows in (old, new))
            shown = COLUMNS if place == 0 else DOSE
            found += [
                (column.heading, was.get(column.path, ""), now.get(column.path, ""))
                for column in shown
                if was.get(column.path, "") != now.get(column.path, "")
            ]
        return found


@dataclass
class Loaded:
    """What a file changes, and how many of its products are so already."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0

    @property
    def digest(self) -> str:
        """The same for the same changes: what was seen is what is done."""
        return hashlib.sha256(repr(self.changes).encode()).hexdigest()[:32]


def export(session: Session, locale: str) -> Rows:
    """The whole formulary as rows with their heading."""
    rows = [row for entry in queries.all_entries(session) for row in cells(entry.product, locale)]
    heading = [translate(locale, column.heading) for column in COLUMNS]
    return [heading, *([row[column.path] for column in COLUMNS] for row in rows)]


def load(session: Session, rows: Rows, *, by: UUID | None, note: str, now: datetime) -> Loaded:
    """Load rows (spreadsheets.read). Raises FileRefused with every fault; the caller's transaction then rolls back."""
    found, problems = parse(_rows(rows))
    if problems:
        raise FileRefused(sorted(problems, key=lambda problem: problem.row))
    loaded = Loaded()
    for product in found:
        before = put(session, product, by=by, note=note, now=now)
        if before == product:
            loaded.unchanged += 1
        else:
            loaded.changes.append(Change(before, product))
    return loaded


def apply(session: Session, rows: Rows, *, by: UUID, note: str, now: datetime) -> Loaded:
    """Load rows for good. Raises FileRefused."""
    loaded = load(session, rows, by=by, note=note, now=now)
    audit(session, "import-formulary", at=now, entity="formulary", account_id=by, changed=len(loaded.changes))
    return loaded


def _rows(rows: Rows) -> list[Row]:
    """The file's rows by column. Raises FileRefused for a heading that lacks a column, and for cells that were cut
    off."""
    places, missing = placed(rows[0])
    problems = [Problem(1, column.heading, N_("The heading lacks this column.")) for column in missing]
    found: list[Row] = []
    for number, row in enumerate(rows[1:], start=2):
        if any(row):
            found.append((number, {column.path: row[place] for place, column in places.items() if place < len(row)}))
            long = (column for place, column in places.items() if place < len(row) and len(row[place]) > CELL)
            problems += [Problem(number, column.heading, WORDS["string_too_long"]) for column in long]
    if problems:
        raise FileRefused(problems)
    return found


def parse(rows: Iterable[Row]) -> tuple[list[Product], list[Problem]]:
    """Products of rows, those with one code together, and every fault."""
    grouped: dict[str, list[Row]] = {}
    problems = []
    for number, row in rows:
        code = row.get("code", "")
        if code:
            grouped.setdefault(code, []).append((number, row))
        else:
            problems.append(Problem(number, N_("Code"), MISSING))
    products = []
    for group in grouped.values():
        product, faults = one(group)
        problems += faults
        if product:
            products.append(product)
    return products, problems


def one(group: Sequence[Row]) -> tuple[Product | None, list[Problem]]:
    """The product of its rows, or every fault. The first row has the product's cells, each has those of one dose
    rule."""
    first, head = group[0]
    problems = [
        Problem(number, column.heading, N_("differs from row %(first)s"), {"first": first})
        for number, row in group[1:]
        for column in PRODUCT
        if row.get(column.path) and row[column.path] != head.get(column.path, "")
    ]
    dosed = [(number, row) for number, row in group if any(row.get(column.path) for column in DOSE)]
    data = _data(PRODUCT, head) | {"dose": [_data(DOSE, row) for _, row in dosed]}
    try:
        product = Product.model_validate(data)
    except ValidationError as error:
        numbers = [number for number, _ in dosed]
        return None, problems + [_problem(fault, first, numbers) for fault in error.errors()]
    for name, codes in knowledge().unknown(product).items():
        heading = next(column.heading for column in PRODUCT if column.path == name)
        problems.append(Problem(first, heading, N_("nothing has the code %(codes)s"), {"codes": ", ".join(codes)}))
    return (None if problems else product), problems


def _data(columns: Sequence[Column], row: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for column in columns:
        if text := row.get(column.path, ""):
            *way, last = column.keys
            place = data
            for key in way:
                place = place.setdefault(key, {})
            place[last] = column.read(text)
    return data


def _problem(fault: Any, first: int, numbers: Sequence[int]) -> Problem:
    """A fault of the product's data, as one of a row and a column."""
    way = [str(part) for part in fault["loc"] if not isinstance(part, int)]
    of_dose = way[:1] == ["dose"]
    place = next((part for part in fault["loc"] if isinstance(part, int)), 0) if of_dose else 0
    row = numbers[place] if of_dose and numbers else first
    columns = DOSE if of_dose else PRODUCT
    path = ".".join(way)
    column = next((column for column in columns if column.path == path or column.path.startswith(f"{path}.")), None)
    heading = column.heading if column and len(way) > of_dose else ""
    if fault["type"] == "cell":
        return Problem(row, heading, fault["ctx"]["message"], fault["ctx"]["params"])
    if column and column.kind == "yuan" and fault["type"] != "missing":
        message = N_("%(text)s is no amount in yuan such as 50 or 12.50")
        return Problem(row, heading, message, {"text": str(fault["input"])[:20]})
    if fault["type"] == "enum" and column and column.names:
        said = {way: " / ".join(translate(way, name) for name in column.names.values()) for way in (CHINESE, ENGLISH)}
        return Problem(row, heading, N_("must be one of: %(zh)s (%(en)s)"), {"zh": said[CHINESE], "en": said[ENGLISH]})
    return Problem(row, heading, WORDS.get(fault["type"], ODD))
