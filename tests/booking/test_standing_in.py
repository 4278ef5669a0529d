"""A doctor who is late, or replaced by a colleague: who is told what, what shifts, and what a parent may do then."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking import actions, queries
from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus, Why
from booking.refusals import BadDelay, DoctorNotFree, PeriodOver, TooLateToCancel
from booking.rosters import cut_schedules
from config.policy import Policy
from notifications.models import Notification
from payments.models import Refund
from people.access import Member, Viewer
from people.models import Practitioner
from tests.booking.test_booking import schedule_of
from tests.booking.test_paying import pay, payment_of
from tests.booking.test_stopping import as_head, carry_out, said, tell, wish
from tests.product import Hospital, practitioner

POLICY = Policy()


@pytest.fixture
def head(session: Session, hospital: Hospital, now: datetime) -> Member:
    """The head of internal medicine."""
    return as_head(session, hospital.medicine, now)


@pytest.fixture
def free(session: Session, hospital: Hospital) -> Practitioner:
    """A doctor of the department who has no periods."""
    return practitioner(session, "D003", hospital.medicine)


@pytest.fixture
def booked(session: Session, hospital: Hospital, now: datetime) -> Appointment:
    """The child's paid number in the doctor's morning."""
    session.execute(text("update schedules set fee_fen = 5000"))
    session.expire_all()
    schedule = schedule_of(session, hospital, now)
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, POLICY)
    pay(session, payment_of(session, made), now)
    session.execute(text("delete from procrastinate_jobs"))
    return made


def late(session: Session, head: Member, booked: Appointment, minutes: int, now: datetime) -> Schedule:
    return actions.delay(session, head, booked.schedule_id, minutes, now, POLICY)


def test_reminders_and_the_estimate_shift_with_the_doctor(
    session: Session, hospital: Hospital, head: Member, booked: Appointment, now: datetime
) -> None:
    late(session, head, booked, 45, now)
    assert booked.remind_soon_at == booked.starts_at + timedelta(minutes=15)
    assert queries.visit(session, booked.id).estimate == booked.starts_at + timedelta(minutes=45)
    tell(session, now)
    assert said(session) == {("doctor-delayed", "o-mother"): 1}
    data = session.scalars(select(Notification.data)).one()
    assert (data["time"], data["hint"]) == ("2026年11月27日 08:45", "医生延误，时间推后")
    at_the_old_time = booked.starts_at + timedelta(minutes=14)
    session.execute(text("delete from procrastinate_jobs"))
    assert actions.remind_due(session, at_the_old_time) == 1, "only the day's reminder"
    assert actions.remind_due(session, booked.starts_at + timedelta(minutes=15)) == 1
    tell(session, booked.starts_at + timedelta(minutes=15))
    reminder = session.scalars(select(Notification).where(Notification.occasion == "soon")).one()
    assert reminder.data["time"] == "2026年11月27日 08:45"
    assert reminder.expires_at == booked.starts_at + timedelta(minutes=45)


def test_told_again_only_when_what_they_know_is_wrong_by_ten_minutes(
    session: Session, head: Member, booked: Appointment, now: datetime
) -> None:
    for minutes, news in ((9, 0), (10, 1), (19, 1), (20, 2), (14, 2), (0, 3), (5, 3)):
        late(session, head, booked, minutes, now)
        told = session.scalar(text("select count(*) from procrastinate_jobs"))
        assert told == news, minutes
    tell(session, now)
    assert said(session) == {("doctor-delayed", "o-mother"): 3}


def test_back_on_time_is_said(session: Session, head: Member, booked: Appointment, now: datetime) -> None:
    late(session, head, booked, 30, now)
    tell(session, now)
    session.execute(text("delete from procrastinate_jobs"))
    late(session, head, booked, 0, now)
    tell(session, now)
    hints = session.scalars(select(Notification.data["hint"].astext).order_by(Notification.id)).all()
    assert hints == ["医生延误，时间推后", "医生恢复按原定时间出诊"]
    assert booked.remind_soon_at == booked.starts_at - timedelta(minutes=30)


def test_a_late_doctor_lets_parents_go_at_any_time_with_their_money(
    session: Session, hospital: Hospital, head: Member, booked: Appointment, now: datetime
) -> None:
    soon = booked.starts_at - timedelta(minutes=5)
    with pytest.raises(TooLateToCancel), session.begin_nested():
        actions.cancel(session, booked.id, hospital.mother.id, soon, POLICY, Why.DELAYED)
    late(session, head, booked, 300, soon)
    after_the_planned_end = booked.starts_at + timedelta(hours=4, minutes=30)
    coming = queries.coming_visits(session, Viewer(hospital.mother.id, "en"), after_the_planned_end)
    assert [visit.appointment.id for visit in coming] == [booked.id]
    actions.cancel(session, booked.id, hospital.mother.id, after_the_planned_end, POLICY, Why.DELAYED)
    assert session.scalars(select(Refund.amount_fen)).all() == [5000]


def test_what_can_not_be_delayed(
    session: Session, hospital: Hospital, head: Member, booked: Appointment, now: datetime
) -> None:
    for minutes in (-1, 721):
        with pytest.raises(BadDelay):
            late(session, head, booked, minutes, now)
    with pytest.raises(PeriodOver):
        late(session, head, booked, 30, booked.starts_at + timedelta(hours=4))
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    with pytest.raises(PeriodOver):
        late(session, head, booked, 30, now)


def test_a_stand_in_has_the_children_and_everybody_is_told(
    session: Session, hospital: Hospital, head: Member, free: Practitioner, booked: Appointment, now: datetime
) -> None:
    schedule = actions.replace(session, head, booked.schedule_id, free.id, now)
    assert (schedule.practitioner_id, schedule.stands_in_for_id) == (free.id, hospital.doctor.id)
    tell(session, now)
    assert said(session) == {("doctor-replaced", "o-mother"): 1, ("practitioner-stand-in", "o-doctor"): 1}
    session.execute(text("delete from procrastinate_jobs"))
    assert cut_schedules(session, [schedule.day], now) == 0, "the roster would give the period to the first doctor"
    soon = booked.starts_at - timedelta(minutes=5)
    actions.cancel(session, booked.id, hospital.mother.id, soon, POLICY, Why.REPLACED)
    assert session.scalars(select(Refund.reason)).all() == ["replaced"]


def test_the_first_doctor_takes_the_period_back(
    session: Session, hospital: Hospital, head: Member, free: Practitioner, booked: Appointment, now: datetime
) -> None:
    actions.replace(session, head, booked.schedule_id, free.id, now)
    schedule = actions.replace(session, head, booked.schedule_id, hospital.doctor.id, now)
    session.flush()
    assert (schedule.practitioner_id, schedule.stands_in_for_id) == (hospital.doctor.id, None)
    of_doctors = session.scalars(
        select(Schedule.status).where(
            Schedule.day == schedule.day,
            Schedule.period == schedule.period,
            Schedule.practitioner_id.in_([hospital.doctor.id, free.id]),
        )
    ).all()
    assert Counter(of_doctors) == {ScheduleStatus.ACTIVE: 1}
    assert booked.status is AppointmentStatus.BOOKED


def test_who_can_not_stand_in(
    session: Session, hospital: Hospital, head: Member, free: Practitioner, booked: Appointment, now: datetime
) -> None:
    """One with a period then, one of another department, one who has left, one whose clinic is stopped."""
    skin = practitioner(session, "D009", hospital.skin)
    left = practitioner(session, "D008", hospital.medicine)
    left.active = False
    for nobody in (hospital.colleague, skin, left, hospital.doctor):
        with pytest.raises(DoctorNotFree):
            actions.replace(session, head, booked.schedule_id, nobody.id, now)
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now, free), now), now)
    with pytest.raises(DoctorNotFree):
        actions.replace(session, head, booked.schedule_id, free.id, now)
