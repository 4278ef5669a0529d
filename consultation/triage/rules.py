"""The hospital's rules for red flags, as its data file has them, and what they make of a child's answers.

A rule that the hospital has not verified applies at its stricter level. An answer that is missing never counts as a no.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from booking.admission import Age, Level
from config.settings import ROOT
from consultation.triage.conditions import Answers, Condition, parse

SOURCE = ROOT / "config/data/triage.toml"
Words = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
When = Annotated[Condition, BeforeValidator(parse)]


class Strict(BaseModel):
    """Nothing may stand in the file that is not read."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class BothWords(Strict):
    """A text in both languages."""

    zh_CN: Words
    en: Words


class Aged(Strict):
    """Something for some ages: from (included) until (not any more), in days or full months."""

    from_days: int = 0
    from_months: int = 0
    until_days: int | None = None
    until_months: int | None = None

    def at(self, age: Age) -> bool:
        """Whether it is for that age."""
        begun = age.days >= self.from_days and age.months >= self.from_months
        days_over = self.until_days is not None and age.days >= self.until_days
        months_over = self.until_months is not None and age.months >= self.until_months
        return begun and not days_over and not months_over


class Asked(Aged):
    """A question before a number; yes is a warning sign."""

    id: Code
    text: BothWords


class Rule(Aged):
    """A level that holds when any, or all, of some conditions hold, or one (``when``).

    ``text`` says at the desk what was found; a rule over the questions before a number needs none.
    """

    id: Code
    text: BothWords | None = None
    any: tuple[When, ...] = ()
    all: tuple[When, ...] = ()
    when: When | None = None
    level: Level
    stricter: Level | None = None
    source: Words
    verified_by: str = ""
    verified_on: date | Literal[""] = ""

    @property
    def applies(self) -> Level:
        """The level at which it applies."""
        verified = self.verified_by and self.verified_on
        return self.level if verified or self.stricter is None else self.stricter

    @property
    def condition(self) -> Condition:
        """When it holds."""
        if self.when:
            return self.when
        return Condition("any", parts=self.any) if self.any else Condition("all", parts=self.all)

    @property
    def names(self) -> frozenset[str]:
        """The answers that it looks at."""
        return frozenset(self.condition.names())

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if [bool(self.any), bool(self.all), self.when is not None].count(True) != 1:
            raise ValueError("needs one of any, all and when")
        if self.level is Level.FINE or (self.stricter and self.stricter.rank < self.level.rank):
            raise ValueError("the level is fine, or stricter is milder than it")
        return self


class Advice(Strict):
    """What to do and to watch at a level."""

    level: Level
    lines: tuple[BothWords, ...] = Field(min_length=1)


class Rules(Strict):
    """The whole file: the questions before a number, the rules over them and over what is told before the visit."""

    version: Annotated[str, Field(min_length=1, max_length=40)]
    question: tuple[Asked, ...] = Field(min_length=1)
    rule: tuple[Rule, ...] = Field(min_length=1)
    advice: tuple[Advice, ...]

    @property
    def screening(self) -> tuple[Rule, ...]:
        """The rules over the questions before a number."""
        asked = {question.id for question in self.question}
        return tuple(rule for rule in self.rule if rule.names <= asked)

    @property
    def visiting(self) -> tuple[Rule, ...]:
        """The rules over what is told before the visit."""
        before = {rule.id for rule in self.screening}
        return tuple(rule for rule in self.rule if rule.id not in before)

    def rule_of(self, rule_id: str) -> Rule | None:
        """The rule of that id; None when this version has it no more."""
        return next((rule for rule in self.rule if rule.id == rule_id), None)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        questions, rules = [asked.id for asked in self.question], [rule.id for rule in self.rule]
        if len(set(questions)) < len(questions) or len(set(rules)) < len(rules):
            raise ValueError("an id stands twice")
        if alone := set(questions) - {name for rule in self.screening for name in rule.names}:
            raise ValueError(f"questions in no rule: {', '.join(sorted(alone))}")
        for rule in self.visiting:
            if mixed := rule.names & set(questions):
                raise ValueError(f"rule {rule.id}: {', '.join(sorted(mixed))} is asked before a number alone")
            if rule.text is None:
                raise ValueError(f"rule {rule.id}: text: is missing")
        if {advice.level for advice in self.advice} != {Level.EMERGENCY, Level.HOSPITAL_TODAY}:
            raise ValueError("advice is needed for emergency and hospital-today, once each")
        return self


class BrokenRules(Exception):
    """The file can't be read, or says what makes no sense; the text names the rule and the key."""


def read(source: Path = SOURCE, known: Collection[str] | None = None) -> Rules:
    """The rules of a file; ``known`` are the names that they may look at beside the file's own questions (None: any).

    Raises BrokenRules.
    """
    raw: Any = None
    try:
        raw = tomllib.loads(source.read_text(encoding="utf-8"))
        rules = Rules.model_validate(raw)
    except ValidationError as error:
        raise BrokenRules("; ".join(_fault(fault, raw) for fault in error.errors())) from error
    except (OSError, ValueError) as error:  # TOML and Unicode errors are ValueErrors
        raise BrokenRules(f"{type(error).__name__}: {error}") from error
    if known is not None:
        for rule in rules.visiting:
            if strange := rule.names - set(known):
                raise BrokenRules(f"rule {rule.id}: nobody asks for {', '.join(sorted(strange))}")
    return rules


def _fault(fault: Any, raw: Any) -> str:
    """``rule fever: when: ... `` instead of a number in a list."""
    place = [str(part) for part in fault["loc"]]
    if len(fault["loc"]) > 1 and isinstance(fault["loc"][1], int):
        entry = raw[fault["loc"][0]][fault["loc"][1]]
        named = entry.get("id") or entry.get("level") if isinstance(entry, dict) else None
        place[:2] = [f"{place[0]} {named or int(place[1]) + 1}"]
    return ": ".join([*place, str(fault["msg"]).removeprefix("Value error, ")])


@dataclass(frozen=True)
class Outcome:
    """What one rule for the child's age made of the answers: it holds, or not, or (None) the answers do not say."""

    rule: str
    held: bool | None
    level: Level


@dataclass(frozen=True)
class Verdict:
    """What the answers mean: the strictest level of the rules that hold. While a needed answer is missing it is the
    doctor's to decide at least."""

    version: str
    level: Level
    outcomes: tuple[Outcome, ...]

    @property
    def held(self) -> tuple[str, ...]:
        """The ids of the rules that hold."""
        return tuple(outcome.rule for outcome in self.outcomes if outcome.held)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The ids of those that nobody can say of."""
        return tuple(outcome.rule for outcome in self.outcomes if outcome.held is None)


def judge(version: str, rules: Iterable[Rule], answers: Answers, age: Age) -> Verdict:
    """What the rules for this age make of the answers: name to value, None for what was not asked. A missing name was
    asked and not answered."""
    outcomes = tuple(Outcome(rule.id, rule.condition.holds(answers), rule.applies) for rule in rules if rule.at(age))
    levels = [outcome.level for outcome in outcomes if outcome.held]
    if any(outcome.held is None for outcome in outcomes):
        levels.append(Level.DOCTOR_DECIDES)
    return Verdict(version, max(levels, key=lambda level: level.rank, default=Level.FINE), outcomes)
