"""After a prescription: when a family is reminded and asked, what a reaction sets going, and who sees it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import at, today
from config.errors import NotFound
from config.policy import Policy
from config.states import advance
from notifications.medicines import tell_cancelled
from notifications.models import Notification
from notifications.preferences import choose as mute
from people.access import Member, Viewer, member_of
from people.models import GuardianStatus, RelatedPerson, Role
from people.tasks import Task, TaskStatus
from prescriptions.after import actions, queries
from prescriptions.after.actions.reactions import DOCTOR_TASK, PHARMACIST_TASK, Told
from prescriptions.after.library import Severity, reactions
from prescriptions.after.models import (
    AdverseEvent,
    Causality,
    CourseEnd,
    MedicineReminder,
    ReactionOutcome,
    ReactionStatus,
    Recovery,
    Reporter,
)
from prescriptions.after.refusals import (
    BeganUnreadable,
    CourseOpen,
    LookUnreadable,
    MedicineUnknown,
    NoReminders,
    NoteMissing,
    ReactionClosed,
    SignMissing,
    TimesTooClose,
    TimeUnreadable,
    TooManyTimes,
    WordsMissing,
)
from prescriptions.writing.events import PrescriptionCancelled
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus
from tests.consultation.lines import told
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital, account, guardian, member

POLICY = Policy()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def made(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    """An approved prescription of two medicines; its first line at most 3 times a day, 6 hours apart, for 3 days."""
    found = signed(session, hospital, now, FEVER, IBUPROFEN)
    first, second = lines(session, found)
    for line, days in ((first, 3), (second, 2)):
        line.times, line.interval, line.days, line.until = 3, 6, days, line.starts_on + (days - 1) * DAY
    session.commit()
    return found


@pytest.fixture
def mother(hospital: Hospital) -> Viewer:
    return Viewer(hospital.mother.id, "zh_CN")


@pytest.fixture
def pharmacist(session: Session, now: datetime) -> Member:
    return staff(session, Role.PHARMACIST, now)


def staff(session: Session, role: Role, now: datetime) -> Member:
    person = account(session, f"o-{role}-{uuid4().hex[:6]}", now)
    member(session, f"S{uuid4().hex[:6]}", person, role)
    session.commit()
    return member_of(session, Viewer(person.id, "zh_CN"))


def lines(session: Session, of: Prescription) -> list[PrescriptionLine]:
    wanted = select(PrescriptionLine).where(PrescriptionLine.prescription_id == of.id).order_by(PrescriptionLine.n)
    return list(session.scalars(wanted))


def messages(session: Session, message: str) -> list[Notification]:
    return list(session.scalars(select(Notification).where(Notification.message == message).order_by(Notification.id)))


def tasks(session: Session, kind: str) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.kind == kind, Task.status == TaskStatus.OPEN)))


def reminder_of(session: Session, made: Prescription) -> MedicineReminder:
    session.expire_all()
    return session.scalars(select(MedicineReminder).where(MedicineReminder.prescription_id == made.id)).one()


THREE = ["08:00", "14:00", "20:00"]


def test_reminders_begin_when_the_medicine_is_with_the_child(
    session: Session, made: Prescription, mother: Viewer, now: datetime
) -> None:
    actions.choose(session, mother, made.id, {1: THREE, 2: []}, now)
    assert actions.remind_due(session, now + 7 * DAY) == 0, "asked for, but nothing to give yet"
    arrived = at(today(now), time(15))
    actions.begun(session, made.id, arrived)
    found = reminder_of(session, made)
    assert (found.next_at, found.until) == (at(today(now), time(20)), today(now) + 2 * DAY)
    actions.begun(session, made.id, arrived + DAY)
    assert reminder_of(session, made).starts_on == today(now), "told twice it has begun once"


def test_asked_for_later_they_count_from_the_same_beginning(
    session: Session, made: Prescription, mother: Viewer, now: datetime
) -> None:
    actions.begun(session, made.id, now)
    actions.choose(session, mother, made.id, {1: THREE, 2: THREE}, now + 2 * DAY + 8 * HOUR)
    found = reminder_of(session, made)
    assert found.next_at == at(today(now) + 2 * DAY, time(20)), "the second line's two days are over"
    with pytest.raises(NoReminders):
        actions.choose(session, mother, made.id, {1: THREE}, now + 3 * DAY)


def test_a_moment_is_told_once_and_without_the_medicine(
    session: Session, made: Prescription, mother: Viewer, now: datetime
) -> None:
    actions.choose(session, mother, made.id, {1: THREE, 2: ["14:00"]}, now)
    actions.begun(session, made.id, now)
    at_two = at(today(now), time(14))
    for moment in (at_two - MINUTE, at_two, at_two, at_two + MINUTE):
        actions.remind_due(session, moment)
    last = told(session, at_two)
    told(session, at_two)  # the queue hands it over twice
    (message,) = messages(session, "medicine-time")
    assert (message.path, message.occasion) == (f"/prescriptions/{made.id}", "202611250600")
    said = " ".join(message.data.values())
    assert "王**" in said
    assert not {"王小明", "对乙酰氨基酚", "布洛芬"} & set(said.split())
    assert reminder_of(session, made).next_at == at(today(now), time(20))
    actions.remind_due(session, at(today(now), time(20)))
    told(session, at(today(now), time(20)), last)
    assert len(messages(session, "medicine-time")) == 2


def test_a_worker_that_dies_between_loses_and_doubles_nothing(
    session: Session, made: Prescription, mother: Viewer, now: datetime
) -> None:
    actions.choose(session, mother, made.id, {1: THREE}, now)
    actions.begun(session, made.id, now)
    session.commit()
    moment = at(today(now), time(14))
    for _ in range(2):
        actions.remind_due(session, moment)
        session.rollback()
    actions.remind_due(session, moment)
    session.commit()
    told(session, moment)
    assert len(messages(session, "medicine-time")) == 1


def test_what_is_late_is_left_out(session: Session, made: Prescription, mother: Viewer, now: datetime) -> None:
    actions.choose(session, mother, made.id, {1: THREE}, now)
    actions.begun(session, made.id, now)
    actions.remind_due(session, at(today(now), time(14, 31)))
    assert reminder_of(session, made).last == {}
    assert reminder_of(session, made).next_at == at(today(now), time(20))
    actions.remind_due(session, at(today(now), time(20, 20)))
    told(session, at(today(now), time(20, 31)))
    assert messages(session, "medicine-time") == [], "a message that waited too long in the queue, too"


def test_after_the_last_day_nothing_more(session: Session, made: Prescription, mother: Viewer, now: datetime) -> None:
    actions.choose(session, mother, made.id, {1: THREE}, now)
    actions.begun(session, made.id, now)
    moment, count = now, 0
    while moment < now + 6 * DAY:
        count += actions.remind_due(session, moment)
        moment += 10 * MINUTE
    assert count == 2 + 3 + 3
    assert reminder_of(session, made).next_at is None


def test_whoever_does_not_want_them_hears_none(
    session: Session, hospital: Hospital, made: Prescription, mother: Viewer, now: datetime
) -> None:
    actions.choose(session, mother, made.id, {1: THREE}, now)
    actions.begun(session, made.id, now)
    mute(session, hospital.mother.id, "medicine-time", wanted=False, now=now)
    moment = at(today(now), time(14))
    actions.remind_due(session, moment)
    last = told(session, moment)
    mute(session, hospital.mother.id, "medicine-time", wanted=True, now=now)
    bound = session.scalars(select(RelatedPerson).where(RelatedPerson.patient_id == made.patient_id)).one()
    advance(bound, GuardianStatus.FROZEN, by="test", why="test", now=now)
    moment = at(today(now), time(20))
    actions.remind_due(session, moment)
    told(session, moment, last)
    assert messages(session, "medicine-time") == []
    advance(bound, GuardianStatus.ACTIVE, by="test", why="test", now=now)
    actions.switch_off(session, mother, made.id)
    assert actions.remind_due(session, now + 2 * DAY) == 0


def test_a_withdrawn_prescription_reminds_of_nothing(
    session: Session, made: Prescription, mother: Viewer, now: datetime
) -> None:
    actions.choose(session, mother, made.id, {1: THREE}, now)
    actions.begun(session, made.id, now)
    advance(made, PrescriptionStatus.CANCELLED, by="test", why="test", now=now)
    actions.remind_due(session, at(today(now), time(14)))
    assert reminder_of(session, made).next_at is None, "before anybody has heard of it"
    tell_cancelled(session, PrescriptionCancelled(made.id), now)
    assert not reminder_of(session, made).active
    assert session.scalar(select(CourseEnd)) is None
    assert [one.account_id for one in messages(session, "prescription-cancelled")] == [mother.account_id]
    actions.begun(session, made.id, now)
    assert session.scalar(select(CourseEnd)) is None
    with pytest.raises(NoReminders):
        actions.choose(session, mother, made.id, {1: THREE}, now)


@pytest.mark.parametrize(
    ("times", "refusal"),
    [
        (["08:00", "13:59"], TimesTooClose),
        (["03:00", "22:00"], TimesTooClose),
        (["06:00", "12:00", "18:00", "00:00"], TooManyTimes),
        (["8 o'clock"], TimeUnreadable),
        (["25:00"], TimeUnreadable),
    ],
)
def test_bad_times_are_named_by_field(
    session: Session, made: Prescription, mother: Viewer, now: datetime, times: list[str], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal) as refused:
        actions.choose(session, mother, made.id, {1: THREE, 2: times}, now)
    assert refused.value.field == "times-2"  # type: ignore[attr-defined]
    assert session.scalar(select(MedicineReminder)) is None


def test_a_strangers_child_is_nobodys(session: Session, made: Prescription, hospital: Hospital, now: datetime) -> None:
    stranger = Viewer(hospital.stranger.id, "en")
    for tried in (
        lambda: actions.choose(session, stranger, made.id, {1: THREE}, now),
        lambda: actions.switch_off(session, stranger, made.id),
        lambda: actions.answer(session, stranger, made.id, Recovery.WELL, now),
    ):
        with pytest.raises(NotFound):
            tried()


def test_at_the_courses_end_the_family_is_asked_once(
    session: Session, hospital: Hospital, made: Prescription, mother: Viewer, now: datetime
) -> None:
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    actions.begun(session, made.id, now)
    with pytest.raises(CourseOpen):
        actions.answer(session, mother, made.id, Recovery.WELL, now)
    morning = at(today(now) + 3 * DAY, time(9))
    assert actions.ask_due(session, morning - MINUTE) == 0
    assert (actions.ask_due(session, morning), actions.ask_due(session, morning)) == (1, 0)
    told(session, morning)
    asked = messages(session, "course-over")
    assert {one.account_id for one in asked} == {hospital.mother.id, father.id}
    assert {one.path for one in asked} == {f"/prescriptions/{made.id}/course"}
    actions.answer(session, mother, made.id, Recovery.BETTER, morning)
    found = actions.answer(session, mother, made.id, Recovery.WORSE, morning + HOUR)
    assert (found.answer, found.answered_at) == (Recovery.WORSE, morning + HOUR)


# Reactions


def report(session: Session, made: Prescription, by: UUID, now: datetime, *signs: str, **more: object) -> AdverseEvent:
    values = {"signs": signs, "line": None, "began_at": now} | more
    return actions.report(session, made, by, Reporter.FAMILY, Told(**values), now, POLICY)  # type: ignore[arg-type]


def test_a_reaction_asks_the_pharmacists_and_a_severe_one_alerts_at_once(
    session: Session, hospital: Hospital, made: Prescription, pharmacist: Member, mother: Viewer, now: datetime
) -> None:
    mild = report(session, made, mother.account_id, now, "vomiting", line=1)
    assert (mild.severe, mild.look_at) == (False, now + timedelta(hours=POLICY.reaction_hours))
    assert [task.role for task in tasks(session, PHARMACIST_TASK)] == [Role.PHARMACIST]
    assert tasks(session, DOCTOR_TASK) == []
    assert report(session, made, mother.account_id, now, "vomiting", line=1) is mild, "tapped twice it is one"
    severe = report(session, made, mother.account_id, now, "swelling")
    assert (severe.severe, severe.look_at) == (True, now + timedelta(minutes=POLICY.triage_minutes))
    assert [task.practitioner_id for task in tasks(session, DOCTOR_TASK)] == [hospital.doctor.id]
    told(session, now)
    by_reaction: dict[UUID, set[UUID]] = {}
    for one in messages(session, "reaction-reported"):
        by_reaction.setdefault(one.source_id, set()).add(one.account_id)
        assert not {"呕吐", "肿"} & {text for text in one.data.values()}
    mine, doctors = pharmacist.practitioner.account_id, hospital.doctor.account_id
    assert by_reaction == {mild.id: {mine}, severe.id: {mine, doctors}}


@pytest.mark.parametrize(
    ("told_of", "refusal", "field"),
    [
        ({"signs": ()}, SignMissing, "signs"),
        ({"signs": ("teleport",)}, SignMissing, "signs"),
        ({"signs": ("other",)}, WordsMissing, "text"),
        ({"line": 5}, MedicineUnknown, "line"),
        ({"began_at": None}, BeganUnreadable, "began"),
        ({"began_at": timedelta(minutes=1)}, BeganUnreadable, "began"),
        ({"began_at": timedelta(days=-1)}, BeganUnreadable, "began"),
    ],
)
def test_a_bad_report_is_named_by_field(
    session: Session, made: Prescription, mother: Viewer, now: datetime, told_of: dict[str, object],
    refusal: type[Exception], field: str,
) -> None:  # fmt: skip
    moved = {name: now + value if isinstance(value, timedelta) else value for name, value in told_of.items()}
    with pytest.raises(refusal) as refused:
        report(session, made, mother.account_id, now, **({"signs": ("rash",)} | moved))
    assert refused.value.field == field  # type: ignore[attr-defined]
    assert session.scalar(select(AdverseEvent)) is None


def test_it_is_watched_to_its_end(
    session: Session, hospital: Hospital, made: Prescription, pharmacist: Member, mother: Viewer, now: datetime
) -> None:
    found = report(session, made, mother.account_id, now, "breathing")
    with pytest.raises(NoteMissing):
        actions.watch(session, pharmacist, found.id, " ", today(now), now)
    with pytest.raises(LookUnreadable):
        actions.watch(session, pharmacist, found.id, "打了电话", today(now) - DAY, now)
    actions.watch(session, pharmacist, found.id, "打了电话", today(now) + 2 * DAY, now)
    assert found.status is ReactionStatus.WATCHED
    (again,) = tasks(session, PHARMACIST_TASK)
    assert again.deadline == at(today(now) + 2 * DAY, time(18))
    assert hospital.doctor.account_id
    doctor = member_of(session, Viewer(hospital.doctor.account_id, "zh_CN"))
    actions.note(session, doctor, found.id, "已通知停药", now)
    assert tasks(session, DOCTOR_TASK) == []
    with pytest.raises(NotFound):
        actions.close(session, doctor, found.id, "好了", ReactionOutcome.RESOLVED, Causality.PROBABLE, now)
    actions.close(session, pharmacist, found.id, "好了", ReactionOutcome.RESOLVED, Causality.PROBABLE, now + 2 * DAY)
    assert (found.status, tasks(session, PHARMACIST_TASK)) == (ReactionStatus.CLOSED, [])
    assert [one.text for one in queries.notes(session, found.id)] == ["打了电话", "已通知停药", "好了"]
    with pytest.raises(ReactionClosed):
        actions.note(session, pharmacist, found.id, "再说", now)
    assert queries.reactions_for(session, pharmacist) == ([], [found])


def test_others_of_the_staff_do_not_see_it(
    session: Session, made: Prescription, pharmacist: Member, mother: Viewer, now: datetime
) -> None:
    found = report(session, made, mother.account_id, now, "rash")
    other = staff(session, Role.DOCTOR, now)
    for nobody in (other, staff(session, Role.DISPATCHER, now)):
        with pytest.raises(NotFound):
            queries.reaction_for(session, nobody, found.id)
    assert queries.reactions_for(session, other) == ([], [])
    assert queries.reaction_for(session, pharmacist, found.id) is found


def test_a_guardian_who_is_also_staff_does_not_see_it_by_that(
    session: Session, hospital: Hospital, made: Prescription, now: datetime
) -> None:
    found = report(session, made, hospital.mother.id, now, "rash")
    member(session, "S-mother", hospital.mother, Role.DOCTOR)
    session.commit()
    with pytest.raises(NotFound):
        queries.reaction_for(session, member_of(session, Viewer(hospital.mother.id, "en")), found.id)


def test_what_a_child_reacted_to_is_known_later(
    session: Session, made: Prescription, pharmacist: Member, mother: Viewer, now: datetime
) -> None:
    found = report(session, made, mother.account_id, now, "rash", line=2)
    (reacted,) = queries.reacted(session, made.patient_id)
    assert (reacted.ingredients, reacted.severe) == (frozenset({"ibuprofen"}), False)
    both = report(session, made, mother.account_id, now, "swelling")
    assert queries.reacted(session, made.patient_id)[0].ingredients == {"ibuprofen", "paracetamol"}
    for one in (found, both):
        actions.close(session, pharmacist, one.id, "无关", ReactionOutcome.RESOLVED, Causality.UNLIKELY, now)
    assert queries.reacted(session, made.patient_id) == []


def test_signs_together_mean_more_than_each() -> None:
    known = reactions()
    assert known.severity(["rash"]) is Severity.TODAY
    assert known.severity(["rash", "vomiting"]) is Severity.EMERGENCY
    assert known.severity(["swelling"]) is Severity.EMERGENCY
    assert all(known.to_do(severity, locale) for severity in Severity for locale in ("zh_CN", "en"))
