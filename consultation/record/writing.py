"""Writing with few taps: templates, phrases and what the family said before, put into a draft. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.text import LOCALES
from consultation.record import icd10, library
from consultation.record.content import CONDITIONS, TEXTS, Condition, Content, Outcome, merged
from consultation.record.library import Template
from consultation.record.refusals import TooManyConditions


def begun(said: Mapping[str, str]) -> Content:
    """A draft that nobody has touched: what the family said before the visit, by field."""
    return Content(**{field: text for field, text in said.items() if field in TEXTS})


def applied(content: Content, template: Template, locale: str) -> Content:
    """A template put in: it adds to what is written, never takes away, and never confirms what must be asked.

    A chief complaint that stands there stays alone: what the family said is not doubled by the usual words.
    """
    texts = {field: merged(content.text(field), getattr(template, field).say(locale)) for field in TEXTS}
    if content.complaint.strip():
        texts["complaint"] = content.complaint
    for code in template.conditions:
        content = with_condition(content, code, locale)
    return with_outcome(content.model_copy(update=texts), content.outcome or template.outcome, locale)


def with_phrase(content: Content, field: str, text: str) -> Content:
    """A phrase at the end of a field."""
    return content.model_copy(update={field: merged(content.text(field), text)})


def with_condition(content: Content, code: str, locale: str) -> Content:
    """One more diagnosis, the first one is the main one. Raises NoSuchCode, TooManyConditions.

    The safety net follows the main diagnosis as long as nobody has written another.
    """
    if code in {known.code for known in content.conditions}:
        return content
    if len(content.conditions) >= CONDITIONS:
        raise TooManyConditions(field="conditions", limit=CONDITIONS)
    return _diagnosed(content, (*content.conditions, icd10.condition(code)), locale)


def without_condition(content: Content, code: str, locale: str) -> Content:
    """One diagnosis less."""
    return _diagnosed(content, tuple(known for known in content.conditions if known.code != code), locale)


def as_main(content: Content, code: str, locale: str) -> Content:
    """That diagnosis becomes the main one."""
    first = tuple(known for known in content.conditions if known.code == code)
    rest = tuple(known for known in content.conditions if known.code != code)
    return _diagnosed(content, (*first, *rest), locale)


def _diagnosed(content: Content, conditions: tuple[Condition, ...], locale: str) -> Content:
    changes: dict[str, Any] = {"conditions": conditions}
    if content.safety_net in {"", *(_net(content, spoken) for spoken in LOCALES)}:
        kept = content.model_copy(update=changes)
        changes["safety_net"] = _net(kept, locale) if content.safety_net else ""
    return content.model_copy(update=changes)


def with_outcome(content: Content, outcome: Outcome, locale: str) -> Content:
    """An outcome chosen; a child that stays at home gets the written safety net of its main diagnosis."""
    net = content.safety_net if outcome is Outcome.HOSPITAL else content.safety_net or _net(content, locale)
    return content.model_copy(update={"outcome": outcome, "safety_net": net})


def standard_net(content: Content) -> dict[str, str] | None:
    """The safety net in both languages when it is the hospital's own text, so that a family reads it in theirs."""
    texts = {locale: _net(content, locale) for locale in LOCALES}
    return texts if content.safety_net in texts.values() else None


def _net(content: Content, locale: str) -> str:
    main = content.conditions[0].code if content.conditions else None
    return "\n".join(library.safety_net(main).lines(locale))
