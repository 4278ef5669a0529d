"""The port behind the few questions that come before a number: how is the child right now, and may it wait for a visit
over the internet? They are asked of the child, whatever the department."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    """What follows from the answers, from mild to strict."""

    FINE = "fine"
    DOCTOR_DECIDES = "doctor-decides"
    HOSPITAL_TODAY = "hospital-today"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """Its place from mild to strict."""
        return list(Level).index(self)


PASSING = (Level.FINE, Level.DOCTOR_DECIDES)
Text = Mapping[str, str]  # {"zh_CN": ..., "en": ...}


@dataclass(frozen=True)
class Age:
    """A child's age in full days, and in full months as a paediatrician counts them."""

    days: int
    months: int

    @classmethod
    def of(cls, born: date, on: date) -> Age:
        """The age on a day."""
        months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
        return cls((on - born).days, months)


@dataclass(frozen=True)
class Question:
    """One row of the page; yes is a warning sign."""

    id: str
    text: Text


@dataclass(frozen=True)
class Screen:
    """The questions for one age, and the version of the rules that they belong to."""

    version: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Verdict:
    """What the answers mean: the strictest level of the rules that hold, and their ids."""

    version: str
    level: Level
    rules: tuple[str, ...]


class Unanswered(Exception):
    """Some of the questions have no answer; an unanswered question is not a no. ``ids`` are theirs."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


class Admission(Protocol):
    """The port. Rules that are missing or broken raise ScreenUnavailable: they stop booking, they never let it pass."""

    def questions(self, age: Age) -> Screen:
        """What to ask about a child of this age; at least one question."""

    def judge(self, age: Age, answers: Mapping[str, bool]) -> Verdict:
        """What the answers (question id to yes) mean. Raises Unanswered."""

    def advice(self, level: Level) -> tuple[Text, ...]:
        """What to do and to watch until the child is seen."""
