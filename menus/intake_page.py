"""The intake's questions as its pages show them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from consultation.intake.answers import row_count
from consultation.intake.queries import Told
from consultation.intake.questionnaire import Item, Type
from consultation.intake.words import spoken
from menus.pages import locale, say


@dataclass(frozen=True)
class Row:
    """One row of a group: its questions with the names of their fields."""

    number: int
    cells: list[tuple[Item, str]]


@dataclass(frozen=True)
class Question:
    """A question on a step's page. ``hidden``: not asked as the answers stand; ``when`` lets the script show it."""

    item: Item
    hidden: bool
    when: str
    rows: list[Row]
    typed: dict[str, list[str]]
    problems: dict[str, str]
    missing: bool

    def value(self, name: str) -> str:
        """What stands in a field."""
        return next(iter(self.typed.get(name, ())), "")


def questions_of(found: Told, step: Item, extra: str | None) -> list[Question]:
    """The step's questions for the child's age; ``extra`` is the group that shows a further empty row."""
    fields = {item.linkId for item in step.item} | {row.linkId for item in step.item for row in item.item}
    touched = any(name.partition(".")[0] in fields for name in found.typed)
    problems = {name: say(fault.message, **fault.params) for name, fault in found.reading.problems.items()}
    return [
        Question(
            item=item,
            hidden=not found.reading.asked[item.linkId],
            when=_when(item),
            rows=_rows(item, found, item.linkId == extra),
            typed=found.typed,
            problems=problems,
            missing=touched and item.linkId in found.reading.missing,
        )
        for item in step.item
        if item.at(found.about.age)
    ]


def _when(item: Item) -> str:
    """What the script compares: question and value as the form has it; any of them, unless all."""
    pairs = [[when.question, _in_form(when.answer)] for when in item.enableWhen]
    return json.dumps({"all": item.enableBehavior == "all", "of": pairs}) if pairs else ""


def _in_form(answer: bool | str) -> str:
    return {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else answer


def _rows(item: Item, found: Told, extra: bool) -> list[Row]:
    if not item.rows:
        return []
    filled = row_count(item, found.typed)
    count = max(filled + (1 if extra else 0), 1)
    return [Row(number, [(cell, f"{cell.linkId}.{number}") for cell in item.item]) for number in range(count)]


def said(found: Told, step: Item) -> list[tuple[Item, str | None]]:
    """The step's questions that are asked, each with its answer in words (None: none)."""
    return [
        (item, spoken(item, found.reading.answers.get(item.linkId), locale()))
        for item in step.item
        if found.reading.asked[item.linkId] and item.type is not Type.ATTACHMENT
    ]
