"""The questions of the intake, as the hospital's data file has them: a FHIR R4 Questionnaire in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from booking.admission import Age
from config.settings import ROOT

SOURCE = ROOT / "config/data/questionnaires/intake.toml"
Words = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]


class Type(StrEnum):
    """What is asked for, in FHIR's words."""

    GROUP = "group"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    INTEGER = "integer"
    DECIMAL = "decimal"
    STRING = "string"
    TEXT = "text"
    DATE_TIME = "dateTime"
    QUANTITY = "quantity"
    ATTACHMENT = "attachment"


class Strict(BaseModel):
    """Nothing may stand in the file that is not read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BothWords(Strict):
    """A text in both languages."""

    zh_CN: Words
    en: Words


class Option(Strict):
    """An answer that can be chosen."""

    code: Code
    text: BothWords


class EnableWhen(Strict):
    """An answer that makes another question asked."""

    question: Code
    operator: Literal["="]
    answer: bool | str


class Item(Strict):
    """A question, or a group of them; ages are of the visit's day, from (included) until (not any more)."""

    linkId: Code
    type: Type
    text: BothWords
    hint: BothWords | None = None
    short: BothWords | None = None
    required: bool = False
    repeats: bool = False
    none: bool = False
    min: float | None = None
    max: float | None = None
    maxLength: int | None = Field(None, ge=1, le=2000)
    from_days: int = 0
    from_months: int = 0
    until_days: int | None = None
    until_months: int | None = None
    enableWhen: tuple[EnableWhen, ...] = ()
    enableBehavior: Literal["any", "all"] = "any"
    answerOption: tuple[Option, ...] = ()
    item: tuple[Item, ...] = ()

    @property
    def label(self) -> BothWords:
        """What the desk calls it."""
        return self.short or self.text

    @property
    def rows(self) -> bool:
        """Whether it is a group that is answered in rows."""
        return self.type is Type.GROUP and self.repeats

    def at(self, age: Age) -> bool:
        """Whether it is asked at that age."""
        begun = age.days >= self.from_days and age.months >= self.from_months
        days_over = self.until_days is not None and age.days >= self.until_days
        months_over = self.until_months is not None and age.months >= self.until_months
        return begun and not days_over and not months_over

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.item) != (self.type is Type.GROUP):
            raise ValueError(f"{self.linkId}: a group has items, and nothing else has")
        if bool(self.answerOption) != (self.type in {Type.CHOICE, Type.ATTACHMENT}):
            raise ValueError(f"{self.linkId}: a choice has answerOption, and nothing else has")
        return self


class Questionnaire(Strict):
    """The whole file; its groups are the steps of the pages."""

    linkId: Code
    version: Annotated[str, Field(min_length=1, max_length=40)]
    source: Words
    verified_by: str = ""
    verified_on: date | Literal[""] = ""
    item: tuple[Item, ...] = Field(min_length=1)

    def questions(self) -> Iterator[Item]:
        """Every question of the steps in order, groups of rows as one."""
        for step in self.item:
            yield from step.item

    def step(self, link_id: str) -> Item | None:
        """The step of that id."""
        return next((step for step in self.item if step.linkId == link_id), None)

    def names(self) -> frozenset[str]:
        """What the triage rules may look at: every question, and the highest temperature of the series."""
        return frozenset(item.linkId for item in self.questions()) | {"temperature"}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        ids = [step.linkId for step in self.item]
        seen: dict[str, Item] = {}
        for item in self.questions():
            for when in item.enableWhen:
                if when.question not in seen:
                    raise ValueError(f"{item.linkId}: {when.question} is not asked before it")
                codes = {option.code for option in seen[when.question].answerOption}
                if codes and when.answer not in codes:
                    raise ValueError(f"{item.linkId}: {when.answer!r} is no answer to {when.question}")
            seen[item.linkId] = item
            ids += [item.linkId, *(row.linkId for row in item.item)]
        if len(set(ids)) < len(ids):
            raise ValueError("a linkId stands twice")
        if any(step.type is not Type.GROUP for step in self.item):
            raise ValueError("a step is not a group")
        return self


class BrokenQuestionnaire(Exception):
    """The file can't be read, or says what makes no sense; the text names the place."""


def read(source: Path) -> Questionnaire:
    """The questionnaire of a file. Raises BrokenQuestionnaire."""
    try:
        return Questionnaire.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise BrokenQuestionnaire("; ".join(faults)) from error
    except (OSError, ValueError) as error:  # TOML and Unicode errors are ValueErrors
        raise BrokenQuestionnaire(f"{type(error).__name__}: {error}") from error


@cache
def intake() -> Questionnaire:
    """The hospital's own. Raises BrokenQuestionnaire."""
    return read(SOURCE)
