"""The hospital's own list of reactions to medicines and what they mean (config/data/reactions.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.settings import ROOT
from prescriptions.formulary.product import Named, Strict, Words

SOURCE = ROOT / "config/data/reactions.toml"


class Severity(StrEnum):
    """120 now; to the hospital today; a pharmacist looks at it, and calls where needed."""

    EMERGENCY = "emergency"
    TODAY = "today"
    WATCH = "watch"


ORDER = list(Severity)


class Sourced(Strict):
    """Where a line comes from, and who of the hospital has verified it."""

    source: Words
    verified_by: str = ""
    verified_on: date | Literal[""] = ""


class Sign(Sourced):
    """A sign of a reaction, as a family says it; ``term`` is what it is called in a report; ``words``: that they are
    needed."""

    code: Annotated[str, Field(pattern="^[a-z-]{1,30}$")]
    text: Named
    term: Named
    severity: Severity
    words: bool = False


class Together(Sourced):
    """Signs that together mean more than each."""

    all_of: Annotated[tuple[str, ...], Field(min_length=2)]
    severity: Severity


class Advice(Sourced):
    """What to do now, by severity."""

    severity: Severity
    zh_CN: Annotated[tuple[Words, ...], Field(min_length=1)]
    en: Annotated[tuple[Words, ...], Field(min_length=1)]


class Reactions(Strict):
    """reactions.toml."""

    version: Words
    sign: Annotated[tuple[Sign, ...], Field(min_length=1)]
    together: tuple[Together, ...] = ()
    advice: tuple[Advice, ...]

    @model_validator(mode="after")
    def _whole(self) -> Reactions:
        codes = {one.code for one in self.sign}
        if unknown := {code for one in self.together for code in one.all_of} - codes:
            raise ValueError(f"nothing has the code {', '.join(sorted(unknown))}")
        if {one.severity for one in self.advice} != set(Severity):
            raise ValueError("each severity has its advice")
        return self

    def find(self, code: str) -> Sign | None:
        """The sign of a code."""
        return next((one for one in self.sign if one.code == code), None)

    def severity(self, codes: Collection[str]) -> Severity:
        """What signs mean together: the gravest."""
        held = [one.severity for one in self.sign if one.code in codes]
        held += [one.severity for one in self.together if set(one.all_of) <= set(codes)]
        return min(held, key=ORDER.index, default=Severity.WATCH)

    def to_do(self, severity: Severity, locale: str) -> tuple[str, ...]:
        """What the family does now."""
        found = next(one for one in self.advice if one.severity is severity)
        return found.en if locale == "en" else found.zh_CN


@cache
def reactions() -> Reactions:
    """The list. Raises ValueError when the file is not what it should be."""
    return Reactions.model_validate(tomllib.loads(SOURCE.read_text(encoding="utf-8")))
