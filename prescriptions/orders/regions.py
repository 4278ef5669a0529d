"""The districts of the country (config/data/regions.csv): provinces, their cities, their districts. An address has the
code of its last one; a municipality has districts at once, and some cities have none."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from config.settings import ROOT

SOURCE = ROOT / "config/data/regions.csv"


@dataclass(frozen=True)
class Region:
    """A province, a city or a district; ``leaf``: an address can have it."""

    code: str
    name: str
    leaf: bool


@cache
def _all() -> Mapping[str, Region]:
    with SOURCE.open(encoding="utf-8", newline="") as source:
        names = {row["code"]: row["name"] for row in csv.DictReader(source)}
    parents = {_parent(code, names) for code in names}
    return {code: Region(code, name, code not in parents) for code, name in names.items()}


def _parent(code: str, known: Mapping[str, str] | Mapping[str, Region]) -> str:
    """The region that this one is part of; empty for a province."""
    if code.endswith("0000"):
        return ""
    city = f"{code[:4]}00"
    return city if city != code and city in known else f"{code[:2]}0000"


def region(code: str) -> Region | None:
    """The region of a code, if there is one."""
    return _all().get(code)


def way(code: str) -> tuple[Region, ...]:
    """A region with what it is part of, the province first. Raises KeyError."""
    known = _all()
    found = [known[code]]
    while above := _parent(found[0].code, known):
        found.insert(0, known[above])
    return tuple(found)


def within(code: str = "") -> tuple[Region, ...]:
    """What a region consists of, by code; the provinces for none."""
    return _parts().get(code, ())


@cache
def _parts() -> Mapping[str, tuple[Region, ...]]:
    known = _all()
    parts: dict[str, tuple[Region, ...]] = {}
    for code, one in sorted(known.items()):
        above = _parent(code, known)
        parts[above] = (*parts.get(above, ()), one)
    return parts


def named(code: str) -> str:
    """A district as an address has it: 北京市西城区."""
    return "".join(one.name for one in way(code))
