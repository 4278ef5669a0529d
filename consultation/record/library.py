"""The hospital's own data for records: templates, phrases, leaflets, safety nets, coded reasons and tests.

What the hospital has not verified is shown as such at the desk; its thresholds are the stricter ones of its sources.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from config.settings import ROOT
from consultation.record.content import Outcome
from consultation.triage.conditions import Condition, parse

FOLDER = ROOT / "config/data"
Words = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """Nothing may stand in the files that is not read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Both(Strict):
    """A text in both languages; none is an empty one."""

    zh_CN: str = ""
    en: str = ""

    def say(self, locale: str) -> str:
        """In one language."""
        return str(getattr(self, locale))


class Template(Strict):
    """A record of a common illness, as it is usually written."""

    id: Words
    name: Both
    conditions: tuple[Words, ...]
    outcome: Outcome
    complaint: Both = Both()
    present: Both = Both()
    history: Both = Both()
    epidemiology: Both = Both()
    advice: Both = Both()


class Given(Strict):
    """A phrase that everybody has."""

    code: Annotated[str, Field(pattern="^[a-z0-9]{1,12}$")]
    field: Words
    text: Both


class Denial(Strict):
    """Words that deny something (each language's own ways to say it), and the answers that say otherwise."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    zh_CN: tuple[Words, ...] = Field(min_length=1)
    en: tuple[Words, ...] = Field(min_length=1)
    answers: tuple[Annotated[Condition, BeforeValidator(parse)], ...]

    @model_validator(mode="after")
    def _names_answers(self) -> Self:
        if not all(condition.name for condition in self.answers):
            raise ValueError("each answer is a name or one comparison")
        return self


class Advice(Strict):
    """Lines that go with some diagnoses."""

    codes: tuple[Words, ...]
    source: Words
    verified_by: str
    verified_on: date | Literal[""]
    zh_CN: tuple[Words, ...] = Field(min_length=1)
    en: tuple[Words, ...] = Field(min_length=1)

    @property
    def verified(self) -> bool:
        """Whether the hospital has verified it."""
        return bool(self.verified_by and self.verified_on)

    def lines(self, locale: str) -> tuple[str, ...]:
        """In one language."""
        found: tuple[str, ...] = getattr(self, locale)
        return found


class Leaflet(Advice):
    """How to care for a child at home, from one age in months until another."""

    id: Words
    from_months: int
    until_months: int
    title: Both


class Coded(Strict):
    """A code of a list, and what it says."""

    code: Words
    text: Both


class File(Strict):
    """What each of the files begins with."""

    version: Words


class Templates(File):
    """record_templates.toml."""

    source: Words
    verified_by: str
    verified_on: date | Literal[""]
    template: tuple[Template, ...]
    phrase: tuple[Given, ...]
    denial: tuple[Denial, ...] = ()


class Leaflets(File):
    """leaflets.toml."""

    safety_net: tuple[Advice, ...]
    leaflet: tuple[Leaflet, ...]


class Outcomes(File):
    """outcomes.toml."""

    source: Words
    verified_by: str
    verified_on: date | Literal[""]
    reason: tuple[Coded, ...]
    test: tuple[Coded, ...]


class _HasCodes(Protocol):
    @property
    def codes(self) -> tuple[str, ...]: ...


Found = TypeVar("Found", bound=_HasCodes)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


@cache
def templates() -> Templates:
    """Templates and phrases. Raises ValueError when the file is not what it should be."""
    return Templates.model_validate(_read("record_templates.toml"))


@cache
def leaflets() -> Leaflets:
    """Leaflets and safety nets. Raises ValueError when the file is not what it should be."""
    return Leaflets.model_validate(_read("leaflets.toml"))


@cache
def outcomes() -> Outcomes:
    """Reasons and tests. Raises ValueError when the file is not what it should be."""
    return Outcomes.model_validate(_read("outcomes.toml"))


def coded(entries: Iterable[Coded], locale: str) -> Mapping[str, str]:
    """A coded list in one language, in its order."""
    return {entry.code: entry.text.say(locale) for entry in entries}


def safety_net(code: str | None) -> Advice:
    """What to watch, for the main diagnosis."""
    return _best(leaflets().safety_net, code)


def leaflet(code: str | None, months: int) -> Leaflet:
    """How to care for the child, for the main diagnosis and the age in months."""
    return _best((found for found in leaflets().leaflet if found.from_months <= months < found.until_months), code)


def _best(entries: Iterable[Found], code: str | None) -> Found:
    """The one whose codes fit longest; the one for everything else has none."""

    def fit(entry: Found) -> int:
        if not entry.codes:
            return 0
        return max((len(begins) for begins in entry.codes if (code or "").startswith(begins)), default=-1)

    return max((entry for entry in entries if fit(entry) >= 0), key=fit)
