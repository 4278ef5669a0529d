"""Rosters become schedules and numbers: by calendar and exception, once, and never against what somebody holds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from booking import actions
from booking.models import Appointment, ClinicType, Period, Schedule, ScheduleStatus, Slot, SlotStatus
from booking.roster_models import CalendarDay, DayKind, ExceptionKind, OnHolidays, Roster, RosterException
from booking.rosters import changes, cut_schedules
from booking.rosters.calendar import YEAR_TASK, calendar, complete_year, set_day
from booking.rosters.changes import Departure, Template, template_of
from booking.rosters.conflicts import BOOKED_TASK
from booking.rosters.plan import day_plan
from booking.rosters.refusals import BothBusy, DayPast, ExceptionThere, NothingToLeave, YearKnown
from config.clock import at, local
from config.policy import Policy, change
from config.states import advance
from people.models import Practitioner, Role
from people.tasks import Task, TaskStatus
from tests.locks import until_somebody_waits
from tests.product import Hospital, member, practitioner, seed

POLICY = Policy()
FRIDAY = date(2026, 11, 27)  # two days ahead
MORNING = Period.MORNING


@pytest.fixture
def template(hospital: Hospital) -> Template:
    """Twelve numbers on Friday mornings of the doctor, from the day on which tests change it."""
    return Template(
        practitioner_id=hospital.doctor.id,
        department_id=hospital.medicine.id,
        weekday=4,
        period=MORNING,
        starts=time(8),
        ends=time(12),
        quota=12,
        fee_fen=0,
        clinic_type=ClinicType.ORDINARY,
        later_quota=0,
        followup_quota=0,
        area_quota=0,
        on_holidays=OnHolidays.OPEN,
        valid_from=FRIDAY,
        valid_to=None,
    )


def schedule_of(session: Session, who: Practitioner, day: date = FRIDAY, period: Period = MORNING) -> Schedule | None:
    return session.scalar(
        select(Schedule)
        .where(Schedule.practitioner_id == who.id, Schedule.day == day, Schedule.period == period)
        .execution_options(populate_existing=True)
    )


def numbers(session: Session, schedule: Schedule | None) -> dict[int, tuple[str, str, str]]:
    """Number to time, pool and status."""
    assert schedule
    rows = session.execute(
        select(Slot.number, Slot.starts_at, Slot.pool, Slot.status).where(Slot.schedule_id == schedule.id)
    )
    return {n: (f"{local(when):%H:%M}", pool.value, status.value) for n, when, pool, status in sorted(rows)}


def save(session: Session, template: Template, now: datetime, **values: object) -> None:
    wanted = Template(**{**template.__dict__, **values})
    changes.save_template(session, wanted, by=None, now=now, policy=POLICY)
    assert cut_schedules(session, [FRIDAY], now) == 0


def depart(session: Session, hospital: Hospital, now: datetime, kind: str, **values: object) -> RosterException:
    wanted: dict[str, object] = {
        "practitioner_id": hospital.doctor.id,
        "department_id": hospital.medicine.id,
        "day": FRIDAY,
        "period": MORNING,
        "kind": ExceptionKind(kind),
    }
    return changes.add_exception(session, Departure(**{**wanted, **values}), by=None, now=now, policy=POLICY)  # type: ignore[arg-type]


def book(session: Session, hospital: Hospital, now: datetime, *, times: int = 1) -> list[Appointment]:
    schedule = schedule_of(session, hospital.doctor)
    assert schedule
    children = [hospital.child, hospital.sibling, hospital.other_child][:times]
    return [actions.book(session, schedule.id, child, hospital.mother.id, now, POLICY) for child in children]


def asked(session: Session) -> list[Task]:
    query = select(Task).where(Task.kind == BOOKED_TASK, Task.status == TaskStatus.OPEN)
    return list(session.scalars(query.execution_options(populate_existing=True)))


# The calendar


@pytest.mark.parametrize(
    ("day", "weekday", "on_holidays", "held"),
    [
        ("2026-10-01", 3, "as-workdays", False),
        ("2026-10-01", 3, "closed", False),
        ("2026-10-01", 3, "open", True),
        ("2026-10-08", 3, "as-workdays", True),
        ("2026-10-10", 2, "as-workdays", True),  # the Saturday is worked for Wednesday, 7 October
        ("2026-10-10", 5, "as-workdays", False),
        ("2026-10-10", 5, "closed", True),
        ("2026-10-10", 2, "closed", False),
        ("2026-10-10", 5, "open", True),
        ("2026-09-20", 1, "as-workdays", True),  # the Sunday for Tuesday, 6 October
        ("2026-11-28", 5, "as-workdays", True),
    ],
)
def test_holidays_and_make_up_workdays(session: Session, day: str, weekday: int, on_holidays: str, held: bool) -> None:
    roster = Roster(weekday=weekday, on_holidays=OnHolidays(on_holidays))
    assert calendar(session).holds(roster, date.fromisoformat(day)) is held


def test_the_hospitals_own_table_goes_first(session: Session, hospital: Hospital, now: datetime) -> None:
    follows = Roster(weekday=3, on_holidays=OnHolidays.AS_WORKDAYS)
    holiday, ordinary = date(2026, 10, 1), date(2026, 10, 8)
    set_day(session, holiday, DayKind.WORKDAY, None, by=None, now=now)
    set_day(session, ordinary, DayKind.HOLIDAY, 4, by=None, now=now)
    assert calendar(session).holds(follows, holiday)
    assert not calendar(session).holds(follows, ordinary)
    set_day(session, ordinary, DayKind.WORKDAY, 1, by=None, now=now)
    assert not calendar(session).holds(follows, ordinary)
    assert calendar(session).holds(Roster(weekday=1, on_holidays=OnHolidays.AS_WORKDAYS), ordinary)


def test_a_year_that_nobody_knows_is_not_cut_and_an_administrator_is_asked(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    day = date(2027, 1, 4)
    session.execute(update(Roster).where(Roster.period == MORNING).values(on_holidays=OnHolidays.AS_WORKDAYS))
    assert cut_schedules(session, [day], now) == 2  # the afternoons, which are open on holidays too
    task = session.scalars(select(Task).where(Task.kind == YEAR_TASK)).one()
    assert (task.role, task.about["en"], task.path) == (Role.ADMINISTRATOR, "2027", "/desk/rosters/holidays")
    complete_year(session, 2027, by=None, now=now)
    assert cut_schedules(session, [day], now) == 2
    session.refresh(task)
    assert task.status is TaskStatus.CANCELLED
    with pytest.raises(YearKnown):
        complete_year(session, 2026, by=None, now=now)


def test_what_was_cut_in_a_year_that_is_unknown_now_stays(session: Session, hospital: Hospital, now: datetime) -> None:
    day = date(2027, 1, 4)
    assert cut_schedules(session, [day], now) == 4
    session.execute(update(Roster).values(on_holidays=OnHolidays.CLOSED))
    assert cut_schedules(session, [day], now) == 0
    assert len(numbers(session, schedule_of(session, hospital.doctor, day))) == 12


# Cutting


def test_the_last_numbers_are_kept_back(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    early = now - timedelta(days=10)  # before their release
    change(session, "controlled_areas", "花乡", author="test", valid_from=early)
    kept = {"quota": 8, "later_quota": 2, "followup_quota": 1, "area_quota": 1}
    save(session, template, early, clinic_type=ClinicType.EXPERT, **kept)
    schedule = schedule_of(session, hospital.doctor)
    found = [pool for _, pool, _ in numbers(session, schedule).values()]
    assert found == ["open"] * 4 + ["later"] * 2 + ["followup", "area"]
    assert cut_schedules(session, [FRIDAY], now) == 0
    found = [pool for _, pool, _ in numbers(session, schedule).values()]
    assert found == ["open"] * 6 + ["followup", "area"], "what has opened by now stays open"
    assert schedule
    assert schedule.clinic_type is ClinicType.EXPERT


def test_nobody_booked_everything_is_cut_again(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    save(session, template, now, quota=4, starts=time(9), fee_fen=5000)
    schedule = schedule_of(session, hospital.doctor)
    assert schedule
    assert [when for when, *_ in numbers(session, schedule).values()] == ["09:00", "09:45", "10:30", "11:15"]
    assert (schedule.fee_fen, schedule.starts_at) == (5000, at(FRIDAY, time(9)))
    assert asked(session) == []


def test_a_raised_quota_adds_numbers_at_the_end(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    book(session, hospital, now)
    before = numbers(session, schedule_of(session, hospital.doctor))
    save(session, template, now, quota=14)
    after = numbers(session, schedule_of(session, hospital.doctor))
    assert {n: after[n] for n in before} == before
    assert [after[n][0] for n in (12, 13, 14)] == ["11:40", "11:46", "11:53"]
    assert asked(session) == []


def test_a_lowered_quota_takes_free_ones_from_the_end(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    book(session, hospital, now, times=3)
    save(session, template, now, quota=2)
    found = numbers(session, schedule_of(session, hospital.doctor))
    assert found == {
        1: ("08:00", "open", "busy"),
        2: ("08:20", "open", "busy"),
        3: ("08:40", "withdrawn", "busy"),  # held, and not for sale again
    }
    (task,) = asked(session)
    assert task.about["en"] == "Dr Zhao, Internal Medicine, 27 Nov Morning, 3 booked"
    assert task.about["zh_CN"] == "赵医生，内科，11月27日上午，已约3人"


def test_a_number_that_an_old_appointment_names_is_withdrawn_and_comes_back(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    _, second, _ = book(session, hospital, now, times=3)
    actions.cancel(session, second.id, hospital.mother.id, now, POLICY)
    save(session, template, now, quota=1)
    assert numbers(session, schedule_of(session, hospital.doctor))[2] == ("08:20", "withdrawn", "free")
    save(session, template, now, quota=3)
    assert numbers(session, schedule_of(session, hospital.doctor))[2] == ("08:20", "open", "free")


def test_hours_that_change_where_somebody_is_booked_stay_and_are_asked_about_once(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    member(session, "H001", None, Role.DEPARTMENT_HEAD, of=hospital.medicine)
    book(session, hospital, now)
    save(session, template, now, starts=time(9))
    schedule = schedule_of(session, hospital.doctor)
    assert schedule
    assert schedule.starts_at == at(FRIDAY, time(8))
    (task,) = asked(session)
    assert (task.role, task.department_id) == (Role.DEPARTMENT_HEAD, hospital.medicine.id)
    advance(task, TaskStatus.DONE, by="test", why="leave it", now=now)
    cut_schedules(session, [FRIDAY], now)
    assert asked(session) == []


def test_leave_takes_the_free_numbers_and_the_booked_ones_stay(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    (mine,) = book(session, hospital, now)
    leave = depart(session, hospital, now, "leave")
    cut_schedules(session, [FRIDAY], now)
    schedule = schedule_of(session, hospital.doctor)
    assert numbers(session, schedule) == {1: ("08:00", "withdrawn", "busy")}
    assert len(asked(session)) == 1
    changes.revoke(session, leave, by=None, now=now, policy=POLICY)
    cut_schedules(session, [FRIDAY], now)
    assert len(numbers(session, schedule)) == 12
    assert numbers(session, schedule)[1] == ("08:00", "open", "busy")
    assert asked(session) == []
    depart(session, hospital, now + timedelta(minutes=1), "leave")
    actions.cancel(session, mine.id, hospital.mother.id, now, POLICY)
    cut_schedules(session, [FRIDAY], now)
    schedule = schedule_of(session, hospital.doctor)
    assert schedule
    assert schedule.status is ScheduleStatus.SUSPENDED  # the cancelled appointment still names it
    assert numbers(session, schedule) == {1: ("08:00", "withdrawn", "free")}


def test_who_left_it_is_asked_again_about_a_new_exception(session: Session, hospital: Hospital, now: datetime) -> None:
    book(session, hospital, now)
    leave = depart(session, hospital, now, "leave")
    cut_schedules(session, [FRIDAY], now)
    (task,) = asked(session)
    advance(task, TaskStatus.DONE, by="test", why="leave it", now=now)
    cut_schedules(session, [FRIDAY], now)
    assert asked(session) == []
    later = now + timedelta(hours=1)
    changes.revoke(session, leave, by=None, now=later, policy=POLICY)
    depart(session, hospital, later, "leave")
    cut_schedules(session, [FRIDAY], later)
    assert len(asked(session)) == 1


def test_a_clinic_that_nobody_ever_booked_goes_away_and_comes_back(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    leave = depart(session, hospital, now, "leave")
    cut_schedules(session, [FRIDAY], now)
    assert schedule_of(session, hospital.doctor) is None
    changes.revoke(session, leave, by=None, now=now, policy=POLICY)
    assert cut_schedules(session, [FRIDAY], now) == 1


def test_a_clinic_that_somebody_stopped_is_left_alone(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    schedule = schedule_of(session, hospital.doctor)
    assert schedule
    advance(schedule, ScheduleStatus.SUSPENDED, by="account:1", why="stopped", now=now)
    save(session, template, now, quota=3)
    assert schedule.status is ScheduleStatus.SUSPENDED
    assert len(numbers(session, schedule)) == 12


def test_a_clinic_that_has_begun_is_left_alone(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    save(session, template, now + timedelta(days=2), quota=3)
    assert len(numbers(session, schedule_of(session, hospital.doctor))) == 12


def test_who_has_left_has_no_clinic(session: Session, hospital: Hospital, now: datetime) -> None:
    hospital.doctor.active = False
    session.add(hospital.doctor)
    cut_schedules(session, [FRIDAY], now)
    assert schedule_of(session, hospital.doctor) is None


def test_a_new_template_takes_over_from_its_day_on(
    session: Session, template: Template, hospital: Hospital, now: datetime
) -> None:
    first = Template(**{**template.__dict__, "valid_from": date(2026, 12, 4), "quota": 5})
    changes.save_template(session, first, by=None, now=now, policy=POLICY)
    rows = session.scalars(
        select(Roster)
        .where(Roster.practitioner_id == hospital.doctor.id, Roster.weekday == 4, Roster.period == MORNING)
        .order_by(Roster.valid_from)
    ).all()
    assert [(row.valid_from, row.valid_to, row.quota) for row in rows] == [
        (date(2020, 1, 1), date(2026, 12, 3), 12),
        (date(2026, 12, 4), None, 5),
    ]
    key = (hospital.doctor.id, MORNING)
    assert day_plan(session, FRIDAY).clinics[key].quota == 12
    assert day_plan(session, date(2026, 12, 4)).clinics[key].quota == 5
    changes.end_template(session, rows[1], date(2026, 12, 3), by=None, now=now, policy=POLICY)
    assert day_plan(session, date(2026, 12, 4)).clinics.get(key) is None
    assert template_of(rows[0]).quota == 12


# Exceptions


def test_an_extra_clinic(session: Session, hospital: Hospital, now: datetime) -> None:
    other = practitioner(session, "D003", hospital.medicine)
    hours = {"starts": time(18), "ends": time(20), "quota": 4, "fee_fen": 100, "clinic_type": ClinicType.SPECIAL}
    depart(session, hospital, now, "extra", practitioner_id=other.id, period=Period.AFTERNOON, **hours)
    assert cut_schedules(session, [FRIDAY], now) == 1
    found = numbers(session, schedule_of(session, other, period=Period.AFTERNOON))
    assert [when for when, *_ in found.values()] == ["18:00", "18:30", "19:00", "19:30"]


def test_a_colleague_stands_in(session: Session, template: Template, hospital: Hospital, now: datetime) -> None:
    other = practitioner(session, "D003", hospital.medicine)
    with pytest.raises(BothBusy):
        depart(session, hospital, now, "swap", swap_with_id=hospital.colleague.id)
    depart(session, hospital, now, "swap", swap_with_id=other.id)
    assert cut_schedules(session, [FRIDAY], now) == 1
    assert schedule_of(session, hospital.doctor) is None
    assert len(numbers(session, schedule_of(session, other))) == 12
    with pytest.raises(ExceptionThere):
        depart(session, hospital, now, "leave", practitioner_id=other.id)


def test_a_clinic_moves_to_another_day(session: Session, template: Template, hospital: Hospital, now: datetime) -> None:
    save(session, template, now, quota=7)
    saturday = FRIDAY + timedelta(days=1)
    saturdays = Template(**{**template.__dict__, "weekday": 5, "valid_from": date(2020, 1, 1)})
    changes.save_template(session, saturdays, by=None, now=now, policy=POLICY)
    roster = session.scalars(
        select(Roster).where(Roster.practitioner_id == hospital.doctor.id, Roster.weekday == 5)
    ).first()
    assert roster
    changes.end_template(session, roster, FRIDAY, by=None, now=now, policy=POLICY)
    depart(session, hospital, now, "swap", swap_day=saturday)
    cut_schedules(session, [FRIDAY, saturday], now)
    moved = schedule_of(session, hospital.doctor, saturday)
    assert len(numbers(session, moved)) == 7
    with pytest.raises(ExceptionThere):
        depart(session, hospital, now, "leave", day=saturday)


def test_what_can_not_be_excepted(session: Session, hospital: Hospital, now: datetime) -> None:
    other = practitioner(session, "D003", hospital.medicine)
    with pytest.raises(NothingToLeave):
        depart(session, hospital, now, "leave", practitioner_id=other.id)
    with pytest.raises(DayPast):
        depart(session, hospital, now, "leave", day=date(2026, 11, 24))
    depart(session, hospital, now, "leave")
    with pytest.raises(ExceptionThere):
        depart(session, hospital, now, "leave")


# Two at once


def test_two_cutters_at_once_make_no_double(committed: sessionmaker[Session], now: datetime) -> None:
    with committed() as session, session.begin():
        seed(session, now)
        session.execute(text("truncate schedules cascade"))
    barrier, made = threading.Barrier(4), list[int]()

    def cut() -> None:
        with committed() as session, session.begin():
            barrier.wait()
            made.append(cut_schedules(session, [FRIDAY], now))

    threads = [threading.Thread(target=cut) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 0, 0, 4]
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(Slot)) == 4 * 12


def test_a_booking_that_is_being_made_is_waited_for(committed: sessionmaker[Session], now: datetime) -> None:
    """The cutter meets a booking that is not committed yet: it waits, and then leaves the number alone."""
    with committed() as session, session.begin():
        hospital = seed(session, now)
        depart(session, hospital, now, "leave")
        schedule_id = getattr(schedule_of(session, hospital.doctor), "id", None)
    assert isinstance(schedule_id, UUID)

    def cut() -> None:
        with committed() as session, session.begin():
            cut_schedules(session, [FRIDAY], now)

    with ThreadPoolExecutor(1) as beside:
        with committed() as session, session.begin():
            actions.book(session, schedule_id, hospital.child, hospital.mother.id, now, POLICY)
            cutting = beside.submit(cut)
            until_somebody_waits(committed, cutting)
        cutting.result()
    with committed() as session:
        kept = session.scalars(select(Slot).where(Slot.schedule_id == schedule_id)).all()
        assert [(slot.number, slot.status) for slot in kept] == [(1, SlotStatus.BUSY)]
        assert session.get_one(Schedule, schedule_id).status is ScheduleStatus.ACTIVE
        assert len(asked(session)) == 1


def test_own_days_are_one_row_each(session: Session, now: datetime) -> None:
    for kind in DayKind:
        set_day(session, FRIDAY, kind, 2, by=None, now=now)
    row = session.scalars(select(CalendarDay)).one()
    assert (row.kind, row.as_weekday) == (DayKind.WORKDAY, 2)
