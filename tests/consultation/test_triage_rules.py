"""The rules for red flags: each at its boundaries of age and value, and what holds for all of them together."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.admission import Age, Level
from consultation.intake.questionnaire import intake
from consultation.triage.conditions import Answers, Condition, parse
from consultation.triage.rules import SOURCE, BrokenRules, Rules, Verdict, judge, read

TODAY = date(2026, 11, 25)
RULES = read(known=intake().names())
E, H, D = Level.EMERGENCY, Level.HOSPITAL_TODAY, Level.DOCTOR_DECIDES
NAMES = sorted({name for rule in RULES.visiting for name in rule.names})


def aged(text: str) -> Age:
    """``27d`` or ``3m``, the first day of that month."""
    number = int(text[:-1])
    if text[-1] == "d":
        return Age.of(TODAY - timedelta(days=number), TODAY)
    years, months = divmod(number, 12)
    month = TODAY.month - months
    return Age.of(date(TODAY.year - years - (month < 1), (month - 1) % 12 + 1, TODAY.day), TODAY)


def day_before(text: str) -> Age:
    """The last day before that age."""
    age = aged(text)
    return Age(age.days - 1, age.months - 1) if text[-1] == "m" else aged(f"{int(text[:-1]) - 1}d")


def judged(age: Age, **answers: Any) -> Verdict:
    """What the rules make of these answers, all others not asked."""
    given = dict.fromkeys(NAMES) | {name.replace("_", "-"): value for name, value in answers.items()}
    return judge(RULES.version, RULES.visiting, given, age)


ILL = {"chronic": True, "ill_days": 3}
SMALL = {"low_birth_weight": True}

# rule; the answers at which it holds; those just beside; its level while nobody has verified it
CASES: list[tuple[str, dict[str, Any], dict[str, Any], Level]] = [
    ("fit", {"convulsion": True}, {"convulsion": False}, E),
    ("not-awake", {"drowsy": True}, {"drowsy": False}, E),
    ("cry", {"strange_cry": True}, {"strange_cry": False}, E),
    ("no-drink", {"cannot_drink": True}, {"cannot_drink": False}, E),
    ("no-drink", {"vomits_all": True}, {"vomits_all": False}, E),
    ("effort", {"effort": True}, {"effort": False}, E),
    ("effort", {"stridor": True}, {"stridor": False}, E),
    ("colour", {"colour": True}, {"colour": False}, E),
    ("spo2-red", {"spo2": 90}, {"spo2": 91}, E),
    ("spo2-amber", {"spo2": 91}, {"spo2": 90}, H),
    ("spo2-amber", {"spo2": 95}, {"spo2": 96}, H),
    ("non-blanching", {"non_blanching": True}, {"non_blanching": False}, E),
    ("neck", {"stiff_neck": True}, {"stiff_neck": False}, E),
    ("neck", {"fontanelle": True}, {"fontanelle": False}, E),
    ("weakness", {"weakness": True}, {"weakness": False}, E),
    ("hurt-visit", {"injury": True}, {"injury": False}, E),
    ("fever-over-3-days", {"fever_days": 4}, {"fever_days": 3}, H),
    ("fever-5-days", {"fever_days": 5}, {"fever_days": 4}, H),
    ("rigors", {"rigors": True}, {"rigors": False}, H),
    ("swelling", {"swelling": True}, {"swelling": False}, H),
    ("rash-with-fever", {"symptoms": ["rash"], "has_fever": True}, {"symptoms": ["rash"], "has_fever": False}, H),
    ("breaths-over-60", {"breaths": 61}, {"breaths": 60}, E),
    ("fast-breathing", {"fast_breathing": True}, {"fast_breathing": False}, H),
    ("dry", {"sunken_eyes": True}, {"sunken_eyes": False}, H),
    ("dry", {"dry_mouth": True}, {"dry_mouth": False}, H),
    ("dry", {"slow_refill": True}, {"slow_refill": False}, H),
    ("dehydration-severe", {"sunken_eyes": True, "pinch": "very-slow"}, {"sunken_eyes": True, "pinch": "slow"}, E),
    ("dehydration-severe", {"drowsy": True, "drinks": "poorly"}, {"drowsy": True, "drinks": "less"}, E),
    ("dehydration-some", {"spirit": "restless", "drinks": "eager"}, {"spirit": "tired", "drinks": "eager"}, H),
    ("dehydration-some", {"sunken_eyes": True, "pinch": "slow"}, {"sunken_eyes": True, "pinch": "at-once"}, H),
    ("spirit", {"spirit": "flat"}, {"spirit": "restless"}, E),
    ("stool-blood", {"stool_blood": True}, {"stool_blood": False}, H),
    ("diarrhoea-14-days", {"stool_days": 14}, {"stool_days": 13}, H),
    ("bad-vomit", {"bad_vomit": True}, {"bad_vomit": False}, E),
    ("vomits-often", {"vomits": 3}, {"vomits": 2}, H),
    ("belly", {"belly_pain": True}, {"belly_pain": False}, H),
    ("not-better", {"not_better": True}, {"not_better": False}, H),
    ("chronic-new", ILL | {"has_fever": True}, ILL | {"has_fever": True, "ill_days": 4}, H),
    ("chronic-new", ILL | {"symptoms": ["diarrhoea"]}, ILL | {"symptoms": ["cough"]}, H),
    ("worry-visit", {"worried": True}, {"worried": False}, D),
    *(("contacts", {name: True}, {name: False}, H) for name in ("contact", "travel", "cluster_home", "cluster_class")),
]  # fmt: skip

# rule; answers at which it holds; level; from which age (None: birth); from which age not any more (None: never)
AGED: list[tuple[str, dict[str, Any], dict[str, Any], Level, str | None, str | None]] = [
    ("newborn", {"has_fever": True}, {"has_fever": False}, E, None, "28d"),
    ("newborn", {"cold": True}, {"cold": False}, E, None, "28d"),
    ("newborn", {"feeds_poorly": True}, {"feeds_poorly": False}, E, None, "28d"),
    ("newborn", {"temperature": 38.0}, {"temperature": 37.9}, E, None, "28d"),
    ("fever-under-3-months", {"temperature": 38.0}, {"temperature": 37.9}, E, "28d", "3m"),
    ("fever-under-3-months", {"has_fever": True}, {"has_fever": False}, E, "28d", "3m"),
    ("fever-3-to-6-months", {"temperature": 39.0}, {"temperature": 38.9}, H, "3m", "6m"),
    ("breaths-under-2-months", {"breaths": 60}, {"breaths": 59}, E, None, "2m"),
    ("breaths-under-12-months", {"breaths": 50}, {"breaths": 49}, H, "2m", "12m"),
    ("breaths-under-5-years", {"breaths": 40}, {"breaths": 39}, H, "12m", "60m"),
    ("breaths-from-5-years", {"breaths": 30}, {"breaths": 29}, H, "60m", None),
    ("pulse-under-12-months", {"pulse": 161}, {"pulse": 160}, H, None, "12m"),
    ("pulse-under-2-years", {"pulse": 151}, {"pulse": 150}, H, "12m", "24m"),
    ("pulse-under-5-years", {"pulse": 141}, {"pulse": 140}, H, "24m", "60m"),
    ("no-urine-young", {"urine": "from-8"}, {"urine": "from-4"}, H, None, "3m"),
    ("no-urine", {"urine": "from-12"}, {"urine": "from-8"}, H, "3m", None),
    ("dehydration-severe", {"drowsy": True, "sunken_eyes": True}, {"drowsy": True}, E, "2m", "60m"),
    ("dehydration-some", {"spirit": "restless", "sunken_eyes": True}, {"spirit": "restless"}, H, "2m", "60m"),
    ("fluid-loss-infant", {"stools": 6}, {"stools": 5}, H, None, "12m"),
    ("fluid-loss-infant", {"vomits": 3}, {"vomits": 2}, H, None, "12m"),
    ("fluid-loss-small", SMALL | {"symptoms": ["vomiting"]}, SMALL | {"symptoms": ["cough"]}, H, None, "12m"),
]  # fmt: skip


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in (*CASES, *AGED)} == {rule.id for rule in RULES.visiting}


@pytest.mark.parametrize(("rule", "yes", "no", "level"), CASES)
def test_a_rule_holds_here_and_not_there(rule: str, yes: dict[str, Any], no: dict[str, Any], level: Level) -> None:
    for age in (aged("3m"), aged("30m"), aged("59m")):
        outcome = next(found for found in judged(age, **yes).outcomes if found.rule == rule)
        assert (outcome.held, outcome.level) == (True, level)
        assert rule not in judged(age, **no).held


@pytest.mark.parametrize(("rule", "yes", "no", "level", "begins", "ends"), AGED)
def test_a_rule_holds_between_its_ages(
    rule: str, yes: dict[str, Any], no: dict[str, Any], level: Level, begins: str | None, ends: str | None
) -> None:
    first = aged(begins) if begins else aged("0d")
    last = day_before(ends) if ends else aged("215m")
    for age in (first, last):
        outcome = next(found for found in judged(age, **yes).outcomes if found.rule == rule)
        assert (outcome.held, outcome.level) == (True, level)
        assert rule not in judged(age, **no).held
    for age in ([day_before(begins)] if begins else []) + ([aged(ends)] if ends else []):
        assert rule not in {found.rule for found in judged(age, **yes).outcomes}


def values(name: str) -> st.SearchStrategy[Any]:
    """Answers of the kind that the rules compare."""
    kinds = {leaf.kind: leaf for rule in RULES.visiting for leaf in leaves(rule.condition) if leaf.name == name}
    if "has" in kinds:
        return st.lists(st.sampled_from(["cough", "rash", "vomiting", "diarrhoea", "breathing"]), unique=True)
    if {"at_least", "above", "at_most"} & set(kinds):
        return st.integers(0, 120)
    if any(isinstance(leaf.value, bool) for leaf in kinds.values()):
        return st.booleans()
    return st.sampled_from(["usual", "less", "poorly", "eager", "restless", "flat", "from-8", "from-12", "very-slow"])


def leaves(condition: Condition) -> list[Condition]:
    return [condition] if condition.name else [leaf for part in condition.parts for leaf in leaves(part)]


ages = st.integers(0, 18 * 365).map(lambda days: Age.of(TODAY - timedelta(days=days), TODAY))
some = st.fixed_dictionaries({}, optional={name: st.none() | values(name) for name in NAMES})


def of(answers: Answers, age: Age) -> Verdict:
    return judge(RULES.version, RULES.visiting, answers, age)


@given(ages, some, st.data())
def test_an_answer_taken_away_never_makes_it_milder_than_a_no(age: Age, answers: dict[str, Any], data: Any) -> None:
    """Unknown is at least as strict as no, and never less than the doctor's to decide where a rule needs it."""
    name = data.draw(st.sampled_from(NAMES))
    unknown = of({key: value for key, value in answers.items() if key != name}, age)
    assert unknown.level.rank >= of(answers | {name: None}, age).level.rank
    assert not unknown.unknown or unknown.level.rank >= D.rank


