"""What the family told before the visit: the first words of the record's fields, and what speaks against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from booking.queries import Visit
from config.text import N_, translate
from consultation.intake.answers import UNSURE, facts
from consultation.intake.queries import Told, told
from consultation.intake.questionnaire import BrokenQuestionnaire, Item, Type
from consultation.intake.words import spoken
from consultation.record.content import Content
from consultation.record.denials import contradicted

FIELDS = {"about": "present", "signs": "present", "fever": "present", "body": "present", "medicines": "history"}
APART = ("complaint", "ill-days")  # the chief complaint: what, and for how long
FOR_DAYS = N_("%(what)s, for %(days)s days")


def for_record(session: Session, visit: Visit, now: datetime, locale: str) -> Mapping[str, str]:
    """The fields of the record by name. The epidemiological history is not among them: the doctor asks it anew."""
    try:
        found = told(session, visit, now)
    except BrokenQuestionnaire:
        return {}
    answers = found.reading.answers
    what, days = answers.get("complaint"), answers.get("ill-days")
    texts = {"complaint": what or ""}
    if what and isinstance(days, int) and days:
        texts["complaint"] = translate(locale, FOR_DAYS, what=what, days=days)
    for step, field in FIELDS.items():
        if lines := _lines(found, step, locale):
            texts[field] = " ".join(filter(None, (texts.get(field, ""), lines)))
    return texts


def _lines(found: Told, step: str, locale: str) -> str:
    """What was answered with more than no, one after the other."""
    group = found.questions.step(step)
    items = group.item if group else []
    return " ".join(text for item in items if item.linkId not in APART and (text := _line(found, item, locale)))


def _line(found: Told, item: Item, locale: str) -> str:
    value = found.reading.answers.get(item.linkId)
    if value in (None, False, UNSURE) or item.type is Type.QUANTITY:
        return ""
    label, end = item.label.model_dump()[locale], "。" if locale.startswith("zh") else "."
    return f"{label}{end}" if value is True else f"{label}: {spoken(item, value, locale)}{end}"


def against(session: Session, visit: Visit, content: Content, now: datetime, locale: str) -> Mapping[str, str]:
    """By field of the record: what the family told that the text there denies, in words."""
    try:
        found = told(session, visit, now)
    except BrokenQuestionnaire:
        return {}
    denied = contradicted(content, facts(found.questions, found.reading))
    return {name: _affirmed(found, questions, locale) for name, questions in denied.items()}


def _affirmed(found: Told, questions: Iterable[str], locale: str) -> str:
    items = {item.linkId: item for item in found.questions.questions()}
    lines = (_line(found, items[question], locale).rstrip("。.") for question in questions)
    return "；".join(lines) if locale.startswith("zh") else "; ".join(lines)
