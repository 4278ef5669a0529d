"""What the family tells before a visit: what is read from what was typed, versions, weights, and the FHIR shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.actions import reschedule
from booking.admission import Age
from booking.models import Period, Schedule
from booking.queries import Visit, visit
from config.clock import today
from config.policy import Policy
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import encounter_of, move
from consultation.growth import z_score
from consultation.intake import actions, fhir, queries
from consultation.intake.answers import MOST, About, Reading, facts, read
from consultation.intake.models import QuestionnaireResponse, ResponseStatus, WeightObservation
from consultation.intake.questionnaire import SOURCE, BrokenQuestionnaire, intake
from consultation.intake.questionnaire import read as read_file
from consultation.intake.refusals import IntakeClosed, IntakeIncomplete
from consultation.intake.weights import Weight, kilograms, plausible, stale
from people.models import Sex
from tests.consultation.answering import COMPLETE, fields, tell
from tests.product import Hospital

Book = Callable[..., Visit]
QUESTIONS = intake()
BORN = date(2023, 5, 17)


@pytest.fixture
def about(now: datetime) -> About:
    return About(Age.of(BORN, today(now)), Sex.FEMALE, BORN, now)


def of(about: About, **typed: str | list[str]) -> Reading:
    return read(QUESTIONS, fields(typed), about)


def told(session: Session, visit: Visit, now: datetime) -> queries.Told:
    return queries.told(session, visit, now, Policy())


@pytest.mark.parametrize(
    ("typed", "value"),
    [("38.5", 38.5), ("38,5", 38.5), ("３８．５℃", 38.5), (" 39 度 ", 39), ("38.5 °C", 38.5)],
)
def test_a_temperature_as_people_write_it(about: About, typed: str, value: float) -> None:
    reading = of(about, has_fever="yes", **{"celsius.0": typed, "measured-at.0": "2026-11-25T07:30", "site.0": "ear"})
    (row,) = reading.answers["temperatures"]
    assert (row["celsius"], row["site"], row["measured-at"]) == (value, "ear", "2026-11-25T07:30:00+08:00")
    assert facts(QUESTIONS, reading)["temperature"] == value


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("celsius.0", "hot"), ("celsius.0", "101"), ("celsius.0", "-1"), ("measured-at.0", "2026-11-26T07:30"),
        ("measured-at.0", "yesterday"), ("measured-at.0", "2020-01-01T00:00"), ("site.0", "toe"), ("ill-days", "1.5"),
        ("ill-days", "many"), ("symptoms", "hunger"), ("drinks", "beer"), ("convulsion", "perhaps"),
        ("weight", "heavy"), ("weight", "0.1"), ("weight", "900"), ("weight.on", "2027-01-01"),
        ("weight.on", "2020-01-01"), ("weight.on", "soon"), ("history", "x" * 501),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_no_answer(about: About, field: str, typed: str) -> None:
    around = {"has-fever": "yes", "celsius.0": "38.5", "weight": "14"} if "." in field else {"has-fever": "yes"}
    reading = of(about, **around | {field: typed})
    name = field.partition(".")[0]
    assert name not in reading.answers
    assert field in reading.problems or name in reading.problems or field == "symptoms"
    given = facts(QUESTIONS, reading)
    needed = {"celsius": "temperature"}.get(name, name)
    assert needed not in given or given[needed] is None or name in {"measured-at", "site"}


def test_an_empty_row_is_none_and_half_a_row_says_what_is_missing(about: About) -> None:
    typed = {"has-fever": "yes", "celsius.0": "", "celsius.1": "38", "site.2": "ear"}
    reading = of(about, **typed)
    assert reading.answers["temperatures"] == [{"celsius": 38.0}]
    assert set(reading.problems) == {"celsius.2"}


def test_a_question_waits_for_the_answer_that_it_hangs_on(about: About) -> None:
    silent, no, yes = of(about), of(about, has_fever="no"), of(about, has_fever="yes")
    assert [reading.asked["fever-days"] for reading in (silent, no, yes)] == [None, False, True]
    assert [("fever-days" in reading.missing) for reading in (silent, no, yes)] == [False, False, True]
    assert "fever-days" not in facts(QUESTIONS, silent), "unknown"
    assert facts(QUESTIONS, no)["fever-days"] is None, "not asked"
    assert "fever-days" not in facts(QUESTIONS, yes), "unknown"
    unsure = of(about, has_fever="unsure")
    assert (unsure.asked["fever-days"], unsure.answers["has-fever"]) == (None, "unsure")
    assert "has-fever" not in unsure.missing
    assert "has-fever" not in facts(QUESTIONS, unsure), "not sure is an answer, but not a no"


def test_what_may_be_left_out_is_not_asked_until_it_is_wrong(about: About) -> None:
    cough: dict[str, str | list[str]] = {"symptoms": ["cough"], "fast-breathing": "no"}
    assert facts(QUESTIONS, of(about, **cough))["breaths"] is None
    assert "breaths" not in facts(QUESTIONS, of(about, **cough, breaths="4O"))
    assert facts(QUESTIONS, of(about, **cough, breaths="40"))["breaths"] == 40


@pytest.mark.parametrize(
    ("days", "asked", "not_asked"),
    [(27, {"cold", "fontanelle"}, set()), (28, {"fontanelle"}, {"cold", "feeds-poorly"}), (800, set(), {"fontanelle"})],
)
def test_the_age_of_the_visits_day_decides(
    about: About, now: datetime, days: int, asked: set[str], not_asked: set[str]
) -> None:
    born = today(now) - timedelta(days=days)
    reading = read(QUESTIONS, {}, About(Age.of(born, today(now)), Sex.MALE, born, now))
    assert all(reading.asked[name] for name in asked)
    assert not any(reading.asked[name] for name in not_asked)


def test_a_weight_in_jin_is_kept_in_grams(about: About) -> None:
    reading = of(about, weight="28.4斤", **{"weight.unit": "jin", "weight.on": "2026-11-20"})
    assert reading.answers["weight"] == {"grams": 14200, "on": "2026-11-20", "confirmed": False}
    assert kilograms(14200) == "14.2"
    assert "weight" in of(about).missing
    assert "weight" not in read(QUESTIONS, {}, About(about.age, about.sex, BORN, about.now, weight_known=True)).missing


def test_an_unusual_weight_must_be_written_twice(about: About) -> None:
    slip = {"weight": "28.4"}  # jin taken for kilograms
    once = of(about, **slip)
    assert (once.weight_g, "28.4" in str(once.problems["weight"].params)) == (None, True)
    assert of(about, **slip, **{"weight.again": "28.5"}).weight_g is None
    assert of(about, **slip, **{"weight.again": "much"}).weight_g is None
    twice = of(about, **slip, **{"weight.again": "28.4"})
    assert twice.answers["weight"]["confirmed"] is True


@pytest.mark.parametrize(
    ("sex", "days", "grams", "z"),
    [  # the WHO's own tables: the median and the standard deviations beside it
        (Sex.MALE, 0, 3346, 0.0), (Sex.FEMALE, 0, 3232, 0.0), (Sex.MALE, 365, 9645, 0.0), (Sex.FEMALE, 730, 11481, 0.0),
        (Sex.MALE, 365, 7700, -2.0), (Sex.FEMALE, 365, 11500, 2.0), (Sex.MALE, 1826, 27900, 3.0),
    ],
)  # fmt: skip
def test_z_values_are_the_whos(sex: Sex, days: int, grams: int, z: float) -> None:
    found = z_score(sex, days, grams)
    assert found is not None
    assert abs(found - z) < 0.06


def test_who_is_plausible() -> None:
    assert z_score(Sex.MALE, 3700, 30_000) is None
    assert z_score(Sex.UNKNOWN, 365, 9000) is None
    assert not plausible(Sex.UNKNOWN, 365, 20_000)
    assert plausible(Sex.UNKNOWN, 365, 9000)
    assert [plausible(Sex.MALE, 12 * 366, grams) for grams in (20_000, 42_000, 84_000)] == [False, True, False]
    assert not plausible(Sex.MALE, 365, 19_200), "jin as kilograms"
    assert (z_score(Sex.MALE, 365, 40_000) or 0) > 10


def test_a_weight_is_too_old_sooner_for_an_infant() -> None:
    on = date(2026, 11, 25)
    ages = [(on - timedelta(days=days), months) for days, months in ((14, 11), (15, 11), (15, 12), (30, 12), (31, 12))]
    assert [stale(then, on, months, 30, 14) for then, months in ages] == [False, True, False, False, True]


def test_every_save_is_a_version_and_what_was_typed_stays(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    visit = book()
    tell(session, visit, now, "about", complaint="咳嗽，夜里重", **{"ill-days": "三天"})
    tell(session, visit, now, "about", complaint="咳嗽，夜里重", **{"ill-days": "三天"})  # the same again
    tell(session, visit, now, "signs", convulsion="no")
    first, second = queries.versions(session, visit.appointment.id)
    assert (first.version, second.version, second.status) == (1, 2, ResponseStatus.IN_PROGRESS)
    assert second.typed == {"complaint": ["咳嗽，夜里重"], "ill-days": ["三天"], "convulsion": ["no"]}
    assert second.answers == {"complaint": "咳嗽，夜里重", "convulsion": False}
    raw = session.scalar(text("select content from questionnaire_responses limit 1"))
    assert "咳嗽".encode() not in bytes(raw)
    tell(session, visit, now, "about", complaint="x" * (MOST + 5))
    assert len(told(session, visit, now).typed["complaint"][0]) == MOST
    assert "ill-days" not in told(session, visit, now).typed, "an emptied field is empty"
    strange = {"celsius.12": "38", "celsius.11": "39", "celsius.x": "38", "complaint": "not of this step"}
    assert set(tell(session, visit, now, "fever", **strange).typed) == {"celsius.11", "convulsion", "complaint"}
    assert len(told(session, visit, now).typed["complaint"][0]) == MOST


def test_it_is_complete_when_nothing_needed_is_missing(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    visit, mother = book(), hospital.mother.id
    tell(session, visit, now, "about", **COMPLETE["about"])
    with pytest.raises(IntakeIncomplete):
        actions.complete(session, visit, mother, now, Policy())
    assert queries.told_all(session, [visit.appointment]) == frozenset()
    for step, typed in COMPLETE.items():
        tell(session, visit, now, step, **typed)
    assert told(session, visit, now).reading.missing == []
    assert actions.complete(session, visit, mother, now, Policy()).done
    actions.complete(session, visit, mother, now, Policy())  # a second tap
    assert [v.status for v in queries.versions(session, visit.appointment.id)][-2:] == ["in-progress", "completed"]
    assert queries.told_all(session, [visit.appointment]) == {visit.appointment.id}
    tell(session, visit, now, "body", **COMPLETE["body"] | {"drinks": "less"})
    assert queries.versions(session, visit.appointment.id)[-1].status == "amended"


def test_one_weight_per_visit_the_latest_is_asked_for(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    visit, later = book(), book(ahead=3)
    tell(session, visit, now, "body", weight="14", **{"weight.on": "2026-11-01"})
    tell(session, visit, now, "body", weight="14.2", **{"weight.on": "2026-11-01"})
    assert queries.weights(session, hospital.child.id) == [Weight(14200, date(2026, 11, 1))]
    assert told(session, later, now).about.weight_known
    assert not queries.told(session, later, now, Policy(weight_days=20)).about.weight_known
    assert not told(session, visit, now).about.weight_known, "its own does not count"
    tell(session, later, now, "body", weight="14.6")
    assert queries.latest_weight(session, hospital.child.id) == Weight(14600, today(now))
    tell(session, later, now, "body")
    assert queries.latest_weight(session, hospital.child.id) == Weight(14200, date(2026, 11, 1))
    assert queries.latest_weight(session, hospital.sibling.id) is None
    raw = session.scalar(text("select grams from weight_observations"))
    assert b"14" not in bytes(raw)[-5:]


def test_the_answers_go_along_to_another_time(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    old = book()
    for step, typed in COMPLETE.items():
        tell(session, old, now, step, **typed)
    actions.complete(session, old, hospital.mother.id, now, Policy())
    session.commit()
    other = session.query(Schedule).filter_by(
        practitioner_id=hospital.colleague.id, period=Period.MORNING, day=today(now) + timedelta(days=4)
    )
    made = reschedule(session, old.appointment.id, other.one().id, hospital.mother.id, now, Policy())
    new = visit(session, made.id)
    assert told(session, new, now).done
    assert told(session, new, now).reading.answers["complaint"] == "咳嗽"
    assert queries.told_all(session, [new.appointment]) == {made.id}
    with pytest.raises(IntakeClosed):
        tell(session, visit(session, old.appointment.id), now, "about", complaint="too late")
    tell(session, new, now, "about", **COMPLETE["about"] | {"complaint": "咳嗽加重"})
    assert told(session, new, now).reading.answers["complaint"] == "咳嗽加重"
    assert told(session, new, now).reading.answers["drinks"] == "usual"
    assert [found.version for found in queries.versions(session, made.id)] == [1]


def test_it_is_open_until_the_doctor_calls(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    visit = book()
    encounter = encounter_of(session, visit, now)
    tell(session, visit, now, "about", complaint="a")
    late = visit.schedule.over_at + timedelta(minutes=1)
    with pytest.raises(IntakeClosed):
        tell(session, visit, late, "about", complaint="nobody came")
    move(session, encounter, EncounterStatus.ARRIVED, now, by="test", why="there")
    tell(session, visit, late, "about", complaint="b")
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    with pytest.raises(IntakeClosed):
        tell(session, visit, now, "about", complaint="c")
    with pytest.raises(IntakeClosed):
        actions.complete(session, visit, hospital.mother.id, now, Policy())


def test_the_fhir_shape(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    made = fhir.questionnaire(QUESTIONS)
    assert (made["resourceType"], made["status"], len(made["item"])) == ("Questionnaire", "draft", 7)
    fever = next(item for item in made["item"] if item["linkId"] == "fever")["item"]
    assert fever[1]["extension"] == [{"url": "urn:internet-clinic:questionnaire:until-days", "valueInteger": 28}]
    assert fever[3]["enableWhen"] == [{"question": "has-fever", "operator": "=", "answerBoolean": True}]
    visit = book()
    for step, typed in COMPLETE.items():
        tell(session, visit, now, step, **typed | {"has-fever": "yes", "celsius.0": "38.5", "fever-days": "1"})
    tell(session, visit, now, "signs", **COMPLETE["signs"] | {"stridor": "unsure"})
    answered = fhir.response(QUESTIONS, queries.versions(session, visit.appointment.id)[-1])
    assert (answered["status"], answered["subject"]) == ("in-progress", {"reference": f"Patient/{hospital.child.id}"})
    flat = {item["linkId"]: item for group in answered["item"] for item in group["item"]}
    assert flat["temperatures"]["item"][0]["answer"] == [{"valueDecimal": 38.5}]
    assert flat["stridor"]["answer"][0]["valueCoding"]["code"] == "asked-unknown"
    assert flat["weight"]["answer"][0]["valueQuantity"]["value"] == 14.2
    assert flat["symptoms"]["answer"][0]["valueCoding"] == {"code": "cough", "display": "咳嗽"}
    assert flat["ill-days"]["answer"] == [{"valueInteger": 3}]
    assert "fontanelle" not in flat


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        (r'linkId = "cold"', 'linkId = "colour"', "stands twice"),
        (r'question = "has-fever"', 'question = "fever-days"', "is not asked before it"),
        (r'answer = "vomiting"', 'answer = "vomits"', "no answer to symptoms"),
        (r'type = "boolean"', 'type = "yesno"', "type"),
        (r"until_days = 28", "until_day = 28", "until_day"),
        (r'type = "decimal"', 'type = "choice"', "a choice has answerOption"),
        (r"\[\[item\]\]", "[[item", "TOML"),
    ],
)
def test_a_broken_questionnaire_says_where(tmp_path: Path, pattern: str, by: str, said: str) -> None:
    changed, done = re.subn(pattern, by, SOURCE.read_text("utf-8"), count=1)
    assert done
    (tmp_path / "intake.toml").write_text(changed, "utf-8")
    with pytest.raises(BrokenQuestionnaire, match=said):
        read_file(tmp_path / "intake.toml")


def test_nothing_of_it_is_kept_in_the_open(session: Session) -> None:
    columns: dict[str, Any] = {
        f"{table.__tablename__}.{column.name}": type(column.type).__name__
        for table in (QuestionnaireResponse, WeightObservation)
        for column in table.__table__.columns
    }
    assert columns["questionnaire_responses.content"] == columns["weight_observations.grams"] == "Encrypted"
