"""Facts become one row per recipient, once, in the recipient's language, and without anything that must not be said."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions
from booking.events import AppointmentBooked, AppointmentCancelled, AppointmentReminderDue, FollowupInvited
from booking.models import Appointment, Schedule
from booking.rights_models import FollowupGrant
from config.jobs import Fact
from config.policy import Policy
from config.states import advance
from notifications.handlers import HANDLERS, handle
from notifications.models import Notification
from people.events import GuardianBound
from people.models import Account, GuardianStatus
from tests.product import Hospital, guardian


@pytest.fixture
def appointment(session: Session, hospital: Hospital, now: datetime) -> Appointment:
    """The child's number with the doctor, on the day after tomorrow."""
    day = now.date() + timedelta(days=2)
    chosen = select(Schedule.id).where(Schedule.practitioner_id == hospital.doctor.id, Schedule.day == day)
    schedule_id = session.scalars(chosen.order_by(Schedule.starts_at)).first()
    assert schedule_id is not None
    return actions.book(session, schedule_id, hospital.child, hospital.mother.id, now, Policy())


def said(session: Session) -> list[tuple[str, str, dict[str, str], str]]:
    rows = session.execute(
        select(Notification.message, Account.openid, Notification.data, Notification.path)
        .join(Account, Account.id == Notification.account_id)
        .order_by(Notification.id)
    )
    return [(message, openid, data, path) for message, openid, data, path in rows]


def test_every_fact_is_heard() -> None:
    known = {kind for kind in Fact.KINDS.values() if not kind.__module__.startswith("tests.")}
    assert known == set(HANDLERS)


def test_booked_tells_the_booker_and_the_doctor_once(session: Session, appointment: Appointment, now: datetime) -> None:
    for _ in range(2):
        handle(session, AppointmentBooked(appointment.id), now)
    about = {"child": "王**", "department": "内科", "time": "2026年11月27日 08:00", "number": "1"}
    assert said(session) == [
        ("appointment-booked", "o-mother", {**about, "doctor": "赵医生"}, f"/visits/{appointment.id}"),
        ("practitioner-booked", "o-doctor", about, "/desk"),
    ]


def test_cancelled_tells_both_and_says_why_in_the_accounts_language(
    session: Session, hospital: Hospital, appointment: Appointment, now: datetime
) -> None:
    hospital.mother.locale = "en"
    session.merge(hospital.mother)
    actions.cancel(session, appointment.id, hospital.mother.id, now, Policy())
    handle(session, AppointmentCancelled(appointment.id), now)
    about = {"child": "王**", "time": "2026年11月27日 08:00"}
    english = {"department": "Internal Medicine", "doctor": "Dr Zhao", "reason": "Cancelled by family"}
    assert said(session) == [
        ("appointment-cancelled", "o-mother", {**about, **english}, f"/visits/{appointment.id}"),
        ("practitioner-cancelled", "o-doctor", {**about, "department": "内科", "number": "1"}, "/desk"),
    ]


def test_booked_is_still_said_when_the_visit_was_cancelled_meanwhile(
    session: Session, hospital: Hospital, appointment: Appointment, now: datetime
) -> None:
    actions.cancel(session, appointment.id, hospital.mother.id, now, Policy())
    handle(session, AppointmentBooked(appointment.id), now)
    handle(session, AppointmentCancelled(appointment.id), now)
    assert [message for message, openid, *_ in said(session) if openid == "o-mother"] == [
        "appointment-booked",
        "appointment-cancelled",
    ]


def test_each_reminder_once_and_none_for_a_visit_that_began(
    session: Session, appointment: Appointment, now: datetime
) -> None:
    for when in ("day", "soon", "soon"):
        handle(session, AppointmentReminderDue(appointment.id, when), now)
    assert [data["hint"] for _, _, data, _ in said(session)] == [
        "请提前备好检查单和病历",
        "即将开始，请点开并保持网络畅通",
    ]
    assert set(session.scalars(select(Notification.expires_at))) == {appointment.starts_at}
    handle(session, AppointmentReminderDue(appointment.id, "day"), appointment.starts_at)
    assert len(said(session)) == 2


def test_a_cancelled_visit_is_not_reminded_of(
    session: Session, hospital: Hospital, appointment: Appointment, now: datetime
) -> None:
    actions.cancel(session, appointment.id, hospital.mother.id, now, Policy())
    handle(session, AppointmentReminderDue(appointment.id, "day"), now)
    assert said(session) == []


def test_a_doctor_without_wechat_is_not_told(
    session: Session, hospital: Hospital, appointment: Appointment, now: datetime
) -> None:
    hospital.doctor.account_id = None
    session.merge(hospital.doctor)
    session.flush()
    handle(session, AppointmentBooked(appointment.id), now)
    assert [message for message, *_ in said(session)] == ["appointment-booked"]


def test_the_other_guardians_learn_who_was_added(session: Session, hospital: Hospital, now: datetime) -> None:
    frozen = guardian(session, session.get_one(Account, hospital.doctor.account_id), hospital.child, now)
    advance(frozen, GuardianStatus.FROZEN, by="test", why="test", now=now)
    added = guardian(session, hospital.stranger, hospital.child, now)
    handle(session, GuardianBound(patient_id=hospital.child.id, related_person_id=added.id), now)
    values = {"child": "王**", "guardian": "王*", "time": "2026年11月25日 10:00", "hint": "如非家人操作，请点开停用"}
    assert said(session) == [("guardian-bound", "o-mother", values, f"/children/{hospital.child.id}")]


def test_no_message_holds_a_full_name(session: Session, appointment: Appointment, now: datetime) -> None:
    handle(session, AppointmentBooked(appointment.id), now)
    handle(session, AppointmentReminderDue(appointment.id, "day"), now)
    assert "小明" not in repr(said(session))
    assert all(UUID(path.removeprefix("/visits/")) for *_, path in said(session) if path.startswith("/visits/"))


def test_an_invitation_tells_every_active_guardian_once(session: Session, hospital: Hospital, now: datetime) -> None:
    day = now.date()
    grant = FollowupGrant(
        patient_id=hospital.child.id,
        practitioner_id=hospital.doctor.id,
        department_id=hospital.medicine.id,
        until=day + timedelta(days=60),
        granted_at=now,
    )
    frozen = guardian(session, hospital.stranger, hospital.child, now)
    advance(frozen, GuardianStatus.FROZEN, by="test", why="test", now=now)
    session.add(grant)
    session.flush()
    for _ in range(2):
        handle(session, FollowupInvited(grant.id), now)
    about = {
        "child": "王**",
        "department": "内科",
        "doctor": "赵医生",
        "until": "2027年1月24日",
        "hint": "点击选择复诊时间",
    }
    assert said(session) == [("followup-invited", "o-mother", about, f"/followups/{grant.id}")]
    grant.granted_at = now + timedelta(days=1)  # invited anew
    handle(session, FollowupInvited(grant.id), now)
    assert len(said(session)) == 2
