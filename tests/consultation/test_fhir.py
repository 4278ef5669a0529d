"""The intake's FHIR shapes against an independent model of R4 (R4B, which has these two resources unchanged)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.policy import Policy
from consultation.intake import actions, fhir, queries
from consultation.intake.questionnaire import Type, intake
from tests.consultation.answering import COMPLETE, tell

QUESTIONNAIRE, RESPONSE = (get_fhir_model_class(name) for name in ("Questionnaire", "QuestionnaireResponse"))
TYPES = {
    "group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url", "choice",
    "open-choice", "attachment", "reference", "quantity",
}  # R4's item-type, which the package does not check  # fmt: skip
MORE: dict[str, str | list[str]] = {
    "symptoms": ["cough", "vomiting"],
    "stridor": "unsure",
    "has-fever": "yes",
    "celsius.0": "38.5",
    "measured-at.0": "2026-11-25T08:00",
    "site.0": "ear",
    "fever-days": "1",
    "rigors": "no",
    "swelling": "no",
    "vomits": "2",
    "belly-pain": "no",
    "sunken-eyes": "no",
    "dry-mouth": "no",
    "pinch": "at-once",
    "spo2": "98",
    "home-name.0": "布洛芬混悬液",
    "home-strength.0": "100毫升:2克",
}


def items(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in made.get("item", ()):
        yield item
        yield from items(item)


def test_the_questionnaire_is_one_of_r4() -> None:
    made = fhir.questionnaire(intake())
    QUESTIONNAIRE.model_validate(made)
    assert made["status"] in {"draft", "active", "retired", "unknown"}
    assert {item["type"] for item in items(made)} <= TYPES
    assert {item["type"] for item in items(made)} <= {kind.value for kind in Type}
    ids = [item["linkId"] for item in items(made)]
    assert len(set(ids)) == len(ids)  # que-2


def test_answers_of_every_kind_are_a_response_of_r4(session: Session, book: Callable[[], Visit], now: datetime) -> None:
    visit = book()
    for step, typed in COMPLETE.items():
        tell(session, visit, now, step, **typed | MORE)
    actions.complete(session, visit, visit.appointment.account_id, now, Policy())
    questions, answered = intake(), queries.versions(session, visit.appointment.id)[-1]
    made = fhir.response(questions, answered)
    RESPONSE.model_validate(made)
    assert made["status"] in {"in-progress", "completed", "amended", "entered-in-error", "stopped"}
    kinds = {key for item in items(made) for answer in item.get("answer", ()) for key in answer}
    assert kinds == {"valueBoolean", "valueCoding", "valueDateTime", "valueDecimal", "valueInteger", "valueQuantity",
                     "valueString"}  # fmt: skip
    assert {item["linkId"] for item in items(made)} <= {item["linkId"] for item in items(fhir.questionnaire(questions))}


@pytest.mark.parametrize("wrong", [{"item": [{"type": "group"}]}, {"items": []}, {"version": 3.5}])
def test_the_model_refuses_what_is_not_r4(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QUESTIONNAIRE.model_validate(fhir.questionnaire(intake()) | wrong)
