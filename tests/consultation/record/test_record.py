"""The record: written safely, signed once everything is there, unchangeable afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.rights_models import FollowupGrant
from config.clock import today
from config.encryption import ring
from config.errors import NotFound
from config.policy import Policy
from consultation.encounters.models import EncounterStatus, Ending, SeatRole
from consultation.encounters.rooms import Seat, encounter_of, move, seat
from consultation.line.actions import finish
from consultation.record import actions, following, library, queries, writing
from consultation.record.content import Content, Outcome, Urgency, digest, missing
from consultation.record.denials import contradicted
from consultation.record.models import Composition, CompositionStatus, CompositionVersion
from consultation.record.refusals import (
    BadPhrase,
    Damaged,
    Incomplete,
    NoReason,
    NoSuchCode,
    NotBegun,
    NotOpen,
    OldVersion,
    TooManyConditions,
)
from consultation.triage.conditions import Answers
from people.access import Viewer, member_of
from people.models import GuardianStatus, RelatedPerson, Role
from people.tasks import Task, TaskStatus
from tests.consultation.record.conftest import Book, Sign, record
from tests.product import Hospital, account, member


def test_a_template_writes_all_but_what_must_be_asked() -> None:
    for template in library.templates().template:
        for locale in ("zh_CN", "en"):
            wanted = missing(writing.applied(Content(), template, locale))
            hospital = {"complaint", "present", "history", "epidemiology", "conditions", "urgency", "reason"}
            assert set(wanted) <= {"epidemiology_confirmed"} | (hospital if template.id == "come-in" else set())
            assert "epidemiology_confirmed" in wanted


def test_nothing_typed_is_taken_away() -> None:
    typed = Content(complaint="发热3天", present="夜间咳嗽", advice="多喝水")
    made = writing.applied(typed, library.templates().template[0], "zh_CN")
    assert made.complaint == "发热3天"
    assert made.present.startswith("夜间咳嗽\n")
    assert writing.applied(made, library.templates().template[0], "zh_CN") == made, "twice is once"


@pytest.mark.parametrize(
    ("answers", "against"),
    [
        ({"effort": True}, {"present": ["effort"]}),
        ({"effort": False, "symptoms": ["cough"], "urine": "under-4"}, {}),
        ({"symptoms": ["vomiting", "breathing"]}, {"present": ["symptoms"]}),
        ({"urine": "from-12", "allergic": True}, {"present": ["urine"], "history": ["allergic"]}),
        ({"contact": True, "travel": None}, {"epidemiology": ["contact"]}),
        ({}, {}),  # what nobody has answered denies nothing
    ],
)
@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_what_a_template_denies_and_the_family_affirmed_is_named(
    locale: str, answers: Answers, against: dict[str, list[str]]
) -> None:
    made = writing.applied(Content(), library.templates().template[0], locale)
    assert contradicted(made, answers) == against
    assert contradicted(made.model_copy(update={"present": "", "history": "", "epidemiology": ""}), answers) == {}


def test_what_the_family_said_begins_the_record() -> None:
    assert writing.begun({"complaint": "咳嗽", "something-else": "x"}) == Content(complaint="咳嗽")


def test_the_safety_net_follows_the_main_diagnosis_until_somebody_writes_another() -> None:
    made = writing.applied(Content(), library.templates().template[0], "en")
    assert "sunken eyes" not in made.safety_net
    gut = writing.as_main(writing.with_condition(made, "A09.9", "en"), "A09.9", "en")
    assert "sunken eyes" in gut.safety_net
    own = gut.model_copy(update={"safety_net": "Come back on Friday."})
    assert writing.without_condition(own, "A09.9", "en").safety_net == "Come back on Friday."


def test_at_most_five_diagnoses_and_real_ones(cold: Content) -> None:
    for code in ("J20.9", "A09.9", "R50.9", "L50.9"):
        cold = writing.with_condition(cold, code, "en")
    with pytest.raises(TooManyConditions):
        writing.with_condition(cold, "L20.9", "en")
    with pytest.raises(NoSuchCode):
        writing.with_condition(Content(), "J99.123", "en")


def test_the_later_save_of_two_pages_is_refused(session: Session, place: Seat, now: datetime, cold: Content) -> None:
    first = actions.save(session, place, 0, cold, now)
    assert first.version == 1
    mine, theirs = (cold.model_copy(update={"advice": word}) for word in ("mine", "theirs"))
    assert actions.save(session, place, 1, theirs, now).version == 2
    with pytest.raises(OldVersion):
        actions.save(session, place, 1, mine, now)
    assert queries.draft(record(session, place)) == theirs
    assert actions.save(session, place, 1, theirs, now).version == 2, "the same text is no conflict"
    with pytest.raises(OldVersion):
        actions.save(session, place, 0, mine, now)


def test_only_the_treating_doctor_writes(
    session: Session, place: Seat, visit: Visit, now: datetime, cold: Content
) -> None:
    for role in (SeatRole.SECOND_PRACTITIONER, SeatRole.GUARDIAN):
        other = Seat(place.encounter, place.account_id, role)
        with pytest.raises(NotFound):
            actions.save(session, other, 0, cold, now)
        with pytest.raises(NotFound):
            actions.sign(session, other, visit, 0, now, Policy(), finish)
        with pytest.raises(NotFound):
            actions.amend(session, other, "x", now)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"epidemiology_confirmed": False}, ("epidemiology_confirmed",)),
        ({"complaint": " ", "advice": ""}, ("complaint", "advice")),
        ({"conditions": ()}, ("conditions",)),
        ({"outcome": None}, ("outcome",)),
        ({"safety_net": ""}, ("safety_net",)),
        ({"outcome": Outcome.HOSPITAL}, ("urgency", "reason")),
        ({"outcome": Outcome.TESTS}, ("tests",)),
        ({"outcome": Outcome.FOLLOWUP, "safety_net": ""}, ("days", "safety_net")),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_signed(
    session: Session, place: Seat, sign: Sign, changes: dict[str, object], fields: tuple[str, ...]
) -> None:
    with pytest.raises(Incomplete) as refused:
        sign(**changes)
    assert refused.value.fields == fields
    assert place.encounter.status is EncounterStatus.IN_PROGRESS
    assert session.scalars(select(CompositionVersion)).all() == []


def test_not_before_the_child_was_called(
    session: Session, visit: Visit, doctor: Viewer, now: datetime, cold: Content
) -> None:
    encounter_of(session, visit, now)
    early = seat(session, doctor, visit.appointment.id, lock=True)
    actions.save(session, early, 0, cold, now)
    with pytest.raises(NotBegun):
        actions.sign(session, early, visit, 1, now, Policy(), finish)


def test_signing_ends_the_visit_and_closes_the_record(
    session: Session, place: Seat, sign: Sign, now: datetime, cold: Content
) -> None:
    made = sign()
    assert (made.n, made.record) == (1, cold)
    assert made.content["previous"] is None
    assert (place.encounter.status, place.encounter.ending) == (EncounterStatus.FINISHED, Ending.ANSWERED)
    assert record(session, place).status is CompositionStatus.FINAL
    with pytest.raises(NotOpen):
        actions.save(session, place, 2, cold.model_copy(update={"advice": "later"}), now)
    assert made.content["told"]["leaflet"]["id"] == "cold"


def test_what_belongs_to_another_outcome_is_not_signed(sign: Sign) -> None:
    made = sign(reason="rash", urgency=Urgency.TODAY, tests=("crp",), days=3).record
    assert (made.reason, made.urgency, made.tests, made.days) == ("", None, (), None)


def test_an_amendment_is_a_new_version_that_keeps_the_old(
    session: Session, place: Seat, sign: Sign, now: datetime, cold: Content
) -> None:
    first = sign()
    with pytest.raises(NoReason):
        actions.amend(session, place, "  ", now)
    opened = actions.amend(session, place, "wrong duration", now)
    assert queries.draft(opened) == first.record
    second = sign(complaint="Cough for 4 days")
    assert (second.n, second.content["reason"], second.content["previous"]) == (2, "wrong duration", first.digest)
    found = record(session, place)
    assert found.status is CompositionStatus.AMENDED
    assert [one.record.complaint for one in queries.versions(session, found)] == [cold.complaint, "Cough for 4 days"]


def test_an_amendment_can_be_given_up(session: Session, place: Seat, sign: Sign, now: datetime) -> None:
    sign()
    actions.amend(session, place, "perhaps", now)
    actions.leave_as_signed(session, place, now)
    assert record(session, place).draft is None
    assert len(queries.versions(session, record(session, place))) == 1


TAMPERED = {
    "a byte of the stored text": "update composition_versions set content = overlay(content placing '\\x00' from 40)",
    "the digest": "update composition_versions set digest = sha256('x') where n = 1",
    "the day": "update composition_versions set signed_at = signed_at - interval '1 day' where n = 2",
    "the order": "update composition_versions set n = 7 where n = 2",
    "the last one gone": "delete from composition_versions where n = 2",
    "the first one gone": "delete from composition_versions where n = 1",
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_changed_byte_is_found(session: Session, place: Seat, sign: Sign, now: datetime, what: str) -> None:
    sign()
    actions.amend(session, place, "again", now)
    sign(complaint="Cough for 4 days")
    session.flush()
    assert len(queries.versions(session, record(session, place))) == 2
    session.execute(text(TAMPERED[what]))
    with pytest.raises(Damaged):
        queries.versions(session, record(session, place))


def test_words_changed_by_somebody_with_the_key_are_found(session: Session, place: Seat, sign: Sign) -> None:
    """Encrypted anew with the right key: the digest does not fit any more."""
    sign()
    row = session.scalars(select(CompositionVersion)).one()
    forged = row.content.replace("Rest", "Test")
    assert forged != row.content
    session.execute(
        text("update composition_versions set content = :c"),
        {"c": ring().encrypt(forged, "composition_versions.content")},
    )
    with pytest.raises(Damaged):
        queries.versions(session, record(session, place))


def test_a_forged_first_version_breaks_the_chain(session: Session, place: Seat, sign: Sign, now: datetime) -> None:
    sign()
    actions.amend(session, place, "again", now)
    sign(complaint="Cough for 4 days")
    row = session.scalars(select(CompositionVersion).where(CompositionVersion.n == 1)).one()
    forged = row.content.replace("Rest", "Test")
    session.execute(
        text("update composition_versions set content = :c, digest = :d where n = 1"),
        {"c": ring().encrypt(forged, "composition_versions.content"), "d": digest(forged)},
    )
    with pytest.raises(Damaged):
        queries.versions(session, record(session, place))


def tasks_of(session: Session, kind: str) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.kind == kind).order_by(Task.id)))


def test_a_child_sent_to_the_hospital_is_asked_after_the_next_day(
    session: Session, hospital: Hospital, place: Seat, sign: Sign, now: datetime
) -> None:
    member(session, "T1", account(session, "o-lead", now), Role.TEAM_LEAD, of=hospital.medicine)
    made = sign(outcome=Outcome.HOSPITAL, urgency=Urgency.EMERGENCY, reason="breathing")
    assert place.encounter.ending is Ending.EMERGENCY
    assert made.content["told"]["leaflet"] is None
    assert made.content["told"]["reason"]["en"] == "Difficult or fast breathing"
    [task] = tasks_of(session, following.ARRIVAL)
    assert (task.role, task.department_id) == (Role.TEAM_LEAD, hospital.medicine.id)
    assert task.deadline.isoformat() == "2026-11-26T04:00:00+00:00"  # noon of the next day in Beijing
    assert "小明" not in str(task.about)
    actions.amend(session, place, "the mother can't come", now)
    sign(outcome=Outcome.HOME)
    assert tasks_of(session, following.ARRIVAL)[0].status is TaskStatus.CANCELLED


def test_where_there_is_no_team_lead_somebody_else_asks(session: Session, hospital: Hospital, sign: Sign) -> None:
    sign(outcome=Outcome.HOSPITAL, urgency=Urgency.TODAY, reason="rash")
    assert tasks_of(session, following.ARRIVAL)[0].role is Role.ADMINISTRATOR


def test_a_followup_invites_the_child_and_reminds_the_doctor(
    session: Session, hospital: Hospital, sign: Sign, now: datetime
) -> None:
    sign(outcome=Outcome.FOLLOWUP, days=70)
    grant = session.scalars(select(FollowupGrant)).one()
    assert grant.until == today(now) + timedelta(days=77), "as long as the doctor asked for, and a week"
    [task] = tasks_of(session, following.FOLLOWUP)
    assert task.practitioner_id == hospital.doctor.id
    assert today(task.deadline) == today(now) + timedelta(days=70)


def test_a_visit_without_a_signed_record_becomes_a_task_until_it_is_signed(
    session: Session, place: Seat, sign: Sign, hospital: Hospital, now: datetime
) -> None:
    assert following.remind_unsigned(session, now) == 0, "it goes on"
    assert [one.over for one in queries.unsigned(session, hospital.doctor.id)] == [False]
    move(session, place.encounter, EncounterStatus.FINISHED, now, by="test", why="x", ending=Ending.ANSWERED)
    for _ in range(2):
        assert following.remind_unsigned(session, now) == 1
    [task] = tasks_of(session, following.UNSIGNED)
    assert task.deadline == now + timedelta(hours=24)
    lead = member(session, "T1", account(session, "o-lead", now), Role.TEAM_LEAD, of=hospital.medicine)
    other = member(session, "T2", account(session, "o-skin", now), Role.TEAM_LEAD, of=hospital.skin)
    assert lead.account_id
    assert other.account_id
    seen = member_of(session, Viewer(lead.account_id, "en"))
    assert [(who.id, count) for who, count, _ in queries.unsigned_counts(session, seen)] == [(hospital.doctor.id, 1)]
    assert queries.unsigned_counts(session, member_of(session, Viewer(other.account_id, "en"))) == []
    sign()
    assert queries.unsigned(session, hospital.doctor.id) == []
    assert task.status is TaskStatus.CANCELLED


def test_the_family_reads_it_and_nobody_else(
    session: Session, hospital: Hospital, visit: Visit, sign: Sign, now: datetime
) -> None:
    mother = Viewer(hospital.mother.id, "zh_CN")
    with pytest.raises(NotFound):
        queries.summary(session, mother, visit.appointment.id)
    sign()
    assert queries.summary(session, mother, visit.appointment.id)[1][0].n == 1
    for nobody in (hospital.stranger.id, hospital.doctor.account_id):
        assert nobody
        with pytest.raises(NotFound):
            queries.summary(session, Viewer(nobody, "zh_CN"), visit.appointment.id)
    session.execute(
        update(RelatedPerson).where(RelatedPerson.account_id == hospital.mother.id).values(status=GuardianStatus.FROZEN)
    )
    with pytest.raises(NotFound):
        queries.summary(session, mother, visit.appointment.id)


def test_earlier_records_of_the_child_alone(
    session: Session, hospital: Hospital, book: Book, place: Seat, sign: Sign, now: datetime
) -> None:
    first = sign()
    next_one = encounter_of(session, book(ahead=3), now)
    siblings = encounter_of(session, book(hospital.sibling, ahead=3), now)
    assert [one.id for one in queries.earlier(session, hospital.child.id, next_one.id) if one] == [first.id]
    assert queries.earlier(session, hospital.child.id, place.encounter.id) == []
    assert queries.earlier(session, hospital.sibling.id, siblings.id) == []
    session.execute(update(Composition).values(signed=2))
    assert queries.earlier(session, hospital.child.id, next_one.id) == [None]


def test_phrases_are_a_doctors_own(session: Session, hospital: Hospital) -> None:
    actions.add_phrase(session, hospital.doctor, "advice", "DHS", " 多喝水 ")
    [made] = queries.phrases(session, hospital.doctor.id)
    assert (made.code, made.text) == ("dhs", "多喝水")
    for bad in (("advice", "dhs", "x"), ("advice", "a b", "x"), ("outcome", "b", "x"), ("advice", "b", " ")):
        with pytest.raises(BadPhrase):
            actions.add_phrase(session, hospital.doctor, *bad)
    with pytest.raises(NotFound):
        actions.remove_phrase(session, hospital.colleague, made.id)
    actions.remove_phrase(session, hospital.doctor, made.id)
    assert queries.phrases(session, hospital.doctor.id) == []


def test_a_record_is_not_readable_in_the_database(session: Session, place: Seat, sign: Sign) -> None:
    sign()
    stored = session.execute(text("select content from composition_versions")).scalar_one()
    assert b"J00" not in bytes(stored)
