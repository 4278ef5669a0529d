"""Answers for tests: a whole intake of a child who coughs, and a way to tell a step of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from booking.queries import Visit
from config.policy import Policy
from consultation.intake import actions
from consultation.intake.queries import Told
from consultation.intake.questionnaire import intake

SIGNS = [
    "convulsion", "drowsy", "strange-cry", "effort", "stridor", "fast-breathing", "colour", "cannot-drink",
    "vomits-all", "bad-vomit", "non-blanching", "stiff-neck", "weakness", "injury", "worried",
]  # fmt: skip
COMPLETE: dict[str, dict[str, str | list[str]]] = {
    "about": {"complaint": "咳嗽", "ill-days": "3", "symptoms": ["cough"]},
    "signs": dict.fromkeys(SIGNS, "no"),
    "fever": {"has-fever": "no"},
    "body": {"drinks": "usual", "urine": "under-4", "spirit": "well", "weight": "14.2"},
    "medicines": dict.fromkeys(["allergic", "given-any", "not-better", "chronic"], "no"),
    "contacts": dict.fromkeys(["contact", "travel", "cluster-home", "cluster-class"], "no"),
}


def fields(typed: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    """Fields as a form sends them; an underscore stands for a hyphen."""
    return {name.replace("_", "-"): [said] if isinstance(said, str) else said for name, said in typed.items()}


def tell(session: Session, visit: Visit, now: datetime, step: str, **typed: str | list[str]) -> Told:
    """The guardian who booked tells one step."""
    found = intake().step(step)
    assert found
    return actions.save(session, visit, visit.appointment.account_id, found, fields(typed), now, Policy())
