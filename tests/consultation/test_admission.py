"""The questions before a number: who is asked what at which age, what follows, and that broken rules stop booking."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from booking.admission import PASSING, Age, Level, Unanswered
from booking.refusals import ScreenUnavailable
from consultation.triage.admission import FileAdmission
from consultation.triage.rules import SOURCE, read

TODAY = date(2026, 11, 25)
ADMISSION = FileAdmission()
ALWAYS = {"awake", "breathing", "drinking", "rash", "hurt", "worry"}
AT_AGES = {"fever", "fever-infant", "fever-newborn", "fever-young", "fluids", "fluids-young"}
EMERGENCIES = {"awake", "breathing", "drinking", "rash", "hurt", "fever-newborn", "fever-young"}


def level_of(question: str) -> Level:
    """What a single yes leads to, as long as nobody has verified the rules."""
    if question == "worry":
        return Level.DOCTOR_DECIDES
    return Level.EMERGENCY if question in EMERGENCIES else Level.HOSPITAL_TODAY


@pytest.mark.parametrize(
    ("born", "fever", "fluids"),
    [
        (date(2026, 11, 25), "fever-newborn", "fluids-young"),
        (date(2026, 10, 29), "fever-newborn", "fluids-young"),  # 27 days
        (date(2026, 10, 28), "fever-young", "fluids-young"),  # 28 days
        (date(2026, 8, 26), "fever-young", "fluids-young"),  # three months tomorrow
        (date(2026, 8, 25), "fever-infant", "fluids"),
        (date(2026, 5, 26), "fever-infant", "fluids"),  # six months tomorrow
        (date(2026, 5, 25), "fever", "fluids"),
        (date(2008, 11, 26), "fever", "fluids"),
    ],
)
def test_every_question_and_rule_at_the_boundaries_of_age(born: date, fever: str, fluids: str) -> None:
    age = Age.of(born, TODAY)
    asked = [question.id for question in ADMISSION.questions(age).questions]
    assert set(asked) == ALWAYS | {fever, fluids}
    no = dict.fromkeys(asked, False)
    assert ADMISSION.judge(age, no).level is Level.FINE
    assert ADMISSION.judge(age, no).rules == ()
    for question in asked:
        verdict = ADMISSION.judge(age, no | {question: True})
        assert verdict.level is level_of(question), question
        assert verdict.rules == (question.removesuffix("-young") if question == "fluids-young" else question,)


ages = st.integers(0, 18 * 365).map(lambda days: Age.of(TODAY - timedelta(days=days), TODAY))


@given(ages, st.sets(st.sampled_from(sorted(ALWAYS | AT_AGES))), st.booleans())
def test_no_answers_with_a_warning_sign_ever_pass(age: Age, yes: set[str], others: bool) -> None:
    asked = {question.id for question in ADMISSION.questions(age).questions}
    answers = {question: question in yes for question in asked}
    verdict = ADMISSION.judge(age, answers | ({"shoe-size": True} if others else {}))
    red = (asked & yes) - {"worry"}
    assert (verdict.level in PASSING) == (not red)
    assert verdict.level is max(
        (level_of(sign) for sign in asked & yes), key=lambda level: level.rank, default=Level.FINE
    )


@given(ages, st.data())
def test_an_unanswered_question_is_not_a_no(age: Age, data: st.DataObject) -> None:
    asked = [question.id for question in ADMISSION.questions(age).questions]
    left_out = data.draw(st.sets(st.sampled_from(asked), min_size=1))
    with pytest.raises(Unanswered) as missing:
        ADMISSION.judge(age, {question: False for question in asked if question not in left_out})
    assert set(missing.value.ids) == left_out


def test_half_a_minute() -> None:
    for days in (0, 40, 120, 300, 5000):
        assert 6 <= len(ADMISSION.questions(Age.of(TODAY - timedelta(days=days), TODAY)).questions) <= 8


def test_every_rule_names_its_source_and_nobody_has_verified_it_yet() -> None:
    rules = read(SOURCE)
    for rule in rules.screening:
        assert len(rule.source) > 10, rule.id
        assert (rule.verified_by, rule.verified_on) == ("", ""), rule.id
        assert rule.applies is (rule.stricter or rule.level), rule.id


SMALL = """
version = "1"
[[question]]
id = "fit"
ages
text = { zh_CN = "抽搐", en = "A fit" }
[[rule]]
id = "fit"
any = ["fit"]
level = "emergency"
source = "a test"
[[advice]]
level = "emergency"
lines = [{ zh_CN = "等", en = "Wait" }]
[[advice]]
level = "hospital-today"
lines = [{ zh_CN = "等", en = "Wait" }]
"""


def changed(tmp_path: Path, pattern: str, by: str, count: int = 1) -> FileAdmission:
    """The hospital's file with a change."""
    text, done = re.subn(pattern, by, SOURCE.read_text("utf-8"), count=count, flags=re.M | re.S)
    assert done
    (tmp_path / "triage.toml").write_text(text, "utf-8")
    return FileAdmission(tmp_path / "triage.toml")