@given(ages, some, st.data())
def test_a_yes_instead_of_a_no_never_makes_it_milder(age: Age, answers: dict[str, Any], data: Any) -> None:
    booleans = [name for name in NAMES if values(name) == st.booleans() or isinstance(answers.get(name), bool)]
    name = data.draw(st.sampled_from(booleans or ["convulsion"]))
    assert of(answers | {name: True}, age).level.rank >= of(answers | {name: False}, age).level.rank


@given(ages, some, st.sampled_from(["temperature", "breaths", "pulse", "vomits", "stools", "fever-days", "stool-days"]),
       st.integers(0, 60), st.integers(0, 60))  # fmt: skip
def test_a_higher_figure_never_makes_it_milder(
    age: Age, answers: dict[str, Any], name: str, low: int, more: int
) -> None:
    assert of(answers | {name: low + more}, age).level.rank >= of(answers | {name: low}, age).level.rank


@given(ages)
def test_nothing_said_is_the_doctors_to_decide_and_nothing_found_is_fine(age: Age) -> None:
    silent = of({}, age)
    assert (silent.level, silent.held, bool(silent.unknown)) == (D, (), True)
    assert of(dict.fromkeys(NAMES), age).level is Level.FINE


@pytest.mark.parametrize(
    ("raw", "answers", "holds"),
    [
        ({"not": "a"}, {"a": True}, False),
        ({"not": "a"}, {"a": False}, True),
        ({"not": "a"}, {}, True),  # what is unknown is no excuse
        ({"all": ["a", {"not": "b"}]}, {"a": True, "b": True}, False),
        ({"all": ["a", "b"]}, {"a": False}, False),
        ({"all": ["a", "b"]}, {"a": True}, None),
        ({"any": ["a", "b"]}, {"a": True}, True),
        ({"any": ["a", "b"]}, {"a": False}, None),
        ({"count": 2, "of": ["a", "b", "c"]}, {"a": True, "b": False, "c": False}, False),
        ({"count": 2, "of": ["a", "b", "c"]}, {"a": True, "b": False}, None),
        ({"count": 2, "of": ["a", "b", "c"]}, {"a": True, "c": True}, True),
        ({"name": "n", "below": 5}, {"n": 4.9}, True),
        ({"name": "n", "at_most": 5}, {"n": "five"}, None),
        ({"name": "n", "at_least": 1}, {"n": True}, None),
        ({"name": "n", "has": "x"}, {"n": None}, False),
    ],
)
def test_the_language_of_conditions(raw: Any, answers: Answers, holds: bool | None) -> None:
    assert parse(raw).holds(answers) is holds


