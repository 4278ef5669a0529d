"""The departments as the hospital's data file names them: loaded into the table, and found by what a parent types."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import ROOT
from people.models import Department

SOURCE = ROOT / "config/data/departments.toml"


@cache
def _data() -> dict[str, Any]:
    with SOURCE.open("rb") as source:
        return tomllib.load(source)


def load(session: Session) -> int:
    """Bring the table in line with config/data/departments.toml, by code. Returns how many departments are new.

    A department that the file no longer names stays: visits refer to it.
    """
    known = {department.code: department for department in session.scalars(select(Department))}
    entries = _data()["department"]
    for position, entry in enumerate(entries, start=1):
        department = known.get(entry["code"])
        if department is None:
            department = Department(code=entry["code"])
            session.add(department)
        department.name, department.summary = entry["name"], entry["summary"]
        department.search = entry["search"]
        department.treats = entry.get("treats", [])
        department.not_for = entry.get("not_for", _data()["not_for"])
        department.position = position
    return sum(entry["code"] not in known for entry in entries)


def emergency_signs() -> list[dict[str, str]]:
    """What no department treats over the internet: the hospital's own list, ``{"zh_CN": ..., "en": ...}`` each."""
    return list(_data()["not_for"])


def search(departments: Iterable[Department], text: str) -> list[Department]:
    """Those whose names, pinyin or initials hold every word of the text; all of them when it is empty."""
    words = text.casefold().split()
    return [department for department in departments if all(word in _searchable(department) for word in words)]


def _searchable(department: Department) -> str:
    return " ".join([*department.name.values(), department.search, department.code]).casefold()
