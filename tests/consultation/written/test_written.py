"""A visit in writing: chosen, begun, counted, answered, and ended when nobody answers, with the fee back once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.models import AppointmentStatus, ClinicType, Schedule, Why
from booking.queries import Visit
from booking.queries import visit as whole
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind
from consultation.encounters.rooms import encounter_of, seat
from consultation.line import actions as line
from consultation.line import queries as lines
from consultation.line.late import REFUNDED, WRITTEN
from consultation.line.models import Confirmed
from consultation.line.refusals import CheckNeeded, VisitBegun
from consultation.talk.actions import can_call
from consultation.talk.refusals import RoomClosed
from consultation.written import actions, queries, rules
from consultation.written.refusals import EnoughMessages, IntakeFirst, NoCheckIn, NotInWriting, WritingClosed
from notifications.models import Notification, NotificationStatus
from payments.models import Refund
from people.access import Viewer
from people.models import AuditEvent, Role
from people.tasks import Task, TaskStatus
from tests.consultation.lines import POLICY, arrive, booked, checked, morning, told, viewer
from tests.consultation.written.conftest import PHONE, Say, told_all
from tests.notifications.test_doctors import send_all
from tests.product import Hospital, account, guardian, member

HOURS = timedelta(hours=POLICY.text_reply_hours)


def sweep(session: Session, hospital: Hospital, at: datetime) -> None:
    """The worker's minute, twice: what is done is not done again."""
    for _ in range(2):
        for encounter_id in queries.due(session, hospital.medicine.id, at, POLICY):
            actions.see_to(session, encounter_id, at, POLICY)
        session.flush()


def refunds(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Refund)) or 0


def tasks_of(session: Session, kind: str) -> list[Task]:
    found = select(Task).where(Task.kind == kind, Task.status == TaskStatus.OPEN)
    return list(session.scalars(found.execution_options(populate_existing=True)))


# --- chosen and begun


def test_which_clinics_offer_it_is_policy() -> None:
    assert rules.offered(ClinicType.ORDINARY, POLICY)
    assert not rules.offered(ClinicType.SPECIAL, POLICY)
    assert not rules.offered(ClinicType.ORDINARY, POLICY.model_copy(update={"text_clinics": ""}))


