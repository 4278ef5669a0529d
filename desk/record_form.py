"""The record's form: what was typed becomes a draft, with what is wrong named by field and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from config.text import N_
from consultation.record import icd10, library, writing
from consultation.record.content import CONDITIONS, DAYS, LABELS, TEXT, TEXTS, Condition, Content, Outcome, Urgency
from consultation.record.refusals import NoSuchCode

TOO_LONG = N_("At most %(limit)s characters.")
BAD_DAYS = N_("A whole number of days from 1 to %(limit)s.")


@dataclass(frozen=True)
class Typed:
    """What was typed, as far as it is a draft; ``problems`` by field: an English msgid with its values."""

    content: Content
    version: int
    days: str = ""
    problems: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)


def read(form: MultiDict[str, str]) -> Typed:
    """Read the form. Nothing is raised: what can't be kept is named, and shown as it was typed."""
    problems: dict[str, tuple[str, dict[str, Any]]] = {}
    values: dict[str, Any] = {}
    for name in (*TEXTS, "safety_net"):
        values[name] = form.get(name, "").replace("\r\n", "\n").rstrip()
        if len(values[name]) > TEXT:
            problems[name] = (TOO_LONG, {"limit": TEXT})
    values["epidemiology_confirmed"] = form.get("epidemiology_confirmed") == "yes"
    values["conditions"] = _conditions(form.getlist("conditions"), problems)
    values["outcome"] = _one_of(Outcome, form.get("outcome"))
    values["urgency"] = _one_of(Urgency, form.get("urgency"))
    codes = library.outcomes()
    values["reason"] = next((of.code for of in codes.reason if of.code == form.get("reason")), "")
    values["tests"] = tuple(of.code for of in codes.test if of.code in form.getlist("tests"))
    days = form.get("days", "").strip()
    values["days"] = int(days) if days.isascii() and days.isdecimal() and 1 <= int(days[:6]) <= DAYS else None
    if days and values["days"] is None:
        problems["days"] = (BAD_DAYS, {"limit": DAYS})
    version = form.get("version", "")
    return Typed(Content().model_copy(update=values), int(version) if version.isdecimal() else 0, days, problems)


def _conditions(codes: list[str], problems: dict[str, tuple[str, dict[str, Any]]]) -> tuple[Condition, ...]:
    found: dict[str, Condition] = {}
    for code in codes[:CONDITIONS]:
        try:
            found[code] = icd10.condition(code)
        except NoSuchCode as refused:
            problems["conditions"] = (refused.message, {})
    return tuple(found.values())


def _one_of(kind: Callable[[str], Any], text: str | None) -> Any:
    try:
        return kind(text or "")
    except ValueError:
        return None


def done(content: Content, do: str, locale: str, phrases: Mapping[str, tuple[str, str]]) -> Content:
    """What a button of the form makes of the draft; ``phrases`` are field and text by code.

    Raises NoSuchCode, TooManyConditions.
    """
    what, _, which = do.partition(":")
    templates = {found.id: found for found in library.templates().template}
    make: dict[str, Callable[[], Content]] = {
        "template": lambda: writing.applied(content, templates[which], locale) if which in templates else content,
        "phrase": lambda: writing.with_phrase(content, *phrases[which]) if which in phrases else content,
        "add": lambda: writing.with_condition(content, which.strip().upper(), locale),
        "drop": lambda: writing.without_condition(content, which, locale),
        "main": lambda: writing.as_main(content, which, locale),
    }
    if what in {"save", "outcome"} and content.outcome:
        return writing.with_outcome(content, content.outcome, locale)
    return make[what]() if what in make else content


def differences(mine: Content, theirs: Content, locale: str) -> list[tuple[str, str]]:
    """Where two drafts differ: the field's label (an English msgid) and what the other says."""
    return [
        (label, _text(theirs, name, locale))
        for name, label in LABELS.items()
        if getattr(mine, name) != getattr(theirs, name)
    ]


def _text(content: Content, name: str, locale: str) -> str:
    value = getattr(content, name)
    if name == "conditions":
        return "、".join(f"{one.code} {getattr(one, locale)}" for one in content.conditions)
    if name == "epidemiology_confirmed":
        return "✓" if value else "–"
    if isinstance(value, tuple):
        return "、".join(value)
    return "" if value is None else str(value)
