"""After a visit: the score, the question, that it got worse, complaints; their bounds, and who is told what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.admission import Level
from booking.queries import Visit
from booking.roster_models import CalendarDay, DayKind
from booking.rosters.calendar import Calendar, calendar
from config.clock import at
from config.errors import NotFound
from config.states import StatusChange
from consultation.after import actions, queries, rules
from consultation.after.actions.asking import TASK as QUESTION_TASK
from consultation.after.actions.complaining import TASK as COMPLAINT_TASK
from consultation.after.models import ComplaintStatus, Rating
from consultation.after.refusals import (
    AlreadyAnswered,
    AlreadyAsked,
    NoText,
    NotOver,
    QuestionClosed,
    RatingFixed,
    WorseClosed,
)
from consultation.encounters.models import Ending
from consultation.encounters.rooms import known
from notifications.models import Notification
from people.access import Member, Viewer, member_of
from people.models import Account, AuditEvent, GuardianStatus, PractitionerRole, RelatedPerson, Role
from people.tasks import Task, TaskStatus
from tests.consultation.afterwards import POLICY, over
from tests.consultation.lines import told
from tests.product import EPOCH, Hospital, account, guardian, member, screened, visit_ahead

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    return over(session, hospital, now)


@pytest.fixture
def mother(hospital: Hospital) -> Viewer:
    return Viewer(hospital.mother.id, "zh_CN")


@pytest.fixture
def doctor(hospital: Hospital) -> Viewer:
    assert hospital.doctor.account_id
    return Viewer(hospital.doctor.account_id, "zh_CN")


@pytest.fixture
def head(session: Session, hospital: Hospital, now: datetime) -> Member:
    return staff(session, Role.DEPARTMENT_HEAD, hospital, now)


def staff(session: Session, role: Role, hospital: Hospital, now: datetime) -> Member:
    """A member of staff of the department with that role."""
    person = account(session, f"o-{role}", now)
    member(session, f"S-{role}", person, role, of=hospital.medicine)
    session.commit()
    return member_of(session, Viewer(person.id, "zh_CN"))


def tasks(session: Session, kind: str, status: TaskStatus = TaskStatus.OPEN) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.kind == kind, Task.status == status)))


def messages(session: Session, message: str) -> list[Notification]:
    return list(session.scalars(select(Notification).where(Notification.message == message).order_by(Notification.id)))


def test_nothing_is_said_of_a_visit_that_is_not_over(
    session: Session, hospital: Hospital, mother: Viewer, now: datetime
) -> None:
    id_ = visit_ahead(session, hospital, hospital.child, now).appointment.id
    with pytest.raises(NotOver):
        actions.rate(session, mother, id_, 5, now, POLICY)
    with pytest.raises(NotOver):
        actions.ask(session, mother, id_, "为什么", now, POLICY)
    with pytest.raises(NotOver):
        actions.worse(session, mother, id_, now, POLICY)


@pytest.mark.parametrize("who", ["stranger", "frozen", "other parent of the child's doctor"])
def test_only_active_guardians_say_something(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, doctor: Viewer, now: datetime, who: str
) -> None:
    id_ = visit.appointment.id
    complaint = actions.file(session, mother, id_, "care", "没讲清楚", now, POLICY)
    viewer = {"stranger": Viewer(hospital.stranger.id, "en"), "frozen": mother}.get(who, doctor)
    if who == "frozen":
        bound = select(RelatedPerson).where(RelatedPerson.account_id == mother.account_id)
        for row in session.scalars(bound):
            session.execute(text("update related_persons set status = 'frozen' where id = :id"), {"id": row.id})
            session.expire(row)
            assert row.status is GuardianStatus.FROZEN
    screen = screened(session, hospital.child, hospital.mother, now)
    for refused in (
        lambda: actions.rate(session, viewer, id_, 5, now, POLICY),
        lambda: actions.give_reason(session, viewer, id_, "kind", now, POLICY),
        lambda: actions.ask(session, viewer, id_, "为什么", now, POLICY),
        lambda: actions.worse(session, viewer, id_, now, POLICY),
        lambda: actions.answered(session, viewer, id_, screen),
        lambda: actions.file(session, viewer, id_, "care", "没讲清楚", now, POLICY),
        lambda: actions.close_by_family(session, viewer, complaint.id, now),
        lambda: queries.complaint_of(session, viewer, complaint.id),
    ):
        with pytest.raises(NotFound):
            refused()


def test_a_score_is_kept_once_and_changed_for_a_week(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    id_ = visit.appointment.id
    first = actions.rate(session, mother, id_, 2, now, POLICY)
    actions.give_reason(session, mother, id_, "hurried", now, POLICY)
    actions.give_reason(session, mother, id_, "long-wait", now, POLICY)
    assert actions.give_reason(session, mother, id_, "hurried", now, POLICY).reasons == ["long-wait"]
    with pytest.raises(NotFound):
        actions.give_reason(session, mother, id_, "kind", now, POLICY)  # not offered with a 2
    with pytest.raises(NotFound):
        actions.rate(session, mother, id_, 6, now, POLICY)
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    last = now + 7 * DAY - timedelta(seconds=1)
    changed = actions.rate(session, Viewer(father.id, "en"), id_, 5, last, POLICY)
    assert (changed.id, changed.score, changed.reasons, changed.at) == (first.id, 5, [], now)
    with pytest.raises(RatingFixed):
        actions.rate(session, mother, id_, 1, now + 7 * DAY, POLICY)
    with pytest.raises(RatingFixed):
        actions.give_reason(session, mother, id_, "kind", now + 7 * DAY, POLICY)
    assert actions.rate(session, mother, id_, 5, now + 7 * DAY, POLICY).score == 5, "the same is no change"
    assert session.scalars(select(Rating.score)).all() == [5]


def test_counts_need_five_answers(session: Session, hospital: Hospital, visit: Visit, now: datetime) -> None:
    day, department = visit.appointment.day, hospital.medicine.id
    ids = [department, hospital.skin.id]
    template = session.scalars(text("select id from appointments")).one()

    def rated(score: int, reasons: list[str], where: UUID, on: date) -> None:
        """Straight into the table, each for an appointment of its own."""
        made = Rating(
            appointment_id=template, account_id=hospital.mother.id, department_id=where, day=on, score=score,
            reasons=reasons, at=now, changed_at=now,
        )  # fmt: skip
        session.add(made)
        session.flush()

    session.execute(text("alter table ratings drop constraint uq_ratings_appointment_id"))
    for score in (5, 5, 4, 1):
        rated(score, ["kind"], department, day)
    rated(5, [], hospital.skin.id, day)
    rated(5, [], department, day.replace(day=1) - DAY)  # another month
    first, last = day.replace(day=1), day.replace(day=28) + 4 * DAY
    four = queries.satisfaction(session, ids, first, last)
    assert [(found.shown, dict(found.scores), dict(found.reasons)) for found in four.values()] == [(False, {}, {})] * 2
    rated(3, ["hurried"], department, day)
    found = queries.satisfaction(session, ids, first, last)
    assert (found[department].answers, found[department].mean) == (5, 3.6)
    assert found[department].reasons == {"kind": 4, "hurried": 1}
    assert not found[hospital.skin.id].shown


def test_one_question_within_a_day(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, doctor: Viewer, now: datetime
) -> None:
    id_ = visit.appointment.id
    late = now + 24 * HOUR
    with pytest.raises(QuestionClosed):
        actions.ask(session, mother, id_, "可以洗澡吗", late, POLICY)
    asked = actions.ask(session, mother, id_, " 可以洗澡吗 ", late - timedelta(seconds=1), POLICY)
    assert actions.ask(session, mother, id_, "可以洗澡吗", late, POLICY) is asked, "sent twice is one question"
    with pytest.raises(AlreadyAsked):
        actions.ask(session, mother, id_, "可以吃鱼吗", now, POLICY)
    task = tasks(session, QUESTION_TASK)[0]
    assert (task.practitioner_id, task.deadline) == (hospital.doctor.id, asked.at + 24 * HOUR)
    assert "王**" in str(task.about)
    with pytest.raises(NoText):
        actions.answer(session, doctor, id_, "  ", now)
    actions.answer(session, doctor, id_, "可以，水温38度。", late)
    assert tasks(session, QUESTION_TASK) == []
    with pytest.raises(AlreadyAnswered):
        actions.answer(session, doctor, id_, "不可以", late)
    kept = session.execute(text("select text, answer from advice_questions")).one()
    assert "可以".encode() not in bytes(kept.text) + bytes(kept.answer)


def test_a_visit_ended_by_rule_had_no_advice(
    session: Session, hospital: Hospital, mother: Viewer, now: datetime
) -> None:
    visit = over(session, hospital, now, Ending.NOT_FOLLOWUP)
    with pytest.raises(QuestionClosed):
        actions.ask(session, mother, visit.appointment.id, "为什么", now, POLICY)


def test_only_the_treating_doctor_answers(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    session.commit()
    actions.ask(session, mother, visit.appointment.id, "可以洗澡吗", now, POLICY)
    for other in (mother, Viewer(hospital.colleague.account_id, "en"), Viewer(hospital.stranger.id, "en")):
        with pytest.raises(NotFound):
            actions.answer(session, other, visit.appointment.id, "可以", now)


def test_question_and_answer_are_told_without_a_word_of_them(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, doctor: Viewer, now: datetime
) -> None:
    night = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)  # 22:00
    actions.ask(session, mother, visit.appointment.id, "可以洗澡吗", night, POLICY)
    last = told(session, night)
    (asked,) = messages(session, "question-asked")
    assert asked.account_id == hospital.doctor.account_id
    assert asked.path == f"/desk/visits/{visit.appointment.id}"
    assert asked.due_at == datetime(2026, 11, 25, 23, 0, tzinfo=UTC), "at seven in the morning"
    actions.answer(session, doctor, visit.appointment.id, "可以", now)
    told(session, now, last)
    (answered,) = messages(session, "question-answered")
    assert (answered.account_id, answered.data["child"]) == (hospital.mother.id, "王**")
    assert "洗澡" not in f"{asked.data}{answered.data}"


def freeze(session: Session, of: Account) -> None:
    session.execute(text("update related_persons set status = 'frozen' where account_id = :id"), {"id": of.id})
    session.expire_all()


def test_a_guardian_who_was_frozen_meanwhile_is_not_told(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, doctor: Viewer, head: Member, now: datetime
) -> None:
    complaint = actions.file(session, mother, visit.appointment.id, "care", "没讲清楚", now, POLICY)
    actions.ask(session, mother, visit.appointment.id, "可以洗澡吗", now, POLICY)
    freeze(session, hospital.mother)
    actions.answer(session, doctor, visit.appointment.id, "可以", now)
    actions.reply(session, head, complaint.id, "已核实", now)
    told(session, now)
    assert messages(session, "question-answered") == messages(session, "complaint-news") == []


def test_got_worse_alerts_the_team_at_once_and_once(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    lead = staff(session, Role.TEAM_LEAD, hospital, now)
    id_, night = visit.appointment.id, now + 6 * HOUR
    made = actions.worse(session, mother, id_, night, POLICY)
    assert actions.worse(session, mother, id_, night + 14 * timedelta(minutes=1), POLICY) is made, "a second tap"
    (own,), (team,) = tasks(session, actions.DOCTOR_TASK), tasks(session, actions.TEAM_TASK)
    assert (own.practitioner_id, own.deadline) == (hospital.doctor.id, night + timedelta(minutes=15))
    assert (team.role, team.department_id) == (Role.TEAM_LEAD, hospital.medicine.id)
    last = told(session, night)
    sent = messages(session, "child-worse")
    assert {one.account_id for one in sent} == {hospital.doctor.account_id, lead.practitioner.account_id}
    assert {(one.path, one.due_at, one.data["level"]) for one in sent} == {
        (f"/desk/worse/{id_}", night, "就诊后病情加重")
    }
    screen = screened(session, hospital.child, hospital.mother, night, Level.EMERGENCY)
    assert actions.answered(session, mother, id_, screen).screen_id == screen.id
    told(session, night, last)
    assert [one.data["level"] for one in messages(session, "child-worse")][2:] == ["紧急"] * 2
    assert actions.worse(session, mother, id_, night + timedelta(minutes=15), POLICY) is not made, "nobody has looked"


def test_mild_answers_are_not_told_twice(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    screen = screened(session, hospital.child, hospital.mother, now)
    with pytest.raises(NotFound):
        actions.answered(session, mother, visit.appointment.id, screen)  # nobody said that it got worse
    actions.worse(session, mother, visit.appointment.id, now, POLICY)
    actions.answered(session, mother, visit.appointment.id, screen)
    told(session, now)
    assert len(messages(session, "child-worse")) == 1


def test_worse_reaches_the_team_for_a_week(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    actions.worse(session, mother, visit.appointment.id, now + 7 * DAY - timedelta(seconds=1), POLICY)
    with pytest.raises(WorseClosed):
        actions.worse(session, mother, visit.appointment.id, now + 7 * DAY, POLICY)


@pytest.mark.parametrize("role", [None, Role.DEPARTMENT_HEAD, Role.TEAM_LEAD])
def test_without_a_team_lead_the_head_then_the_administrators_see_to_it(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime, role: Role | None
) -> None:
    if role:
        staff(session, role, hospital, now)
    actions.worse(session, mother, visit.appointment.id, now, POLICY)
    (task,) = tasks(session, actions.TEAM_TASK)
    assert (task.role, task.department_id) == ((role, hospital.medicine.id) if role else (Role.ADMINISTRATOR, None))


def test_who_may_see_to_it(session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime) -> None:
    id_ = visit.appointment.id
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    lead = staff(session, Role.TEAM_LEAD, hospital, now)
    own = member_of(session, Viewer(hospital.doctor.account_id or uuid4(), "en"))
    colleague = member_of(session, Viewer(hospital.colleague.account_id, "en"))
    with pytest.raises(NotFound):
        actions.seen(session, own, id_, "", now)  # nothing to see to
    actions.worse(session, mother, id_, now, POLICY)
    with pytest.raises(NotFound):
        actions.seen(session, colleague, id_, "", now)
    actions.seen(session, lead, id_, "已电话，嘱来院", now)
    found = queries.worsening(session, id_)
    assert found is not None
    assert (found.seen_at, found.seen_by_id, found.note) == (now, lead.practitioner.id, "已电话，嘱来院")
    assert tasks(session, actions.DOCTOR_TASK) == tasks(session, actions.TEAM_TASK) == []
    with pytest.raises(NotFound):
        queries.worse_for(session, lead, id_)  # the task is over
    assert queries.worse_for(session, own, id_).appointment_id == id_
    told(session, now)
    assert messages(session, "child-worse") == [], "nobody has to look any more"


KNOWN = Calendar({}, frozenset({2026, 2027}))


@pytest.mark.parametrize(
    ("filed", "days", "due"),
    [
        (date(2026, 11, 23), 15, date(2026, 12, 14)),  # three plain weeks
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # from a Friday over the weekend
        (date(2026, 11, 28), 1, date(2026, 11, 30)),  # from a Saturday
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the National Day
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # the Sunday after is a make-up workday
        (date(2027, 12, 31), 1, date(2028, 1, 3)),  # a year that nobody knows: every weekday
    ],
)
def test_working_days_follow_the_calendar(filed: date, days: int, due: date) -> None:
    assert rules.answer_by(filed, days, KNOWN) == at(due, rules.CLOSES)


def test_the_hospitals_own_days_count(session: Session, hospital: Hospital) -> None:
    session.add(CalendarDay(day=date(2026, 11, 30), kind=DayKind.HOLIDAY))
    session.flush()
    assert rules.answer_by(date(2026, 11, 27), 1, calendar(session)) == at(date(2026, 12, 1), rules.CLOSES)


def test_a_complaint_from_its_number_to_its_end(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, head: Member, now: datetime
) -> None:
    id_ = visit.appointment.id
    with pytest.raises(NotFound):
        actions.file(session, mother, id_, "nonsense", "没讲清楚", now, POLICY)
    made = actions.file(session, mother, id_, "care", " 没讲清楚 ", now, POLICY)
    assert (made.number, made.text, made.status) == ("C20261125-0001", "没讲清楚", ComplaintStatus.NEW)
    assert made.deadline == at(date(2026, 12, 16), rules.CLOSES)
    assert actions.file(session, mother, id_, "care", "再写一次", now, POLICY) is made, "one at a time"
    (task,) = tasks(session, COMPLAINT_TASK)
    assert (task.role, task.department_id, task.deadline) == (
        Role.DEPARTMENT_HEAD, hospital.medicine.id, made.deadline,
    )  # fmt: skip
    assert task.about["en"] == made.number
    last = told(session, now)
    with pytest.raises(NotFound):
        actions.close_by_family(session, mother, made.id, now)  # there is no answer
    actions.take(session, head, made.id, now)
    with pytest.raises(NoText):
        actions.reply(session, head, made.id, " ", now)
    actions.reply(session, head, made.id, "已与医生沟通", now + DAY)
    with pytest.raises(AlreadyAnswered):
        actions.reply(session, head, made.id, "又一次", now + DAY)
    told(session, now + DAY, last)
    received, answered = messages(session, "complaint-news")
    assert (received.data["result"], answered.data["result"]) == ("已受理", "已答复")
    assert received.data["about"] == answered.data["about"] == made.number
    assert tasks(session, COMPLAINT_TASK) == []
    actions.close_by_family(session, mother, made.id, now + DAY)
    actions.close_by_family(session, mother, made.id, now + DAY)
    moves = select(StatusChange.to_status).where(StatusChange.thing == "complaints").order_by(StatusChange.id)
    assert session.scalars(moves).all() == ["in-progress", "answered", "closed"]
    again = actions.file(session, mother, id_, "care", "没有解决", now + DAY, POLICY)
    assert again.number == "C20261126-0001"
    kept = session.execute(text("select text, answer from complaints where answer is not null")).one()
    assert "医生".encode() not in bytes(kept.answer)
    assert "没讲清楚".encode() not in bytes(kept.text)
    done = {"file-complaint", "take-complaint", "answer-complaint", "close-complaint"}
    assert done <= set(session.scalars(select(AuditEvent.action)))


def test_a_complaint_can_be_about_a_visit_that_did_not_take_place(
    session: Session, hospital: Hospital, mother: Viewer, now: datetime
) -> None:
    visit = visit_ahead(session, hospital, hospital.child, now)
    assert known(session, visit.appointment.id) is None
    made = actions.file(session, mother, visit.appointment.id, "waiting", "又改约", now, POLICY)
    assert made.practitioner_id == hospital.doctor.id


def test_nobody_decides_about_a_complaint_against_themselves(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    session.add(
        PractitionerRole(
            practitioner_id=hospital.doctor.id, role=Role.DEPARTMENT_HEAD, department_id=hospital.medicine.id,
            granted_at=EPOCH,
        )
    )  # fmt: skip
    admin = staff(session, Role.ADMINISTRATOR, hospital, now)
    made = actions.file(session, mother, visit.appointment.id, "manner", "态度差", now, POLICY)
    (task,) = tasks(session, COMPLAINT_TASK)
    assert (task.role, task.department_id) == (Role.ADMINISTRATOR, None)
    own = member_of(session, Viewer(hospital.doctor.account_id or uuid4(), "en"))
    assert queries.complaints_for(session, own) == ([], [])
    for refused in (actions.take, actions.close):
        with pytest.raises(NotFound):
            refused(session, own, made.id, now)
    with pytest.raises(NotFound):
        actions.reply(session, own, made.id, "不实", now)
    assert queries.complaints_for(session, admin)[0] == [made]
    assert actions.reply(session, admin, made.id, "已核实", now).status is ComplaintStatus.ANSWERED


def test_the_head_of_another_department_reads_no_complaint(
    session: Session, hospital: Hospital, visit: Visit, mother: Viewer, now: datetime
) -> None:
    person = account(session, "o-skin", now)
    member(session, "S-skin", person, Role.DEPARTMENT_HEAD, of=hospital.skin)
    other = member_of(session, Viewer(person.id, "en"))
    made = actions.file(session, mother, visit.appointment.id, "manner", "态度差", now, POLICY)
    assert queries.complaints_for(session, other) == ([], [])
    with pytest.raises(NotFound):
        queries.complaint_for(session, other, made.id)
    with pytest.raises(NotFound):
        queries.complaint_for(session, other, uuid4())