def test_begun_it_has_no_line_and_the_doctor_has_two_days(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    assert (encounter.status, encounter.kind, encounter.phone) == (EncounterStatus.IN_PROGRESS, Kind.TEXT, PHONE)
    assert (encounter.reply_by, encounter.answered_at) == (now + HOURS, None)
    assert visit.appointment.status is AppointmentStatus.ARRIVED
    assert Confirmed.PRESENT in lines.confirmed(session, encounter)
    assert lines.begun(session, visit.appointment.id), "nobody marks or cancels it by hand any more"
    assert not can_call(encounter)
    assert [row.encounter for row in queries.rows(session, hospital.doctor.id)] == [encounter]
    assert not lines.rows(session, hospital.doctor.id)
    assert not lines.busy_with(session, hospital.doctor.id), "the doctor sees others meanwhile"
    assert actions.begin(session, visit, hospital.mother.id, PHONE, now, POLICY) is encounter, "a second tap"


def test_begin_is_refused_to_whom_and_when_it_must(
    session: Session, hospital: Hospital, visit: Visit, schedule: Schedule, now: datetime
) -> None:
    with pytest.raises(WritingClosed):
        actions.begin(session, visit, hospital.mother.id, PHONE, schedule.over_at, POLICY)
    with pytest.raises(NoCheckIn):
        arrive(session, hospital, visit, schedule.starts_at)
    actions.begin(session, visit, hospital.mother.id, PHONE, now, POLICY)
    father = account(session, "o-father", now)
    guardian(session, father, visit.patient, now)
    with pytest.raises(VisitBegun):
        actions.begin(session, visit, father.id, PHONE, now, POLICY)


def test_the_child_is_told_of_first_and_a_visit_by_video_is_not_written(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    video = booked(session, hospital, morning(session, hospital.doctor, now), [hospital.child], now)[0]
    with pytest.raises(NotInWriting):
        actions.begin(session, video, hospital.mother.id, PHONE, now, POLICY)
    actions.choose(session, video, hospital.mother.id, now)
    with pytest.raises(IntakeFirst):
        actions.begin(session, video, hospital.mother.id, PHONE, now, POLICY)
    told_all(session, video, now)
    actions.begin(session, video, hospital.mother.id, PHONE, now, POLICY)


def test_only_a_visit_that_has_not_begun_is_chosen_to_be_written(
    session: Session, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    schedule.fee_fen = 0
    session.flush()
    video = booked(session, hospital, schedule, [hospital.child], now)[0]
    arrive(session, hospital, video, schedule.starts_at)
    with pytest.raises(VisitBegun):
        actions.choose(session, video, hospital.mother.id, schedule.starts_at)


def test_a_change_of_the_time_keeps_it_in_writing(
    session: Session, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    other = morning(session, hospital.doctor, now, ahead=3)
    other.fee_fen = 0
    session.flush()
    made = booking.book(session, other.id, hospital.child, hospital.mother.id, now, POLICY)
    made.replaces_id = visit.appointment.id
    told(session, now)
    assert encounter_of(session, whole(session, made.id), now).kind is Kind.TEXT


# --- written and answered


def test_the_answer_ends_the_waiting_and_a_new_question_begins_it(
    session: Session, hospital: Hospital, encounter: Encounter, say: Say, now: datetime
) -> None:
    later = now + timedelta(hours=5)
    say(later)
    assert encounter.reply_by == now + HOURS, "the oldest question counts"
    say(later, doctor=hospital.doctor)
    assert not encounter.reply_by
    assert encounter.answered_at == later
    say(later + timedelta(hours=1))
    assert encounter.reply_by == later + timedelta(hours=1) + HOURS


def test_the_familys_messages_are_counted_and_the_doctors_are_not(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, say: Say, now: datetime
) -> None:
    for n in range(POLICY.text_messages):
        assert queries.left(session, encounter, POLICY) == POLICY.text_messages - n
        last = say(now)
    with pytest.raises(EnoughMessages):
        say(now)
    here = seat(session, Viewer(hospital.mother.id, "zh_CN"), visit.appointment.id, lock=True)
    assert actions.write(session, here, "Hello", last.key, now, POLICY) is last, "sent again it is there already"
    say(now, doctor=hospital.doctor)


def test_the_doctor_is_checked_before_answering(
    session: Session, hospital: Hospital, encounter: Encounter, say: Say, now: datetime
) -> None:
    other = morning(session, hospital.doctor, now, ahead=3)
    encounter.schedule_id = other.id
    with pytest.raises(CheckNeeded):
        say(now, doctor=hospital.doctor)
    checked(session, other, hospital.doctor, now)
    say(now, doctor=hospital.doctor)


def test_doctor_and_family_are_told_in_groups_and_not_at_night(
    session: Session, hospital: Hospital, encounter: Encounter, say: Say, now: datetime
) -> None:
    def said(message: str) -> list[Notification]:
        found = select(Notification).where(Notification.message == message).order_by(Notification.due_at)
        return list(session.scalars(found))

    after = told(session, now)
    say(now)
    [asked] = said("written-question")
    assert asked.due_at == now + timedelta(minutes=POLICY.doctor_group_minutes)
    assert asked.path == f"/desk/visits/{encounter.appointment_id}"
    night = now.replace(hour=15)  # 23:00 in Beijing
    say(night, doctor=hospital.doctor)
    say(night, doctor=hospital.doctor)
    say(night + timedelta(minutes=1))
    told(session, night, after)
    assert len(said("written-answer")) == 1, "the second answer was written before the first was read"
    assert {row.account_id for row in said("written-answer")} == {hospital.mother.id}
    first, second = said("written-question")
    day = night.replace(hour=23)  # 07:00 in Beijing
    assert second.due_at == day
    send_all(session, day)
    assert first.status is second.status is NotificationStatus.DROPPED
    assert {row.data["count"] for row in said("written-questions")} == {"2"}


# --- ended


def test_without_any_answer_it_ends_with_the_fee_back_once(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, say: Say, now: datetime
) -> None:
    member(session, "T001", account(session, "o-lead", now), Role.TEAM_LEAD, of=hospital.medicine)
    sweep(session, hospital, now + HOURS - timedelta(seconds=1))
    assert encounter.status is EncounterStatus.IN_PROGRESS
    sweep(session, hospital, now + HOURS)
    assert (encounter.status, encounter.ending) == (EncounterStatus.CANCELLED, Ending.UNANSWERED)
    assert (visit.appointment.status, visit.appointment.cancel_reason) == (AppointmentStatus.CANCELLED, Why.UNANSWERED)
    assert refunds(session) == 1
    assert [(task.role, task.department_id) for task in tasks_of(session, REFUNDED)] == [
        (Role.TEAM_LEAD, hospital.medicine.id)
    ]
    actions.see_to(session, encounter.id, now + HOURS, POLICY)  # another worker, which had found it due as well
    assert refunds(session) == 1
    told(session, now + HOURS)
    cancelled = select(Notification.account_id).where(Notification.message == "appointment-cancelled")
    assert session.scalars(cancelled).all() == [hospital.mother.id]
    assert session.scalar(select(AuditEvent.id).where(AuditEvent.action == "writing-unanswered"))
    with pytest.raises(RoomClosed):
        say(now + HOURS, doctor=hospital.doctor)


def test_a_later_question_without_an_answer_is_seen_to_by_a_person(
    session: Session, hospital: Hospital, encounter: Encounter, say: Say, now: datetime
) -> None:
    say(now, doctor=hospital.doctor)
    say(now)
    sweep(session, hospital, now + HOURS)
    [task] = tasks_of(session, WRITTEN)
    assert (task.role, refunds(session)) == (Role.ADMINISTRATOR, 0), "nobody leads the department"
    task.status = TaskStatus.DONE
    sweep(session, hospital, now + HOURS + timedelta(minutes=1))
    assert not tasks_of(session, WRITTEN), "asked once"
    task.status = TaskStatus.OPEN
    say(now + HOURS, doctor=hospital.doctor)
    assert not tasks_of(session, WRITTEN)


def test_answered_and_silent_it_ends_and_the_fee_is_earned(
    session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, say: Say, now: datetime
) -> None:
    say(now, doctor=hospital.doctor)
    idle = timedelta(hours=POLICY.text_idle_hours)
    sweep(session, hospital, now + idle - timedelta(seconds=1))
    assert encounter.status is EncounterStatus.IN_PROGRESS
    sweep(session, hospital, now + idle)
    assert (encounter.status, encounter.ending) == (EncounterStatus.FINISHED, Ending.ANSWERED)
    assert (visit.appointment.status, refunds(session)) == (AppointmentStatus.FULFILLED, 0)


# --- a visit by video that goes on in writing


@pytest.fixture
def video(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Encounter:
    """The mother waits in the line."""
    schedule.fee_fen = 0
    session.flush()
    one = booked(session, hospital, schedule, [hospital.child], now)[0]
    return arrive(session, hospital, one, schedule.starts_at)


@pytest.mark.parametrize("begun", [False, True])
def test_a_call_that_cannot_be_goes_on_in_writing(
    session: Session, hospital: Hospital, video: Encounter, schedule: Schedule, begun: bool
) -> None:
    at, doctor = schedule.starts_at, viewer(hospital.doctor)
    line.call(session, doctor, video.appointment_id, at, POLICY)
    if begun:
        line.start(session, doctor, video.appointment_id, at)
    here = seat(session, Viewer(hospital.mother.id, "zh_CN"), video.appointment_id)
    for _ in range(2):
        actions.switch(session, here, at, POLICY)
    assert (video.kind, video.status, video.called_at is None) == (Kind.TEXT, EncounterStatus.IN_PROGRESS, not begun)
    assert (video.written_at, video.reply_by) == (at, at + HOURS)
    assert not lines.busy_with(session, hospital.doctor.id), "the next child can be called"
    line.watch(session, hospital.medicine, schedule.over_at + timedelta(days=1))
    assert video.status is EncounterStatus.IN_PROGRESS, "the line's rules are not for it"


def test_before_check_in_and_after_the_end_nothing_is_switched(
    session: Session, hospital: Hospital, video: Encounter, schedule: Schedule
) -> None:
    here = seat(session, Viewer(hospital.mother.id, "zh_CN"), video.appointment_id)
    line.leave(session, video, hospital.mother.id, schedule.starts_at)
    with pytest.raises(RoomClosed):
        actions.switch(session, here, schedule.starts_at, POLICY)


def test_a_hand_over_in_writing_goes_on_with_the_new_doctor(
    session: Session, hospital: Hospital, encounter: Encounter, say: Say, now: datetime
) -> None:
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    checked(session, morning(session, hospital.colleague, now, ahead=0), hospital.colleague, now)
    asked = line.offer(session, encounter, hospital.colleague.id, hospital.doctor, now)
    line.answer(session, encounter, asked.id, "agree", hospital.mother.id, now, POLICY)
    assert (encounter.practitioner_id, encounter.status) == (hospital.colleague.id, EncounterStatus.IN_PROGRESS)
    told(session, now)
    reached = select(Notification.account_id).where(Notification.message == "written-question")
    assert hospital.colleague.account_id in session.scalars(reached).all()
    with pytest.raises(CheckNeeded):
        say(now, doctor=hospital.colleague)


def test_a_stand_in_takes_over_who_writes(
    session: Session, hospital: Hospital, encounter: Encounter, schedule: Schedule, now: datetime
) -> None:
    line.doctor_replaced(session, schedule.id, hospital.doctor.id, hospital.colleague.id, now)
    assert encounter.practitioner_id == hospital.colleague.id
