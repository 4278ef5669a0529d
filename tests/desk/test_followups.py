"""The doctor invites children of past visits to a follow-up: own ones only, once told, taken back again."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Appointment, Schedule
from booking.rights_models import FollowupGrant
from config.clock import at, today
from config.policy import Policy
from people.models import Practitioner, Role
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member


def visit_on(session: Session, hospital: Hospital, now: datetime, doctor: Practitioner, ahead: int) -> Appointment:
    day = today(now) + timedelta(days=ahead)
    mornings = select(Schedule).where(Schedule.practitioner_id == doctor.id, Schedule.day == day)
    found = session.scalars(mornings.order_by(Schedule.starts_at)).first()
    assert found
    before = at(day - timedelta(days=1), time(9))
    child = hospital.child if doctor is hospital.doctor else hospital.sibling
    return actions.book(session, found.id, child, hospital.mother.id, before, Policy())


@pytest.fixture
def seen(session: Session, hospital: Hospital, now: datetime) -> Appointment:
    made = visit_on(session, hospital, now, hospital.doctor, 0)
    session.commit()
    return made


@pytest.fixture
def doctor(browse: Browse, hospital: Hospital) -> FlaskClient:
    return browse(hospital.doctor)


def test_nobody_yet(doctor: FlaskClient) -> None:
    assert "Nobody was booked with you" in words(doctor.get("/desk/followups"))


def test_invite_and_take_back(session: Session, doctor: FlaskClient, seen: Appointment, now: datetime) -> None:
    page = doctor.get("/desk/followups")
    assert "王**" in words(page)
    assert "王小明" not in page.text
    path = f"/desk/followups/{seen.id}"
    assert post(doctor, path, invited="yes").location == f"/desk/followups#visit-{seen.id}"
    assert "Invited Take back" in words(doctor.get("/desk/followups"))
    assert session.scalars(select(FollowupGrant)).one().until == today(now) + timedelta(days=60)
    post(doctor, path, invited="no")
    assert "Invite to a follow-up" in words(doctor.get("/desk/followups"))


def test_only_the_own_visits_that_have_been(
    session: Session, doctor: FlaskClient, hospital: Hospital, now: datetime
) -> None:
    others = visit_on(session, hospital, now, hospital.colleague, 0)
    coming = visit_on(session, hospital, now, hospital.doctor, 2)
    session.commit()
    assert "王**" not in words(doctor.get("/desk/followups"))
    for visit in (others, coming):
        assert post(doctor, f"/desk/followups/{visit.id}", invited="yes").status_code == 404
    assert session.scalars(select(FollowupGrant)).all() == []


def test_others_of_the_staff_invite_nobody(
    session: Session, browse: Browse, seen: Appointment, hospital: Hospital, now: datetime
) -> None:
    head = member(session, "H001", account(session, "o-head", now), Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    for who in (head, hospital.mother):
        assert post(browse(who), f"/desk/followups/{seen.id}", invited="yes").status_code == 403
    assert session.scalars(select(FollowupGrant)).all() == []
