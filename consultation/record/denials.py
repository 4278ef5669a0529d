"""What a record denies and the family affirmed before the visit: shown to the doctor beside the field. Pure."""

from __future__ import annotations

from consultation.record import library
from consultation.record.content import Content
from consultation.triage.conditions import Answers

FIELDS = ("complaint", "present", "history", "epidemiology")


def contradicted(content: Content, answers: Answers) -> dict[str, list[str]]:
    """By field, the questions (ids, in the order of the data) whose answers say otherwise than the text.

    ``answers`` as consultation.intake.answers.facts has them; what is missing or not known contradicts nothing.
    """
    found = {name: _of(content.text(name), answers) for name in FIELDS}
    return {name: questions for name, questions in found.items() if questions}


def _of(text: str, answers: Answers) -> list[str]:
    plain = text.casefold()
    said = [
        condition.name
        for denial in library.templates().denial
        if any(words.casefold() in plain for words in (*denial.zh_CN, *denial.en))
        for condition in denial.answers
        if condition.holds(answers) is True
    ]
    return list(dict.fromkeys(said))
