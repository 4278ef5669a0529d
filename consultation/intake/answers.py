"""What was typed, read: answers, what can't be accepted, and what is still to be answered. Pure functions.

``Typed`` keeps every field as it came, so that nothing that a parent wrote is lost: a question's id, for rows
``id.0``, ``id.1``, for a weight ``weight``, ``weight.unit``, ``weight.again`` and ``weight.on``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from booking.admission import Age
from config.clock import SHANGHAI, today
from config.text import N_
from consultation.intake.questionnaire import Item, Questionnaire, Type
from consultation.intake.weights import LEAST_G, MOST_G, kilograms, plausible
from people.models import Sex

Typed = Mapping[str, Sequence[str]]
UNSURE = "unsure"
BOOLEANS = {"yes": True, "no": False, UNSURE: UNSURE}
UNITS = {"kg": 1000, "jin": 500}  # grams
NUMBER = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(?:°C|℃|度|天|次|%|kg|公斤|千克|斤|jin)?", re.IGNORECASE)
ROWS = 12  # of one group
PARTS = ("unit", "again", "on")  # fields of a weight beside it
MOST = 500  # characters of one field that are kept
OLDEST = timedelta(days=60)

NO_NUMBER = N_("Please write a number, such as 38.5.")
NO_WHOLE = N_("Please write a whole number.")
OUT_OF_RANGE = N_("This can't be: please write a number from %(least)s to %(most)s.")
TOO_LONG = N_("This is too long: at most %(most)s characters.")
NO_TIME = N_("Please choose the day and the time; it can't lie in the future.")
NO_CHOICE = N_("Please choose one of the answers.")
NEEDED = N_("Please fill in this too, or empty the whole line.")
ODD_WEIGHT = N_("%(kg)s kg is unusual at this age. Look again whether it is kilograms or jin, and write it once more.")


@dataclass(frozen=True)
class About:
    """Of whom and when: the age is that on the visit's day. ``weight_known``: one is there that is new enough."""

    age: Age
    sex: Sex
    born: date
    now: datetime
    weight_known: bool = False