def test_a_verified_rule_applies_at_its_own_level(tmp_path: Path) -> None:
    age = Age.of(date(2023, 5, 17), TODAY)
    answers = {question.id: question.id == "breathing" for question in ADMISSION.questions(age).questions}
    where = r'(id = "breathing"\nany.*?)verified_by = ""\nverified_on = ""'
    half = changed(tmp_path, where, r'\1verified_by = "Dr Zhao"\nverified_on = ""')
    assert half.judge(age, answers).level is Level.EMERGENCY
    whole = changed(tmp_path, where, r'\1verified_by = "Dr Zhao"\nverified_on = 2026-12-01')
    assert whole.judge(age, answers).level is Level.HOSPITAL_TODAY


def test_a_rule_may_need_several_signs(tmp_path: Path) -> None:
    both = changed(tmp_path, r'any = \["fluids-young", "fluids"\]', 'all = ["fluids", "worry"]').judge
    # fluids-young is now in no rule, which is a fault of its own
    age = Age.of(date(2023, 5, 17), TODAY)
    with pytest.raises(ScreenUnavailable):
        both(age, {})
    source = (tmp_path / "triage.toml").read_text("utf-8")
    extra = '\n[[rule]]\nid = "fluids-young"\nany = ["fluids-young"]\nlevel = "hospital-today"\nsource = "a test"\n'
    (tmp_path / "triage.toml").write_text(source.replace("\n[[advice]]", f"{extra}\n[[advice]]", 1), "utf-8")
    admission = FileAdmission(tmp_path / "triage.toml")
    asked = {question.id: False for question in admission.questions(age).questions}
    assert admission.judge(age, asked | {"fluids": True}).level is Level.FINE
    assert admission.judge(age, asked | {"fluids": True, "worry": True}).level is Level.HOSPITAL_TODAY


@pytest.mark.parametrize(
    ("pattern", "by"),
    [
        (r".*", ""),
        (r"^version = .*?$", ""),
        (r'any = \["awake"\]', 'any = ["asleep"]'),
        (r'any = \["awake"\]', ""),
        (r'any = \["awake"\]', 'any = ["awake"]\nall = ["rash"]'),
        (r'^level = "emergency"', 'level = "urgent"'),
        (r'^level = "emergency"', 'level = "fine"'),
        (r'stricter = "emergency"', 'stricter = "doctor-decides"'),
        (r'id = "breathing"', 'id = "awake"'),
        (r"until_days = 28", "until_day = 28"),
        (r", en = \"Fever: temperature[^}]*", ""),
        (r"^source = .*?$", 'source = ""'),
        (r'\[\[advice\]\]\nlevel = "hospital-today".*', ""),
        (r"\[\[question\]\]", "[[question"),
    ],
)
def test_broken_rules_stop_everything_and_are_logged(tmp_path: Path, pattern: str, by: str) -> None:
    broken = changed(tmp_path, pattern, by)
    with structlog.testing.capture_logs() as logs:
        for ask in (
            lambda: broken.questions(Age(900, 29)),
            lambda: broken.judge(Age(900, 29), {}),
            lambda: broken.advice(Level.EMERGENCY),
        ):
            with pytest.raises(ScreenUnavailable):
                ask()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("screen-rules-broken", "error")] * 3
    assert all(entry["why"] for entry in logs)


def test_missing_or_unreadable_rules_and_an_age_without_any_stop_everything(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'version = "\xff"')
    for source in (tmp_path / "nowhere.toml", tmp_path, tmp_path / "latin.toml"):
        with pytest.raises(ScreenUnavailable):
            FileAdmission(source).questions(Age(900, 29))
    infants = SMALL.replace("ages", "until_months = 6")
    (tmp_path / "triage.toml").write_text(infants, "utf-8")
    assert FileAdmission(tmp_path / "triage.toml").questions(Age(180, 5)).questions
    with pytest.raises(ScreenUnavailable):
        FileAdmission(tmp_path / "triage.toml").questions(Age(184, 6))


def test_a_repaired_file_counts_at_once(tmp_path: Path) -> None:
    source = tmp_path / "triage.toml"
    admission = FileAdmission(source)
    with pytest.raises(ScreenUnavailable):
        admission.questions(Age(900, 29))
    source.write_bytes(SOURCE.read_bytes())
    assert admission.questions(Age(900, 29)).questions
