"""What a parent can do when the clinic was stopped, the doctor is late, or somebody stands in: all in one tap."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking import actions
from booking.models import Appointment, AppointmentStatus, Schedule, Slot, SlotStatus, Why
from config.clock import today
from config.policy import Policy
from people.models import Practitioner
from tests.booking.test_stopping import as_head, carry_out, wish
from tests.menus.conftest import words
from tests.product import Hospital, practitioner


@pytest.fixture
def lost(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> UUID:
    """The child's visit, whose clinic was stopped with the whole department's day."""
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    head = as_head(session, hospital.medicine, now)
    carry_out(session, head, actions.plan_stop(session, head, wish(hospital, now), now), now)
    session.commit()
    return made.id


def send(client: FlaskClient, path: str, on: str, **fields: object) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(on).text)
    assert found
    return client.post(path, data={"csrf_token": found[1], **fields})


def offered(client: FlaskClient, lost: UUID) -> list[str]:
    """The schedules that the page offers, in its order."""
    return re.findall(r'name="schedule" value="([^"]+)"', client.get(f"/visits/{lost}").text)


def test_other_times_of_the_department_soonest_first(
    session: Session, hospital: Hospital, mother: FlaskClient, lost: UUID, now: datetime
) -> None:
    shown = words(mother.get(f"/visits/{lost}"))
    assert "The clinic was stopped by the hospital" in shown
    assert "Reason: Called to other duty" in shown
    days = [session.get_one(Schedule, UUID(one)).starts_at for one in offered(mother, lost)]
    assert len(days) == 6
    assert days == sorted(days)
    assert today(now) + timedelta(days=2) not in {today(day) for day in days}


def test_one_tap_books_and_the_old_page_leads_on(
    session: Session, hospital: Hospital, mother: FlaskClient, lost: UUID
) -> None:
    first = offered(mother, lost)[0]
    answers = [send(mother, f"/visits/{lost}/rebook", f"/visits/{lost}", schedule=first) for _ in range(2)]
    new = session.scalars(select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED)).one()
    assert (new.patient_id, str(new.schedule_id)) == (hospital.child.id, first)
    assert [answer.location for answer in answers] == [f"/visits/{new.id}", f"/visits/{new.id}?note=already"]
    page = mother.get(f"/visits/{lost}")
    assert f'href="/visits/{new.id}"' in page.text
    assert offered(mother, lost) == []


def test_a_number_with_a_fee_is_paid_as_usual(
    session: Session, hospital: Hospital, mother: FlaskClient, lost: UUID
) -> None:
    first = UUID(offered(mother, lost)[0])
    session.execute(update(Schedule).where(Schedule.id == first).values(fee_fen=5000))
    session.commit()
    assert "¥50" in words(mother.get(f"/visits/{lost}"))
    answer = send(mother, f"/visits/{lost}/rebook", f"/visits/{lost}", schedule=first)
    assert re.fullmatch(r"/visits/[^/]+/pay", answer.location)


def test_sold_out_meanwhile_is_said_beside_the_other_times(
    session: Session, hospital: Hospital, mother: FlaskClient, lost: UUID
) -> None:
    first = offered(mother, lost)[0]
    on = mother.get(f"/visits/{lost}").text
    session.execute(update(Slot).where(Slot.schedule_id == UUID(first)).values(status=SlotStatus.BUSY))
    session.commit()
    token = re.search(r'name="csrf_token" value="([^"]+)"', on)
    assert token
    answer = mother.post(f"/visits/{lost}/rebook", data={"csrf_token": token[1], "schedule": first})
    assert answer.status_code == 409
    assert "All numbers of this period are taken" in words(answer)
    assert 'name="schedule"' in answer.text
    nothing = mother.post(f"/visits/{lost}/rebook", data={"csrf_token": token[1], "schedule": "x"})
    assert nothing.status_code == 422
    assert "Please choose a period" in words(nothing)


def test_only_ones_own_and_only_what_was_stopped(
    session: Session,
    hospital: Hospital,
    mother: FlaskClient,
    browser: Callable[..., FlaskClient],
    lost: UUID,
    now: datetime,
) -> None:
    first = offered(mother, lost)[0]
    stranger = browser(hospital.stranger, "en")
    assert send(stranger, f"/visits/{lost}/rebook", "/help", schedule=first).status_code == 404
    own = actions.book(session, UUID(first), hospital.sibling, hospital.mother.id, now, Policy())
    session.commit()
    answer = send(mother, f"/visits/{own.id}/rebook", "/help", schedule=offered(mother, lost)[-1])
    assert answer.status_code == 409
    assert session.get_one(Appointment, own.id).status is AppointmentStatus.BOOKED


@pytest.fixture
def stand_in(session: Session, hospital: Hospital) -> Practitioner:
    """A doctor of the department without a roster."""
    made = practitioner(session, "D003", hospital.medicine)
    made.name = {"zh_CN": "孙立新", "en": "Dr Sun"}
    session.commit()
    return made


@pytest.mark.parametrize("why", [Why.REPLACED, Why.DELAYED])
def test_late_or_replaced_can_be_declined_in_one_tap(
    session: Session,
    hospital: Hospital,
    mother: FlaskClient,
    schedule: Schedule,
    stand_in: Practitioner,
    now: datetime,
    why: Why,
) -> None:
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    head = as_head(session, hospital.medicine, now)
    where = f"/visits/{made.id}"
    session.commit()
    assert 'name="why"' not in mother.get(where).text
    if why is Why.REPLACED:
        actions.replace(session, head, schedule.id, stand_in.id, now)
    else:
        actions.delay(session, head, schedule.id, 35, now, Policy())
    session.commit()
    shown = words(mother.get(where))
    told = {
        Why.REPLACED: "Dr Sun sees your child instead of Dr Zhao",
        Why.DELAYED: "expected at about 08:35 instead of 08:00",
    }
    assert told[why] in shown
    assert send(mother, f"{where}/cancel", where, why=why.value).location == where
    session.expire_all()
    assert session.get_one(Appointment, made.id).cancel_reason is why
