"""The line: checking in, being called, missed calls, hand-overs, endings, and what each means for the appointment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.models import AppointmentStatus, Schedule, Why
from booking.queries import Visit
from config.errors import NotFound
from consultation.encounters.models import Encounter, EncounterStatus, Ending, RoomEvent
from consultation.encounters.rooms import happened
from consultation.line import actions, queries
from consultation.line.actions.handing import Answer
from consultation.line.late import LATE, OFFERED
from consultation.line.models import Confirmed, HandoverStatus
from consultation.line.refusals import (
    CheckInClosed,
    CheckNeeded,
    DoctorNotThere,
    HandoverOver,
    NobodyWaiting,
    NotCalled,
    NotWaiting,
    StillBusy,
    VisitBegun,
    VisitOver,
    WentThroughRoom,
)
from consultation.triage.actions import DOCTOR_TASK, TEAM_TASK
from notifications.models import Notification
from people import tasks
from people.access import Viewer
from people.models import Role
from people.tasks import Task, TaskStatus
from tests.consultation.lines import POLICY, arrive, booked, checked, child, morning, told, viewer
from tests.product import Hospital, account, agree, guardian

SOON = timedelta(minutes=10)


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    return morning(session, hospital.doctor, now)


@pytest.fixture
def at(schedule: Schedule) -> datetime:
    """An hour into the morning: all five can check in."""
    return schedule.starts_at + timedelta(hours=1)


@pytest.fixture
def visits(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> list[Visit]:
    """Five children in the morning."""
    return booked(session, hospital, schedule, [child(session, hospital, n, now) for n in range(5)], now)


@pytest.fixture
def line(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit], at: datetime
) -> list[Encounter]:
    """All five have checked in, the last first; the doctor's identity was checked."""
    checked(session, schedule, hospital.doctor, at)
    return [arrive(session, hospital, visit, at) for visit in reversed(visits)][::-1]


def ids(line: list[Encounter]) -> list[object]:
    return [one.id for one in line]


def test_checking_in_begins_half_an_hour_before_and_ends_with_the_period(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit]
) -> None:
    first = visits[0]
    for bad in (schedule.starts_at - timedelta(minutes=31), schedule.ends_at):
        with pytest.raises(CheckInClosed):
            arrive(session, hospital, first, bad)
    there = arrive(session, hospital, first, schedule.starts_at - timedelta(minutes=30))
    assert there.status is EncounterStatus.ARRIVED
    assert first.appointment.status is AppointmentStatus.ARRIVED
    assert first.appointment.remind_soon_at is None
    assert Confirmed.PRESENT in queries.confirmed(session, there)
    schedule.delay_minutes = 30
    assert arrive(session, hospital, visits[1], schedule.ends_at), "a late doctor's period lasts longer"


def test_a_cancelled_visit_cannot_be_checked_in(
    session: Session, hospital: Hospital, visits: list[Visit], at: datetime, now: datetime
) -> None:
    booking.cancel(session, visits[0].appointment.id, hospital.mother.id, now, POLICY)
    with pytest.raises(CheckInClosed):
        arrive(session, hospital, visits[0], at)


