"""The hospital's patient index (HIS), as the clinic asks it: who holds this QR code or patient number, seen where?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.database import transaction
from config.encryption import blind
from people.models import IndexEntry, Sex

CODE_CONTEXT = "index.code"
NUMBER_CONTEXT = "index.number"
SOMEWHERE = ""  # the department of a visit of which only the day is known
Visit = tuple[str, date]


@dataclass(frozen=True)
class IndexRecord:
    """What the index knows of one child. ``phones`` are the guardians' numbers on file, digits only.

    ``last_visit_on``: None for a child who is registered and was never seen. ``visits``: the department's code and the
    day of each visit in person that the index can name; a department that the clinic does not have is ``other``.
    """

    code: str
    number: str
    name: str
    birth_date: date
    sex: Sex
    phones: tuple[str, ...]
    last_visit_on: date | None
    visits: tuple[Visit, ...] = ()

    @property
    def seen(self) -> tuple[Visit, ...]:
        """Every known visit, newest first; the last one without its department when no visit names that day."""
        known = set(self.visits)
        if self.last_visit_on and self.last_visit_on not in {day for _, day in known}:
            known.add((SOMEWHERE, self.last_visit_on))
        return tuple(sorted(known, key=lambda visit: (visit[1], visit[0]), reverse=True))


class PatientIndex(Protocol):
    """The port. Adapters may ask another system: call with no transaction open. They raise IndexUnavailable."""

    def find(self, code: str) -> IndexRecord | None:
        """The child who holds this QR code (opaque, compared exactly after trimming)."""

    def find_number(self, number: str) -> IndexRecord | None:
        """The child with this patient number."""


def code_blind(code: str) -> bytes:
    """The blind index of a QR code's content."""
    return blind(code.strip(), CODE_CONTEXT)


def number_blind(number: str) -> bytes:
    """The blind index of a patient number; letters count without case."""
    return blind(number.strip().upper(), NUMBER_CONTEXT)


class TablePatientIndex:
    """The index as a table that `flask index import` fills from the hospital's CSV."""

    def find(self, code: str) -> IndexRecord | None:
        return self._read(IndexEntry.code_blind == code_blind(code))

    def find_number(self, number: str) -> IndexRecord | None:
        return self._read(IndexEntry.number_blind == number_blind(number))

    def _read(self, condition: object) -> IndexRecord | None:
        with transaction() as session:
            entry = session.scalar(select(IndexEntry).where(condition))  # type: ignore[arg-type]
            return record_of(entry) if entry else None


def record_of(entry: IndexEntry) -> IndexRecord:
    """The row as the port's answer."""
    return IndexRecord(
        code=entry.code,
        number=entry.number,
        name=entry.name,
        birth_date=entry.birth_date,
        sex=entry.sex,
        phones=tuple(entry.phones.split()),
        last_visit_on=entry.last_visit_on,
        visits=tuple((department, date.fromisoformat(day)) for department, day in entry.visits),
    )


def put(session: Session, record: IndexRecord) -> bool:
    """Insert or refresh one child of the index, by patient number. Returns whether the child is new."""
    entry = session.scalar(select(IndexEntry).where(IndexEntry.number_blind == number_blind(record.number)))
    new = entry is None
    if entry is None:
        entry = IndexEntry(number_blind=number_blind(record.number))
        session.add(entry)
    entry.code, entry.code_blind = record.code, code_blind(record.code)
    entry.number, entry.name = record.number, record.name
    entry.birth_date, entry.sex = record.birth_date, record.sex
    entry.phones, entry.last_visit_on = " ".join(record.phones), record.last_visit_on
    entry.visits = [[department, day.isoformat()] for department, day in record.visits]
    return new