@dataclass(frozen=True)
class Problem:
    """Why a field can't be accepted: an English msgid with its places."""

    message: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Reading:
    """``answers``: by question; ``unsure`` stands for "I don't know". ``asked``: whether it is asked (None: that hangs
    on an answer that is missing). ``problems``: by field. ``missing``: needed, and without an answer."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, bool | None] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def weight_g(self) -> int | None:
        """The weight in grams, if one was accepted."""
        found = self.answers.get("weight")
        return found["grams"] if found else None


def read(questions: Questionnaire, typed: Typed, about: About) -> Reading:
    """Read what was typed, as far as it has been."""
    reading = Reading()
    for item in questions.questions():
        reading.asked[item.linkId] = _asked(item, reading, about.age)
        if not reading.asked[item.linkId]:
            continue
        value = _value(item, typed, about, reading.problems)
        if value is not None:
            reading.answers[item.linkId] = value
        elif item.required and not (item.type is Type.QUANTITY and about.weight_known):
            reading.missing.append(item.linkId)
    return reading


def _asked(item: Item, reading: Reading, age: Age) -> bool | None:
    if not item.at(age):
        return False
    if not item.enableWhen:
        return True
    states = [_given(when.question, when.answer, reading) for when in item.enableWhen]
    needed = 1 if item.enableBehavior == "any" else len(states)
    if states.count(True) >= needed:
        return True
    return None if states.count(True) + states.count(None) >= needed else False


def _given(question: str, answer: bool | str, reading: Reading) -> bool | None:
    if reading.asked[question] is False:
        return False
    value = reading.answers.get(question)
    if value is None or value == UNSURE:
        return None
    return answer in value if isinstance(value, list) else value == answer


def _value(item: Item, typed: Typed, about: About, problems: dict[str, Problem]) -> Any:
    """The answer; None when there is none, or none that can be accepted."""
    if item.rows:
        return _rows(item, typed, about, problems) or None
    if item.type is Type.QUANTITY:
        return _weight(item.linkId, typed, about, problems)
    if item.type is Type.CHOICE and item.repeats:
        codes = {option.code for option in item.answerOption}
        return [code for code in typed.get(item.linkId, ()) if code in codes] or None
    return _single(item, item.linkId, typed, about, problems)


def _single(item: Item, name: str, typed: Typed, about: About, problems: dict[str, Problem]) -> Any:
    text = next(iter(typed.get(name, ())), "").strip()
    if not text or item.type is Type.ATTACHMENT:
        return None
    try:
        return _parsed(item, text, about)
    except _NotAccepted as refused:
        problems[name] = refused.problem
        return None


class _NotAccepted(Exception):
    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.problem = Problem(message, params)


def _parsed(item: Item, text: str, about: About) -> Any:
    if item.type is Type.BOOLEAN:
        if text not in BOOLEANS:
            raise _NotAccepted(NO_CHOICE)
        return BOOLEANS[text]
    if item.type is Type.CHOICE:
        if text not in {UNSURE, *(option.code for option in item.answerOption)}:
            raise _NotAccepted(NO_CHOICE)
        return text
    if item.type in {Type.INTEGER, Type.DECIMAL}:
        return _number(item, text)
    if item.type is Type.DATE_TIME:
        return _moment(text, about.now).isoformat()
    if item.maxLength and len(text) > item.maxLength:
        raise _NotAccepted(TOO_LONG, most=item.maxLength)
    return text


def _plain(text: str) -> str:
    """Full-width digits and letters narrow, no spaces around; a comma between digits is a point."""
    return re.sub(r"(?<=\d)[,、。](?=\d)", ".", unicodedata.normalize("NFKC", text).strip())


def _number(item: Item, text: str) -> float:
    found = NUMBER.fullmatch(_plain(text))
    if not found:
        raise _NotAccepted(NO_NUMBER if item.type is Type.DECIMAL else NO_WHOLE)
    value = float(found[1])
    if item.type is Type.INTEGER and not value.is_integer():
        raise _NotAccepted(NO_WHOLE)
    if (item.min is not None and value < item.min) or (item.max is not None and value > item.max):
        raise _NotAccepted(OUT_OF_RANGE, least=f"{item.min or 0:g}", most=f"{item.max or 999999:g}")
    return int(value) if item.type is Type.INTEGER else value


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
    except ValueError:
        raise _NotAccepted(NO_TIME) from None
    if not now - OLDEST <= moment <= now + timedelta(minutes=5):  # a phone's clock may be a little fast
        raise _NotAccepted(NO_TIME)
    return moment


def row_count(item: Item, typed: Typed) -> int:
    """How many rows of a group were typed in, empty ones between them included."""
    numbers = [
        int(end)
        for name in typed
        for start, _, end in (name.rpartition("."),)
        if end.isdecimal() and any(start == child.linkId for child in item.item) and any(typed[name])
    ]
    return min(max(numbers, default=-1) + 1, ROWS)


def _rows(item: Item, typed: Typed, about: About, problems: dict[str, Problem]) -> list[dict[str, Any]]:
    rows = []
    for number in range(row_count(item, typed)):
        names = {child.linkId: f"{child.linkId}.{number}" for child in item.item}
        if not any(text.strip() for name in names.values() for text in typed.get(name, ())):
            continue
        row = {}
        for child in item.item:
            name = names[child.linkId]
            value = _single(child, name, typed, about, problems)
            if value is not None:
                row[child.linkId] = value
            elif child.required and name not in problems:
                problems[name] = Problem(NEEDED)
        if all(child.linkId in row for child in item.item if child.required):
            rows.append(row)
    return rows


def _weight(name: str, typed: Typed, about: About, problems: dict[str, Problem]) -> dict[str, Any] | None:
    """Grams and the day of measuring; one that is unusual for the age only when it was written twice."""
    text = _plain(next(iter(typed.get(name, ())), ""))
    if not text:
        return None
    unit = UNITS.get(next(iter(typed.get(f"{name}.unit", ())), "kg"), UNITS["kg"])
    try:
        grams = _grams(text, unit)
        on = _day(_plain(next(iter(typed.get(f"{name}.on", ())), "")), about)
    except _NotAccepted as refused:
        problems[name] = refused.problem
        return None
    confirmed = False
    if not plausible(about.sex, (on - about.born).days, grams):
        try:
            confirmed = _grams(_plain(next(iter(typed.get(f"{name}.again", ())), "")), unit) == grams
        except _NotAccepted:
            confirmed = False
        if not confirmed:
            problems[name] = Problem(ODD_WEIGHT, {"kg": kilograms(grams)})
            return None
    return {"grams": grams, "on": on.isoformat(), "confirmed": confirmed}


def _grams(text: str, unit: int) -> int:
    found = NUMBER.fullmatch(text)
    if not found:
        raise _NotAccepted(NO_NUMBER)
    grams = round(float(found[1]) * unit)
    if not LEAST_G <= grams <= MOST_G:
        raise _NotAccepted(OUT_OF_RANGE, least=f"{LEAST_G / unit:g}", most=f"{MOST_G / unit:g}")
    return grams


def _day(text: str, about: About) -> date:
    here = today(about.now)
    try:
        day = date.fromisoformat(text) if text else here
    except ValueError:
        raise _NotAccepted(NO_TIME) from None
    if not about.born <= day <= here:
        raise _NotAccepted(NO_TIME)
    return day


def facts(questions: Questionnaire, reading: Reading) -> dict[str, Any]:
    """The answers as the triage rules look at them: a name that is missing was needed and not answered, None was not
    asked. "I don't know" is no answer; ``temperature`` is the highest of the series in degrees Celsius."""
    found: dict[str, Any] = {}
    for item in questions.questions():
        asked, value = reading.asked[item.linkId], reading.answers.get(item.linkId)
        name = "temperature" if item.linkId == "temperatures" else item.linkId
        if asked and value is not None and value != UNSURE:
            found[name] = max(row["celsius"] for row in value) if name == "temperature" else value
        elif asked is False or not (item.required or value == UNSURE or item.linkId in reading.problems):
            found[name] = None
    return {name: value for name, value in found.items() if not (isinstance(value, dict | list) and _inner(value))}


def _inner(value: Any) -> bool:
    """Rows and weights, which no rule compares."""
    return isinstance(value, dict) or bool(value and isinstance(value[0], dict))
