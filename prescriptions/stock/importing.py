"""A delivery of lots as a spreadsheet: every fault is named by row and column, and nothing is half received."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from config.spreadsheets import FileRefused, Problem, Rows
from config.text import CHINESE, ENGLISH, N_, translate
from people.models import Practitioner
from prescriptions.formulary.knowledge import folded
from prescriptions.formulary.product import Product
from prescriptions.formulary.queries import Entry, all_entries
from prescriptions.stock import actions
from prescriptions.stock.refusals import Expired, OtherExpiry, Recalled

CODE, LOT, EXPIRY, PACKAGES = N_("Code"), N_("Lot"), N_("Expiry"), N_("Packages")
HEADINGS = (CODE, LOT, EXPIRY, PACKAGES)
MOST = 100_000  # packages at once


@dataclass(frozen=True)
class Received:
    """One line of a delivery."""

    product: Product
    number: str
    expires_on: date
    packages: int


@dataclass(frozen=True)
class Delivered:
    """What a file brings."""

    lines: tuple[Received, ...]

    @property
    def digest(self) -> str:
        """The same for the same delivery: what was seen is what is done."""
        return hashlib.sha256(repr(self.lines).encode()).hexdigest()[:32]

    @property
    def packages(self) -> int:
        """All of them together."""
        return sum(line.packages for line in self.lines)


def pattern(locale: str) -> Rows:
    """The heading, to be filled in."""
    return [[translate(locale, heading) for heading in HEADINGS]]


def load(session: Session, rows: Rows, *, by: Practitioner, note: str, now: datetime) -> Delivered:
    """Receive rows (spreadsheets.read). Raises FileRefused with every fault; the caller's transaction then rolls
    back."""
    places = _placed(rows[0])
    known = {entry.product.code: entry for entry in all_entries(session)}
    problems: list[Problem] = []
    lines, seen = [], set()
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        cells = {heading: row[place] if place < len(row) else "" for heading, place in places.items()}
        found, faults = _line(number, cells, known)
        if found and (found[0].medication.id, found[1].number) in seen:
            faults = [Problem(number, LOT, N_("stands in the file twice"))]
        elif found:
            seen.add((found[0].medication.id, found[1].number))
            faults = _receive(session, number, *found, by=by, note=note, now=now)
            lines.append(found[1])
        problems += faults
    if not lines and not problems:
        problems = [Problem(0, "", N_("The file has no row with a lot."))]
    if problems:
        raise FileRefused(problems)
    return Delivered(tuple(lines))


def _placed(heading: list[str]) -> dict[str, int]:
    """Which cell of a row is what. Raises FileRefused for a heading that lacks a column."""
    there = {folded(cell).strip(): place for place, cell in reversed(list(enumerate(heading)))}
    found: dict[str, int] = {}
    for name in HEADINGS:
        for locale in (CHINESE, ENGLISH):
            place = there.get(folded(translate(locale, name)))
            if place is not None:
                found.setdefault(name, place)
    missing = [name for name in HEADINGS if name not in found]
    if missing:
        raise FileRefused([Problem(1, name, N_("The heading lacks this column.")) for name in missing])
    return found


def _line(
    number: int, cells: Mapping[str, str], known: Mapping[str, Entry]
) -> tuple[tuple[Entry, Received] | None, list[Problem]]:
    """One row, or what is wrong with it."""
    entry, lot = known.get(cells[CODE].strip()), cells[LOT].strip()
    expires_on, packages = day_of(cells[EXPIRY]), count_of(cells[PACKAGES])
    problems = []
    if entry is None:
        problems.append(Problem(number, CODE, N_("nothing has the code %(codes)s"), {"codes": cells[CODE][:60] or "–"}))
    if not 0 < len(lot) <= 40:
        problems.append(Problem(number, LOT, N_("must have 1 to 40 characters")))
    if expires_on is None:
        problems.append(Problem(number, EXPIRY, N_("must be a day such as 2027-05-31")))
    if packages is None:
        problems.append(Problem(number, PACKAGES, N_("must be a whole number from 1 on")))
    if problems or entry is None or expires_on is None or packages is None:
        return None, problems
    return (entry, Received(entry.product, lot, expires_on, packages)), []


def _receive(
    session: Session, number: int, entry: Entry, line: Received, *, by: Practitioner, note: str, now: datetime
) -> list[Problem]:
    try:
        actions.receive(
            session, entry.medication.id, line.number, line.expires_on, line.packages, by=by, now=now, note=note
        )
    except (Expired, OtherExpiry, Recalled) as refused:
        column = LOT if isinstance(refused, Recalled) else EXPIRY
        return [Problem(number, column, refused.message, refused.params)]
    return []


def day_of(text: str) -> date | None:
    """A day as somebody writes it: 2027-05-31, 2027/5/31 or 20270531."""
    plain = text.strip().replace("/", "-").replace(".", "-")
    if plain.isdigit() and len(plain) == 8:
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    parts = plain.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts) or len(parts[0]) != 4:
        return None
    try:
        return date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None


def count_of(text: str) -> int | None:
    """Packages as somebody writes them: a whole number from 1 on."""
    plain = text.strip()
    count = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 9 else 0
    return count if 0 < count <= MOST else None
