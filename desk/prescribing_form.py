"""The prescription's form: what was typed becomes a draft, with what is wrong named by field and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug.datastructures import MultiDict

from config.text import N_
from prescriptions.writing.draft import LINES, REASON, VALID_DAYS, Draft, DraftLine

AMOUNT = N_("An amount above zero, with at most three figures after the point.")
WHOLE = N_("A whole number from 1 to %(limit)s.")
TOO_LONG = N_("At most %(limit)s characters.")
MOST = {"times": 24, "interval": 72, "days": 180}
DOSE = 1000  # units of the form at most


@dataclass(frozen=True)
class Typed:
    """What was typed, as far as it is a draft. ``problems`` and ``texts`` by field name as the form has it."""

    draft: Draft
    version: int
    codes: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)


def read(form: MultiDict[str, str]) -> Typed:
    """Read the form. Nothing is raised: what can't be kept is named, and shown as it was typed."""
    problems: dict[str, tuple[str, dict[str, Any]]] = {}
    texts = {name: form.get(name, "").strip()[:400] for name in form}
    codes = tuple(dict.fromkeys(code[:60] for code in form.getlist("line")[:LINES]))
    lines = [_line(code, texts, problems) for code in codes]
    reasons = {name.removeprefix("reason-"): text for name, text in texts.items() if name.startswith("reason-")}
    for key, text in [*reasons.items(), ("validity_reason", texts.get("validity_reason", ""))]:
        if len(text) > REASON:
            problems[key if key == "validity_reason" else f"reason-{key}"] = (TOO_LONG, {"limit": REASON})
    days, version = texts.get("valid_days", "1"), texts.get("version", "")
    draft = Draft(
        lines=tuple(line for line in lines if line),
        reasons={key: text[:REASON] for key, text in reasons.items() if text},
        emergency=form.get("emergency") == "yes",
        valid_days=int(days) if days in {str(n) for n in range(1, VALID_DAYS + 1)} else 1,
        validity_reason=texts.get("validity_reason", "")[:REASON],
    )
    return Typed(draft, int(version) if version.isascii() and version.isdecimal() else 0, codes, texts, problems)


def _line(code: str, texts: Mapping[str, str], problems: dict[str, tuple[str, dict[str, Any]]]) -> DraftLine | None:
    values: dict[str, int] = {}
    dose = _thousandths(texts.get(f"dose-{code}", ""))
    if dose is None:
        problems[f"dose-{code}"] = (AMOUNT, {})
    for name, most in MOST.items():
        text = texts.get(f"{name}-{code}", "")
        if text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= most:
            values[name] = int(text)
        else:
            problems[f"{name}-{code}"] = (WHOLE, {"limit": most})
    if dose is None or len(values) < len(MOST):
        return None
    return DraftLine(code=code, dose=dose, rule=texts.get(f"rule-{code}", "")[:60], **values)


def with_unread(typed: Typed, kept: Draft) -> Draft:
    """The draft to be shown: for a line that could not be read, the one that was kept; its texts stay as typed."""
    read_ = {line.code: line for line in typed.draft.lines}
    before = {line.code: line for line in kept.lines}
    lines = [
        read_.get(code) or before.get(code) or DraftLine(code=code, dose=1000, times=1, interval=24, days=1)
        for code in typed.codes
    ]
    return typed.draft.model_copy(update={"lines": tuple(lines)})


def _thousandths(text: str) -> int | None:
    """``7.5`` as 7500; a comma counts as a point."""
    try:
        value = Decimal(text.replace(",", ".").replace("，", ".")) if len(text) < 12 else Decimal(0)
    except InvalidOperation:
        return None
    if not value.is_finite() or not 0 < value <= DOSE:
        return None
    scaled = value * 1000
    return int(scaled) if scaled == int(scaled) else None