FIT = 'when = "convulsion"'


def broken(tmp_path: Path, pattern: str, by: str) -> str:
    """What is said of the hospital's file with a change."""
    text, done = re.subn(pattern, by, SOURCE.read_text("utf-8"), count=1, flags=re.M | re.S)
    assert done
    (tmp_path / "triage.toml").write_text(text, "utf-8")
    with pytest.raises(BrokenRules) as error:
        read(tmp_path / "triage.toml", known=intake().names())
    return str(error.value)


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        (FIT, 'when = "convulsions"', "rule fit: nobody asks for convulsions"),
        (FIT, 'when = { name = "convulsion", over = 3 }', "rule fit: when: name = 'convulsion': needs one of"),
        (FIT, 'when = { any = [] }', "rule fit: when: any: needs a list"),
        (FIT, 'when = { not = { not = "drowsy" } }', "rule fit: when: not: holds another not"),
        (FIT, 'when = { count = 3, of = ["drowsy"] }', "rule fit: when: count: 3 is not between 1 and 1"),
        (r'at_most = 90', 'at_most = "90"', "rule spo2-red: when: at_most: '90' is not a number"),
        (r'(id = "fit".*?)level = "emergency"', r'\1level = "at-once"', "rule fit: level: "),
        (r'(id = "fit"\n)', r'\1untill_days = 3\n', "rule fit: untill_days: "),
        (FIT, 'any = ["convulsion", "awake"]', "rule fit: awake is asked before a number alone"),
        (r'text = \{ zh_CN = "本次[^\n]*\n', "", "rule fit: text: is missing"),
        (r'when = "convulsion"\n', "", "rule fit: needs one of any, all and when"),
    ],
)  # fmt: skip
def test_a_broken_file_names_the_rule_and_the_key(tmp_path: Path, pattern: str, by: str, said: str) -> None:
    assert said in broken(tmp_path, pattern, by)


def test_every_rule_over_the_visit_names_its_source_and_nobody_has_verified_it_yet() -> None:
    for rule in Rules.model_validate(RULES).visiting:
        assert len(rule.source) > 10
        assert (rule.verified_by, rule.verified_on, rule.applies) == ("", "", rule.stricter or rule.level)
