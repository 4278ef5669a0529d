"""The language in which a rule says when it holds: answers compared, joined by any, all, not and counts.

A name stands for a yes; a table compares (``{ name = "temperature", at_least = 38 }``) or joins (``{ any = [...] }``,
``{ all = [...] }``, ``{ not = ... }``, ``{ count = 2, of = [...] }``). There are three values: an answer that is
missing makes a condition unknown (None), never false. What was not asked (None among the answers) is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = bool | float | str | Sequence[str] | None
Answers = Mapping[str, Value]
Truth = bool | None

CODE = re.compile(r"[a-z0-9-]{1,40}")
NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    "at_least": lambda value, bound: value >= bound,
    "above": lambda value, bound: value > bound,
    "at_most": lambda value, bound: value <= bound,
    "below": lambda value, bound: value < bound,
}
COMPARES = ("is", "in", "has", *NUMBERS)
JOINS = ("any", "all", "not", "of")


@dataclass(frozen=True)
class Condition:
    """One condition: ``kind`` is a join or a comparison, ``value`` what is compared with, or how many must hold."""

    kind: str
    name: str = ""
    value: Any = None
    parts: tuple[Condition, ...] = ()

    def holds(self, answers: Answers) -> Truth:
        """Whether it holds; None while the answers do not say."""
        if self.kind in JOINS:
            return self._joined([part.holds(answers) for part in self.parts])
        if self.name not in answers:
            return None
        return _compared(self.kind, answers[self.name], self.value)

    def _joined(self, parts: Sequence[Truth]) -> Truth:
        """``not`` excuses only when it is sure: what is unknown is no excuse."""
        if self.kind == "not":
            return parts[0] is not True
        needed = {"any": 1, "all": len(parts), "of": self.value}[self.kind]
        if parts.count(True) >= needed:
            return True
        return None if parts.count(True) + parts.count(None) >= needed else False

    def names(self) -> Iterator[str]:
        """Every name that it asks for."""
        if self.name:
            yield self.name
        for part in self.parts:
            yield from part.names()


def _compared(kind: str, value: Value, wanted: Any) -> Truth:
    if value is None:
        return False
    if kind in NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return NUMBERS[kind](float(value), wanted) if number else None  # type: ignore[arg-type]
    if kind == "has":
        return wanted in value if isinstance(value, list | tuple) else None
    return value in wanted if kind == "in" else value == wanted


def parse(raw: Any) -> Condition:
    """A condition as the data file has it. Raises ValueError, which names the key at fault."""
    if isinstance(raw, Condition):
        return raw
    if isinstance(raw, str):
        return Condition("is", _name(raw), True)
    if not isinstance(raw, dict):
        raise ValueError(f"{raw!r} is neither a name nor a table")
    if "name" in raw:
        return _comparison(raw)
    if set(raw) == {"count", "of"}:
        parts = _parts("of", raw["of"])
        if not isinstance(raw["count"], int) or not 1 <= raw["count"] <= len(parts):
            raise ValueError(f"count: {raw['count']!r} is not between 1 and {len(parts)}")
        return Condition("of", value=raw["count"], parts=parts)
    if len(raw) == 1 and (kind := next(iter(raw))) in {"any", "all", "not"}:
        return Condition(kind, parts=(_excuse(raw[kind]),) if kind == "not" else _parts(kind, raw[kind]))
    raise ValueError(f"unknown keys: {', '.join(sorted(map(str, raw))) or 'none at all'}")


def _parts(kind: str, raw: Any) -> tuple[Condition, ...]:
    if not isinstance(raw, list) or not raw:
        raise ValueError(f"{kind}: needs a list of conditions")
    return tuple(parse(part) for part in raw)


def _excuse(raw: Any) -> Condition:
    """What stands under ``not``. Another ``not`` in it would make an unknown answer an excuse."""
    part = parse(raw)
    if any(inner.kind == "not" for inner in _all(part)):
        raise ValueError("not: holds another not")
    return part


def _all(condition: Condition) -> Iterator[Condition]:
    yield condition
    for part in condition.parts:
        yield from _all(part)


def _comparison(raw: dict[str, Any]) -> Condition:
    ways = [key for key in raw if key != "name"]
    if len(ways) != 1 or ways[0] not in COMPARES:
        raise ValueError(f"name = {raw['name']!r}: needs one of {', '.join(COMPARES)}")
    (way,) = ways
    value = raw[way]
    if way in NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{way}: {value!r} is not a number")
    if way == "in" and not (isinstance(value, list) and value):
        raise ValueError(f"in: {value!r} is not a list")
    return Condition(way, _name(raw["name"]), value)


def _name(raw: Any) -> str:
    if not isinstance(raw, str) or not CODE.fullmatch(raw):
        raise ValueError(f"{raw!r} is not the name of a question")
    return raw