def test_another_guardian_may_sit_with_the_child_until_it_has_begun(
    session: Session, hospital: Hospital, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    father = account(session, "o-father", at)
    guardian(session, father, visits[0].patient, at)
    agree(session, father, at)
    encounter = actions.check_in(session, visits[0], father.id, "there", "13900001234", at, POLICY)
    assert (encounter.account_id, encounter.place) == (father.id, "there")
    assert Confirmed.PRESENT in queries.confirmed(session, encounter), "the father's own word"
    actions.start(session, viewer(hospital.doctor), visits[0].appointment.id, at)
    with pytest.raises(VisitBegun):
        arrive(session, hospital, visits[0], at)


def test_the_line_is_in_the_order_of_the_appointed_times(
    session: Session, hospital: Hospital, line: list[Encounter]
) -> None:
    assert ids(list(queries.line(session, hospital.doctor.id))) == ids(line)


def test_leaving_keeps_the_turn(
    session: Session, hospital: Hospital, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    actions.leave(session, line[1], hospital.mother.id, at)
    assert ids(list(queries.line(session, hospital.doctor.id))) == ids([line[0], *line[2:]])
    with pytest.raises(NotWaiting):
        actions.leave(session, line[1], hospital.mother.id, at)
    arrive(session, hospital, visits[1], at + SOON)
    assert ids(list(queries.line(session, hospital.doctor.id))) == ids(line)


def test_calling_twice_calls_one(session: Session, hospital: Hospital, line: list[Encounter], at: datetime) -> None:
    doctor = viewer(hospital.doctor)
    for _ in range(2):
        assert actions.call_next(session, doctor, at, POLICY) is line[0]
    calls = session.scalars(select(RoomEvent).where(RoomEvent.kind == "called")).all()
    assert len(calls) == 1
    with pytest.raises(StillBusy):
        actions.call(session, doctor, line[2].appointment_id, at, POLICY)
    actions.uncall(session, doctor, line[0].appointment_id, at)
    assert (line[0].called_at, line[0].missed) == (None, 0)
    assert actions.call(session, doctor, line[2].appointment_id, at, POLICY) is line[2], "whatever the turn"


def test_one_child_at_a_time_unless_kept_open_by_hand(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    doctor, first, second = viewer(hospital.doctor), line[0].appointment_id, line[1].appointment_id
    actions.call_next(session, doctor, at, POLICY)
    assert actions.join(session, line[0], hospital.mother.id, at).status is EncounterStatus.IN_PROGRESS
    actions.join(session, line[0], hospital.mother.id, at)  # a second tap
    with pytest.raises(StillBusy):
        actions.call_next(session, doctor, at, POLICY)
    with pytest.raises(StillBusy):
        actions.start(session, doctor, second, at)
    actions.extend(session, doctor, first, at)
    assert actions.call_next(session, doctor, at, POLICY) is line[1]
    actions.join(session, line[1], hospital.mother.id, at)
    with pytest.raises(StillBusy):
        actions.resume(session, doctor, first, at)
    actions.finish(session, line[1], Ending.ANSWERED, at, POLICY, "test")
    assert actions.resume(session, doctor, first, at).extended_at is None


def test_only_the_doctor_of_the_line_calls(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    colleague = session.merge(hospital.colleague)
    colleague.account_id = hospital.stranger.id
    session.flush()
    stranger = Viewer(hospital.stranger.id, "zh_CN")
    with pytest.raises(NobodyWaiting):
        actions.call_next(session, stranger, at, POLICY)
    verbs: list[Callable[[Viewer], object]] = [
        lambda who: actions.call(session, who, line[0].appointment_id, at, POLICY),
        lambda who: actions.skip(session, who, line[0].appointment_id, at, POLICY),
        lambda who: actions.start(session, who, line[0].appointment_id, at),
        lambda who: actions.confirm(session, who, line[0].appointment_id, [Confirmed.CHILD], at),
        lambda who: actions.end_by_rule(session, who, line[0].appointment_id, Ending.IDENTITY, at, POLICY),
    ]
    for verb in verbs:
        for who in (stranger, Viewer(hospital.mother.id, "zh_CN")):
            with pytest.raises(NotFound):
                verb(who)


def test_without_the_real_name_check_nobody_is_called(
    session: Session, hospital: Hospital, visits: list[Visit], at: datetime
) -> None:
    arrive(session, hospital, visits[0], at)
    with pytest.raises(CheckNeeded):
        actions.call_next(session, viewer(hospital.doctor), at, POLICY)
    with pytest.raises(CheckNeeded):
        actions.start(session, viewer(hospital.doctor), visits[0].appointment.id, at)


def test_a_missed_call_comes_again_after_three_others_and_closes_after_the_second(
    session: Session, hospital: Hospital, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    doctor = viewer(hospital.doctor)
    actions.call_next(session, doctor, at, POLICY)
    actions.skip(session, doctor, line[0].appointment_id, at, POLICY)
    assert ids(list(queries.line(session, hospital.doctor.id))) == ids([*line[1:4], line[0], line[4]])
    with pytest.raises(NotCalled):
        actions.join(session, line[0], hospital.mother.id, at)
    actions.call(session, doctor, line[0].appointment_id, at, POLICY)
    actions.watch(session, hospital.medicine, at + timedelta(seconds=POLICY.call_seconds - 1))
    assert line[0].missed == 1, "there is still time to join"
    actions.watch(session, hospital.medicine, at + timedelta(seconds=POLICY.call_seconds))
    assert (line[0].status, line[0].ending) == (EncounterStatus.CANCELLED, Ending.MISSED_CALLS)
    assert visits[0].appointment.status is AppointmentStatus.NOSHOW
    with pytest.raises(WentThroughRoom):
        actions.unmark(session, doctor, visits[0].appointment.id, at)


def test_nobody_misses_a_late_doctor(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    schedule.delay_minutes = 30
    doctor = viewer(hospital.doctor)
    for _ in range(2):
        actions.call(session, doctor, line[0].appointment_id, at, POLICY)
        actions.skip(session, doctor, line[0].appointment_id, at, POLICY)
    held = visits[0].appointment
    assert (held.status, held.cancel_reason) == (AppointmentStatus.CANCELLED, Why.DELAYED)


def test_a_second_ring_gives_the_family_its_time_again(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    doctor = viewer(hospital.doctor)
    actions.call_next(session, doctor, at, POLICY)
    actions.call_again(session, doctor, line[0].appointment_id, at + timedelta(seconds=60))
    actions.watch(session, hospital.medicine, at + timedelta(seconds=100))
    assert line[0].called_at
    actions.call_again(session, doctor, line[0].appointment_id, at + timedelta(seconds=61))
    rings = session.scalars(select(RoomEvent).where(RoomEvent.kind == "called")).all()
    assert len(rings) == 2, "a double tap rings once"


def test_families_are_told_when_it_is_soon_and_when_they_are_called(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    doctor = viewer(hospital.doctor)
    last = told(session, at)
    actions.call_next(session, doctor, at, POLICY)
    told(session, at, last)
    rows = session.execute(
        select(Notification.message, Notification.source_id, Notification.path).where(
            Notification.message.like("line-%")
        )
    ).all()
    assert {(message, source) for message, source, _ in rows} == {
        ("line-called", line[0].appointment_id),
        ("line-soon", line[2].appointment_id),
    }
    assert {path for *_, path in rows} == {f"/visits/{line[n].appointment_id}/room" for n in (0, 2)}


def test_a_call_taken_back_is_not_told(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    last = told(session, at)
    actions.call_next(session, viewer(hospital.doctor), at, POLICY)
    actions.uncall(session, viewer(hospital.doctor), line[0].appointment_id, at)
    told(session, at, last)
    assert session.scalar(select(Notification.id).where(Notification.message == "line-called")) is None


@pytest.mark.parametrize(
    ("ending", "status", "why"),
    [
        (Ending.ANSWERED, AppointmentStatus.FULFILLED, None),
        (Ending.HOSPITAL_TODAY, AppointmentStatus.FULFILLED, None),
        (Ending.NOT_FOLLOWUP, AppointmentStatus.CANCELLED, Why.NOT_FOLLOWUP),
        (Ending.STATE_CHANGED, AppointmentStatus.CANCELLED, Why.TRIAGE),
        (Ending.IDENTITY, AppointmentStatus.CANCELLED, Why.IDENTITY),
        (Ending.GUARDIAN_ABSENT, AppointmentStatus.CANCELLED, Why.GUARDIAN_ABSENT),
        (Ending.TECHNICAL, AppointmentStatus.CANCELLED, Why.TECHNICAL),
    ],
)
def test_an_ending_keeps_its_reason_and_settles_the_appointment(
    session: Session,
    hospital: Hospital,
    visits: list[Visit],
    line: list[Encounter],
    at: datetime,
    ending: Ending,
    status: AppointmentStatus,
    why: Why | None,
) -> None:
    with pytest.raises(NotWaiting):
        actions.finish(session, line[0], Ending.ANSWERED, at, POLICY, "test")  # not begun
    actions.start(session, viewer(hospital.doctor), line[0].appointment_id, at)
    actions.finish(session, line[0], ending, at, POLICY, "test")
    assert (line[0].status, line[0].ending) == (EncounterStatus.FINISHED, ending)
    assert (visits[0].appointment.status, visits[0].appointment.cancel_reason) == (status, why)
    told(session, at)
    assert line[0].ending is ending, "the appointment's own end changes nothing"
    with pytest.raises(VisitOver):
        actions.finish(session, line[0], ending, at, POLICY, "test")
    with pytest.raises(WentThroughRoom):
        actions.mark(session, viewer(hospital.doctor), line[0].appointment_id, came=True, now=at, policy=POLICY)


def test_where_policy_keeps_the_fee_the_visit_counts_as_held(
    session: Session, hospital: Hospital, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    keeps = POLICY.model_copy(update={"refund_endings": "technical"})
    actions.end_by_rule(session, viewer(hospital.doctor), line[0].appointment_id, Ending.IDENTITY, at, keeps)
    assert (line[0].status, visits[0].appointment.status) == (EncounterStatus.CANCELLED, AppointmentStatus.FULFILLED)


def test_what_ends_elsewhere_ends_here(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    booking.cancel(session, visits[0].appointment.id, hospital.mother.id, at, POLICY, Why.WORSENED)
    told(session, at)
    assert (line[0].status, line[0].ending) == (EncounterStatus.CANCELLED, Ending.CANCELLED)
    assert {one.status for one in line[1:]} == {EncounterStatus.ARRIVED}
    visits[1].appointment.cancel_reason = Why.SUSPENDED
    booking.end(session, visits[1].appointment, AppointmentStatus.CANCELLED, by="test", why=Why.SUSPENDED, now=at)
    actions.start(session, viewer(hospital.doctor), line[3].appointment_id, at)
    booking.end(session, visits[3].appointment, AppointmentStatus.CANCELLED, by="test", why=Why.SUSPENDED, now=at)
    actions.schedule_stopped(session, schedule.id, at)
    assert line[1].status is EncounterStatus.CANCELLED
    assert line[2].status is EncounterStatus.ARRIVED
    assert line[3].status is EncounterStatus.IN_PROGRESS, "the child in the room is seen"
    actions.finish(session, line[3], Ending.ANSWERED, at, POLICY, "test")


def test_who_stands_in_takes_the_line_over(
    session: Session, hospital: Hospital, schedule: Schedule, line: list[Encounter], at: datetime
) -> None:
    actions.doctor_replaced(session, schedule.id, hospital.doctor.id, hospital.colleague.id, at)
    assert ids(list(queries.line(session, hospital.colleague.id))) == ids(line)


@pytest.fixture
def colleague(session: Session, hospital: Hospital, at: datetime, now: datetime) -> Viewer:
    """The colleague holds a session, too."""
    found = session.merge(hospital.colleague)
    found.account_id = account(session, "o-colleague", now).id
    session.flush()
    checked(session, morning(session, found, now), found, at)
    return Viewer(found.account_id, "zh_CN")


def test_a_child_is_handed_over_when_the_parent_agrees(
    session: Session,
    hospital: Hospital,
    schedule: Schedule,
    line: list[Encounter],
    colleague: Viewer,
    at: datetime,
) -> None:
    actions.start(session, viewer(hospital.doctor), line[0].appointment_id, at)
    with pytest.raises(DoctorNotThere):
        actions.offer(session, line[0], hospital.doctor.id, hospital.doctor, at)
    asked = actions.offer(session, line[0], hospital.colleague.id, hospital.doctor, at)
    assert actions.offer(session, line[0], hospital.colleague.id, hospital.doctor, at) is asked
    assert line[0].practitioner_id == hospital.doctor.id, "nothing happens without the parent"
    with pytest.raises(HandoverOver):
        actions.answer(session, line[1], asked.id, "agree", hospital.mother.id, at, POLICY)
    actions.answer(session, line[0], asked.id, "agree", hospital.mother.id, at, POLICY)
    assert (line[0].practitioner_id, line[0].status) == (hospital.colleague.id, EncounterStatus.ARRIVED)
    with pytest.raises(CheckNeeded):  # their own check, for this session too
        actions.call_next(session, colleague, at, POLICY)
    checked(session, schedule, hospital.colleague, at)
    assert actions.call_next(session, colleague, at, POLICY) is line[0]
    with pytest.raises(HandoverOver):
        actions.answer(session, line[0], asked.id, "agree", hospital.mother.id, at, POLICY)


@pytest.mark.parametrize("said", ["wait", "cancel"])
def test_a_parent_may_rather_wait_or_cancel(
    session: Session,
    hospital: Hospital,
    visits: list[Visit],
    line: list[Encounter],
    colleague: Viewer,
    at: datetime,
    said: Answer,
) -> None:
    asked = actions.offer(session, line[0], hospital.colleague.id, hospital.doctor, at)
    actions.answer(session, line[0], asked.id, said, hospital.mother.id, at, POLICY)
    assert asked.status is HandoverStatus.DECLINED
    assert line[0].practitioner_id == hospital.doctor.id
    if said == "wait":
        assert line[0].status is EncounterStatus.ARRIVED
    else:
        assert visits[0].appointment.cancel_reason is Why.REPLACED
        assert line[0].status is EncounterStatus.CANCELLED


def open_tasks(session: Session, kind: str) -> list[Task]:
    found = select(Task).where(Task.kind == kind, Task.status == TaskStatus.OPEN)
    return list(session.scalars(found.execution_options(populate_existing=True)))


def test_who_waits_too_long_is_looked_after(
    session: Session, hospital: Hospital, line: list[Encounter], colleague: Viewer, at: datetime
) -> None:
    late = at + timedelta(minutes=POLICY.late_minutes)
    actions.watch(session, hospital.medicine, late - timedelta(minutes=1))
    assert not open_tasks(session, LATE)
    for _ in range(2):
        actions.watch(session, hospital.medicine, late)
    first = next(task for task in open_tasks(session, LATE) if task.subject_id == line[0].appointment_id)
    assert (first.about["en"], first.department_id) == ("周**", hospital.medicine.id)
    assert first.role is Role.DEPARTMENT_HEAD, "nobody leads the team"
    later = late + timedelta(minutes=POLICY.late_offer_minutes)
    for _ in range(2):
        actions.watch(session, hospital.medicine, later)
    offered = [task.practitioner_id for task in open_tasks(session, OFFERED)]
    assert set(offered) == {hospital.colleague.id}
    actions.call(session, viewer(hospital.doctor), line[0].appointment_id, later, POLICY)
    left = {task.subject_id for kind in (LATE, OFFERED) for task in open_tasks(session, kind)}
    assert line[0].appointment_id not in left


def test_a_message_in_the_room_wants_an_answer(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    actions.start(session, viewer(hospital.doctor), line[0].appointment_id, at)
    for one in line[1:]:
        actions.leave(session, one, hospital.mother.id, at)
    happened(session, line[0], "message", at, by=hospital.mother.id)
    late = at + timedelta(minutes=POLICY.late_minutes)
    actions.watch(session, hospital.medicine, late - timedelta(seconds=1))
    assert not open_tasks(session, LATE)
    answered = session.begin_nested()
    happened(session, line[0], "message", at, by=hospital.doctor.account_id)
    actions.watch(session, hospital.medicine, late)
    assert not open_tasks(session, LATE)
    answered.rollback()
    actions.watch(session, hospital.medicine, late)
    assert len(open_tasks(session, LATE)) == 1


def test_who_was_never_called_gets_the_money_back(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit], line: list[Encounter]
) -> None:
    over = schedule.over_at + timedelta(minutes=POLICY.unanswered_minutes)
    actions.watch(session, hospital.medicine, over - timedelta(seconds=1))
    assert line[0].status is EncounterStatus.ARRIVED
    actions.watch(session, hospital.medicine, over)
    assert {one.ending for one in line} == {Ending.UNANSWERED}
    assert {visit.appointment.cancel_reason for visit in visits} == {Why.UNANSWERED}


def test_who_left_the_line_for_good_has_missed_the_visit(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    for one in line[:2]:
        actions.leave(session, one, hospital.mother.id, at)
    arrive(session, hospital, visits[1], at)  # this one came back
    actions.watch(session, hospital.medicine, schedule.over_at - timedelta(seconds=1))
    assert visits[0].appointment.status is AppointmentStatus.ARRIVED
    for _ in range(2):
        actions.watch(session, hospital.medicine, schedule.over_at)
    assert (line[0].status, line[0].ending) == (EncounterStatus.CANCELLED, Ending.MISSED_CALLS)
    assert {visit.appointment.status for visit in visits[:1]} == {AppointmentStatus.NOSHOW}
    assert line[1].status is EncounterStatus.ARRIVED
    with pytest.raises(WentThroughRoom):
        actions.unmark(session, viewer(hospital.doctor), visits[0].appointment.id, schedule.over_at)


def test_who_left_a_late_doctors_line_gets_the_money_back(
    session: Session, hospital: Hospital, schedule: Schedule, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    actions.leave(session, line[0], hospital.mother.id, at)
    schedule.delay_minutes = 30
    actions.watch(session, hospital.medicine, schedule.over_at - timedelta(seconds=1))
    assert visits[0].appointment.status is AppointmentStatus.ARRIVED
    actions.watch(session, hospital.medicine, schedule.over_at)
    assert (visits[0].appointment.status, visits[0].appointment.cancel_reason) == (
        AppointmentStatus.CANCELLED,
        Why.DELAYED,
    )


@pytest.mark.parametrize("way", ["agreed", "stand-in"])
def test_what_the_doctor_alone_was_asked_goes_to_the_new_doctor(
    session: Session, hospital: Hospital, schedule: Schedule, line: list[Encounter], colleague: Viewer, at: datetime,
    way: str,
) -> None:  # fmt: skip
    asked = {"subject_id": line[0].appointment_id, "about": {"en": "x"}, "deadline": at, "now": at}
    tasks.open(session, kind=DOCTOR_TASK, practitioner_id=hospital.doctor.id, **asked)  # type: ignore[arg-type]
    tasks.open(session, kind=TEAM_TASK, role=Role.TEAM_LEAD, department_id=hospital.medicine.id, **asked)  # type: ignore[arg-type]
    if way == "agreed":
        made = actions.offer(session, line[0], hospital.colleague.id, hospital.doctor, at)
        actions.answer(session, line[0], made.id, "agree", hospital.mother.id, at, POLICY)
    else:
        actions.doctor_replaced(session, schedule.id, hospital.doctor.id, hospital.colleague.id, at)
    assert [task.practitioner_id for task in open_tasks(session, DOCTOR_TASK)] == [hospital.colleague.id]
    assert [task.role for task in open_tasks(session, TEAM_TASK)] == [Role.TEAM_LEAD]


def test_under_six_a_guardian_and_the_right_doctor_must_be_there(
    session: Session, hospital: Hospital, line: list[Encounter], at: datetime
) -> None:
    doctor, first = viewer(hospital.doctor), line[0]
    actions.confirm(session, doctor, first.appointment_id, [Confirmed.CHILD, Confirmed.GUARDIAN], at)
    assert not queries.attested(session, first, POLICY)
    actions.confirm(session, doctor, first.appointment_id, [Confirmed.SPECIALTY], at)
    assert queries.attested(session, first, POLICY)
    assert queries.attested(session, first, POLICY.model_copy(update={"attest_under_years": 0}))
    first.practitioner_id = hospital.colleague.id
    session.flush()
    assert not queries.attested(session, first, POLICY), "another doctor confirms anew"
    first.practitioner_id, first.account_id = hospital.doctor.id, hospital.stranger.id
    session.flush()
    assert not queries.attested(session, first, POLICY), "so does another guardian"


def test_a_place_in_the_line_is_counted_and_estimated(
    session: Session, hospital: Hospital, visits: list[Visit], line: list[Encounter], at: datetime
) -> None:
    third = queries.place(session, line[2], visits[2], at)
    assert (third.ahead, third.pace) == (2, timedelta(minutes=20)), "twelve numbers in four hours"
    doctor = viewer(hospital.doctor)
    for n, one in enumerate(line[:2]):
        begun = at + timedelta(minutes=6 * n)
        actions.start(session, doctor, one.appointment_id, begun)
        actions.finish(session, one, Ending.ANSWERED, begun + timedelta(minutes=6), POLICY, "test")
    now = at + timedelta(minutes=12)
    assert queries.place(session, line[4], visits[4], now).pace == timedelta(minutes=6), "the doctor's own pace"
    actions.start(session, doctor, line[2].appointment_id, now)
    last = queries.place(session, line[4], visits[4], now)
    assert last.ahead == 2, "the one in the room and one before"
    assert timedelta(minutes=12) <= last.at - now < timedelta(minutes=17)
