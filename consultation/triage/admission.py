"""The adapter of booking's port Admission: the questions before a number, from the hospital's triage rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import structlog

from booking.admission import Age, Level, Question, Screen, Text, Unanswered, Verdict
from booking.refusals import ScreenUnavailable
from config.hospital import hospital
from consultation.triage.rules import SOURCE, BrokenRules, Rules, judge, read

log = structlog.get_logger()


class FileAdmission:
    """The port's own adapter. The file is read until it could be, so that a repaired one counts at once."""

    def __init__(self, source: Path = SOURCE) -> None:
        self._source = source
        self._read: Rules | None = None

    def questions(self, age: Age) -> Screen:
        """What to ask about a child of this age. Raises ScreenUnavailable, also when there is nothing to ask."""
        rules = self._rules()
        asked = tuple(Question(found.id, found.text.model_dump()) for found in rules.question if found.at(age))
        if not asked:
            raise _unavailable(f"no rules for the age of {age.days} days")
        return Screen(rules.version, asked)

    def judge(self, age: Age, answers: Mapping[str, bool]) -> Verdict:
        """The strictest level of the rules that hold. Raises Unanswered, ScreenUnavailable."""
        ids = [question.id for question in self.questions(age).questions]
        if missing := tuple(question for question in ids if question not in answers):
            raise Unanswered(missing)
        rules = self._rules()
        given = {found.id: answers[found.id] if found.id in ids else None for found in rules.question}
        verdict = judge(rules.version, rules.screening, given, age)
        return Verdict(verdict.version, verdict.level, verdict.held)

    def advice(self, level: Level) -> tuple[Text, ...]:
        """What to do and to watch at a level. Raises ScreenUnavailable."""
        return tuple(
            line.model_dump() for advice in self._rules().advice if advice.level is level for line in advice.lines
        )

    def _rules(self) -> Rules:
        if self._read is None:
            try:
                self._read = read(self._source)
            except BrokenRules as error:
                raise _unavailable(str(error)) from error
        return self._read


def _unavailable(why: str) -> ScreenUnavailable:
    log.error("screen-rules-broken", why=why)
    return ScreenUnavailable(phone=hospital().number("hospital"))
