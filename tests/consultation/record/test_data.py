"""The hospital's data for records is whole, and a diagnosis is found however a doctor types it."""

from __future__ import annotations

import re

import pytest

from consultation.intake.questionnaire import intake
from consultation.record import denials, icd10, library
from consultation.record.content import TEXTS, Outcome
from consultation.record.refusals import NoSuchCode


@pytest.mark.parametrize(
    "typed", ["j00", "J0", "感冒", "普通感", "putongganmao", "ptgm", "gm", "common cold", "nasophar"]
)
def test_a_cold_is_found_however_it_is_typed(typed: str) -> None:
    assert "J00" in [entry.code for entry in icd10.search(typed)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [("j06.9", "J06.9"), ("j069", "J06.9"), ("szkb", "B08.4"), ("ptgm", "J00"), ("gout idiop", "M10.0")],
)
def test_the_best_one_first(typed: str, first: str) -> None:
    assert icd10.search(typed)[0].code == first


def test_what_nobody_has_is_not_found() -> None:
    assert icd10.search("  ") == []
    assert icd10.search("xyzzy") == []
    assert len(icd10.search("a")) == icd10.FOUND


def test_a_code_of_who_that_the_hospital_has_not_named() -> None:
    assert icd10.condition("m10.0").en == "Idiopathic gout"
    for bad in ("", "XX", "J00-J06", "X"):
        with pytest.raises(NoSuchCode):
            icd10.condition(bad)


def test_the_hospitals_list_is_of_who_and_each_once() -> None:
    entries = icd10._listed()
    assert len(entries) > 150
    assert len({entry.code for entry in entries}) == len(entries)


def test_templates_and_phrases_can_be_put_in() -> None:
    found = library.templates()
    assert {phrase.field for phrase in found.phrase} <= set(TEXTS)
    assert len({phrase.code for phrase in found.phrase}) == len(found.phrase)
    assert {template.outcome for template in found.template} <= {Outcome.HOME, Outcome.HOSPITAL}
    for template in found.template:
        for code in template.conditions:
            assert icd10.condition(code)


@pytest.mark.parametrize(
    ("code", "months", "which"),
    [("J00", 11, "cold-baby"), ("J00", 12, "cold"), ("A09.9", 3, "diarrhoea"), ("R50.9", 2, "general"),
     ("R50.9", 3, "fever"), ("Q53.9", 40, "general"), (None, 300, "general")],
)  # fmt: skip
def test_a_leaflet_for_every_diagnosis_and_age(code: str | None, months: int, which: str) -> None:
    assert library.leaflet(code, months).id == which


def test_a_safety_net_for_every_diagnosis() -> None:
    for code in (None, "J00", "A09.9"):
        found = library.safety_net(code)
        assert any("120" in line for line in found.lines("zh_CN"))
        assert len(found.lines("zh_CN")) == len(found.lines("en"))
        assert not found.verified


TEXTS_THAT_DENY = [
    getattr(entry, field)
    for entry in library.templates().template
    for field in denials.FIELDS
    if getattr(entry, field).en
] + [phrase.text for phrase in library.templates().phrase if phrase.field in denials.FIELDS]


@pytest.mark.parametrize("text", TEXTS_THAT_DENY, ids=lambda text: text.en[:30])
def test_what_a_template_denies_is_known_in_both_languages(text: library.Both) -> None:
    def said(locale: str) -> list[int]:
        plain = text.say(locale).casefold()
        return [n for n, denial in enumerate(known) if any(words in plain for words in getattr(denial, locale))]

    known = library.templates().denial
    assert said("zh_CN") == said("en")
    words = [word for denial in known for word in denial.zh_CN]
    for clause in re.split("[。；]|，(?!有尿)", text.zh_CN):
        if re.search("无|否认|未", clause):
            assert any(word in clause for word in words), clause


def test_denials_look_at_answers_that_are_asked_for_and_words_that_are_used() -> None:
    for denial in library.templates().denial:
        assert {condition.name for condition in denial.answers} <= intake().names() - {"temperature"}
        for locale in ("zh_CN", "en"):
            for words in getattr(denial, locale):
                assert any(words in text.say(locale).casefold() for text in TEXTS_THAT_DENY), words
