"""The intake as FHIR R4 resources: plain dictionaries, for exports."""

from __future__ import annotations

from typing import Any

from config.text import CHINESE
from consultation.intake.answers import UNSURE
from consultation.intake.models import QuestionnaireResponse
from consultation.intake.questionnaire import Item, Questionnaire, Type

URL = "urn:internet-clinic:questionnaire"
UNKNOWN = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "asked-unknown"}
UNITS = "http://unitsofmeasure.org"
Resource = dict[str, Any]


def questionnaire(found: Questionnaire) -> Resource:
    """A FHIR R4 Questionnaire, in Chinese; ages are an extension, as FHIR has none."""
    return {
        "resourceType": "Questionnaire",
        "url": f"{URL}:{found.linkId}",
        "version": found.version,
        "status": "active" if found.verified_by else "draft",
        "subjectType": ["Patient"],
        "item": [_item(item) for item in found.item],
    }


def _item(item: Item) -> Resource:
    made: Resource = {"linkId": item.linkId, "text": item.text.zh_CN, "type": item.type.value}
    if ages := [(key, value) for key in ("from_days", "from_months", "until_days", "until_months")
                if (value := getattr(item, key))]:  # fmt: skip
        made["extension"] = [{"url": f"{URL}:{key.replace('_', '-')}", "valueInteger": value} for key, value in ages]
    made |= {key: True for key in ("required", "repeats") if getattr(item, key)}
    if item.maxLength:
        made["maxLength"] = item.maxLength
    if item.enableWhen:
        made["enableWhen"] = [
            {"question": when.question, "operator": when.operator, **_compared(when.answer)} for when in item.enableWhen
        ]
        made["enableBehavior"] = item.enableBehavior
    if item.type is Type.CHOICE:
        made["answerOption"] = [
            {"valueCoding": {"code": option.code, "display": option.text.zh_CN}} for option in item.answerOption
        ]
    if item.item:
        made["item"] = [_item(inner) for inner in item.item]
    return made


def _compared(answer: bool | str) -> Resource:
    return {"answerBoolean": answer} if isinstance(answer, bool) else {"answerCoding": {"code": answer}}


def response(found: Questionnaire, answered: QuestionnaireResponse) -> Resource:
    """A FHIR R4 QuestionnaireResponse. Questions without an answer are left out."""
    answers = answered.answers
    return {
        "resourceType": "QuestionnaireResponse",
        "id": str(answered.id),
        "meta": {"versionId": str(answered.version)},
        "questionnaire": f"{URL}:{found.linkId}|{answered.questionnaire_version}",
        "status": answered.status.value,
        "subject": {"reference": f"Patient/{answered.patient_id}"},
        "authored": answered.at.isoformat(),
        "item": [
            {"linkId": step.linkId, "text": step.text.zh_CN, "item": inner}
            for step in found.item
            if (inner := [made for item in step.item if item.linkId in answers for made in _given(item, answers)])
        ],
    }


def _given(item: Item, answers: dict[str, Any]) -> list[Resource]:
    """One item with its answers; a group of rows is repeated."""
    value = answers[item.linkId]
    head: Resource = {"linkId": item.linkId, "text": item.text.zh_CN}
    if item.rows:
        return [
            head | {"item": [made for inner in item.item if inner.linkId in row for made in _given(inner, row)]}
            for row in value
        ]
    return [head | {"answer": [_value(item, one) for one in (value if isinstance(value, list) else [value])]}]


def _value(item: Item, value: Any) -> Resource:
    if value == UNSURE:
        return {"valueCoding": UNKNOWN}
    if item.type is Type.QUANTITY:
        return {"valueQuantity": {"value": value["grams"] / 1000, "unit": "kg", "system": UNITS, "code": "kg"}}
    if item.type is Type.CHOICE:
        texts = {option.code: option.text.model_dump()[CHINESE] for option in item.answerOption}
        return {"valueCoding": {"code": value, "display": texts[value]}}
    kinds = {Type.BOOLEAN: "Boolean", Type.INTEGER: "Integer", Type.DECIMAL: "Decimal", Type.DATE_TIME: "DateTime"}
    return {f"value{kinds.get(item.type, 'String')}": value}
