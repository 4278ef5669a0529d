"""What a record holds, and the form in which it is signed: pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from config.text import N_
from consultation.encounters.models import Ending

TEXT = 2000  # characters of one field
CONDITIONS = 5
DAYS = 90  # a follow-up is at most so many days ahead

Typed = Annotated[str, Field(max_length=TEXT)]

LABELS = {
    "complaint": N_("Chief complaint"),
    "present": N_("Present illness"),
    "history": N_("History"),
    "epidemiology": N_("Epidemiological history"),
    "epidemiology_confirmed": N_("Epidemiological history asked and confirmed"),
    "conditions": N_("Diagnosis"),
    "advice": N_("Advice"),
    "outcome": N_("Disposition"),
    "safety_net": N_("Safety net"),
    "urgency": N_("When to come"),
    "reason": N_("Reason"),
    "tests": N_("Tests in the hospital"),
    "days": N_("Days until the follow-up"),
}
TEXTS = ("complaint", "present", "history", "epidemiology", "advice")  # what phrases and templates fill


class Outcome(StrEnum):
    """What follows from the visit; a signed record has exactly one."""

    HOME = "home"
    TESTS = "tests"
    HOSPITAL = "hospital"
    FOLLOWUP = "followup"


class Urgency(StrEnum):
    """When the child is to come to the hospital."""

    TODAY = "today"
    EMERGENCY = "emergency"


class Condition(BaseModel):
    """A diagnosis (FHIR Condition): its ICD-10 code and its names."""

    model_config = ConfigDict(frozen=True)

    code: str
    zh_CN: str
    en: str


class Content(BaseModel):
    """What the doctor writes. The first condition is the main one; ``days`` belongs to a follow-up, ``urgency`` and
    ``reason`` (a code) to "come to the hospital", ``tests`` are codes."""

    model_config = ConfigDict(frozen=True)

    complaint: Typed = ""
    present: Typed = ""
    history: Typed = ""
    epidemiology: Typed = ""
    epidemiology_confirmed: bool = False
    conditions: tuple[Condition, ...] = Field((), max_length=CONDITIONS)
    advice: Typed = ""
    outcome: Outcome | None = None
    safety_net: Typed = ""
    urgency: Urgency | None = None
    reason: str = ""
    tests: tuple[str, ...] = ()
    days: int | None = Field(None, ge=1, le=DAYS)

    @property
    def ending(self) -> Ending:
        """How the visit ends with this outcome."""
        if self.outcome is not Outcome.HOSPITAL:
            return Ending.ANSWERED
        return Ending.EMERGENCY if self.urgency is Urgency.EMERGENCY else Ending.HOSPITAL_TODAY

    def text(self, field: str) -> str:
        """One of the fields of TEXTS."""
        return str(getattr(self, field))


def missing(content: Content) -> tuple[str, ...]:
    """The fields without which a record is not signed, in the order of the page.

    A child that stays at home gets a written safety net whatever the outcome (NICE NG143); the epidemiological history
    must have been asked (announcement of the hospital).
    """
    always = ("complaint", "present", "history", "epidemiology", "epidemiology_confirmed", "conditions", "advice")
    needed: dict[Outcome | None, tuple[str, ...]] = {
        None: ("outcome",),
        Outcome.HOME: ("safety_net",),
        Outcome.TESTS: ("tests", "safety_net"),
        Outcome.HOSPITAL: ("urgency", "reason"),
        Outcome.FOLLOWUP: ("days", "safety_net"),
    }
    return tuple(field for field in (*always, *needed[content.outcome]) if not _said(getattr(content, field)))


def _said(value: object) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def settled(content: Content) -> Content:
    """The content without what belongs to another outcome than its own."""
    empty: dict[str, Any] = {}
    if content.outcome is not Outcome.HOSPITAL:
        empty |= {"urgency": None, "reason": ""}
    else:
        empty["safety_net"] = ""
    if content.outcome is not Outcome.TESTS:
        empty["tests"] = ()
    if content.outcome is not Outcome.FOLLOWUP:
        empty["days"] = None
    return content.model_copy(update=empty)


def merged(before: str, more: str) -> str:
    """A field with something inserted: nothing typed is taken away, and nothing stands there twice."""
    if not more or more in before:
        return before
    return f"{before.rstrip()}\n{more}" if before.strip() else more


def canonical(content: Mapping[str, Any]) -> str:
    """The one way to write it down: keys sorted, no spaces, characters as they are."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> bytes:
    """SHA-256 of canonical JSON."""
    return hashlib.sha256(text.encode()).digest()
