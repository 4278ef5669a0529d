"""Booking a number, the booked visit, cancelling it, my visits."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.models import Appointment, AppointmentStatus, Schedule, Slot, SlotStatus
from people import actions as people
from people.models import RelatedPerson, Relation
from tests.menus.conftest import Browser, agree, schedule_of, send, words
from tests.product import Hospital


@pytest.fixture
def confirm(schedule: Schedule) -> str:
    """The confirming page of the doctor's morning."""
    return f"/schedules/{schedule.id}/book"


def appointments(session: Session) -> list[Appointment]:
    session.expire_all()
    return session.query(Appointment).order_by(Appointment.id).all()


def book(client: FlaskClient, confirm: str, child: UUID) -> str:
    """Book as the page does; returns the visit's path."""
    answer = send(client, confirm, "/visits", schedule=confirm.split("/")[2], patient=child)
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def test_confirming_says_doctor_time_fee_deadline_and_preselects_a_child(
    mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    page = mother.get(confirm)
    shown = words(page)
    for text in (
        "Dr Zhao",
        "Fri 27 Nov 2026",
        "about 08:00",
        "free",
        "until Thu 26 Nov 2026, 20:00",
        "王小明",
        "3 y 6 mo",
    ):
        assert text in shown, text
    assert re.search(rf'value="{hospital.child.id}" required checked', page.text)
    assert not re.search(rf'value="{hospital.sibling.id}" required (checked|disabled)', page.text)


def test_a_booked_visit_shows_its_number_and_time(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    visit = book(mother, confirm, hospital.child.id)
    (appointment,) = appointments(session)
    assert visit == f"/visits/{appointment.id}"
    shown = words(mother.get(visit))
    for text in ("Booked", "Number 1", "Fri 27 Nov 2026 about 08:00", "王小明", "18:00 the day before", "30 minutes"):
        assert text in shown, text


def test_a_second_tap_ends_at_the_same_visit(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    first = book(mother, confirm, hospital.child.id)
    second = book(mother, confirm, hospital.child.id)
    assert second == f"{first}?note=already"
    assert "nothing was booked twice" in words(mother.get(second))
    assert len(appointments(session)) == 1


def test_a_child_that_holds_a_number_can_not_be_chosen_and_the_sibling_is(
    mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    visit = book(mother, confirm, hospital.child.id)
    page = mother.get(confirm)
    assert re.search(rf'value="{hospital.child.id}" required disabled', page.text)
    assert re.search(rf'value="{hospital.sibling.id}" required checked', page.text)
    assert "Already has a number in this department that day" in words(page)
    assert "Book the next number for 王小红" in words(mother.get(visit))


def test_siblings_get_numbers_back_to_back(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    visit = book(mother, confirm, hospital.child.id)
    found = re.search(r'href="(/schedules/[^"]+child=[^"]+)"', mother.get(visit).text)
    assert found
    assert re.search(rf'value="{hospital.sibling.id}" required checked', mother.get(found[1]).text)
    both = book(mother, confirm, hospital.sibling.id)
    assert [appointment.number for appointment in appointments(session)] == [1, 2]
    assert "Book the next number" not in words(mother.get(both))


def test_no_choice_is_asked_for_again(mother: FlaskClient, confirm: str, schedule: Schedule) -> None:
    answer = send(mother, confirm, "/visits", schedule=schedule.id)
    assert answer.status_code == 422
    assert "Please choose a child." in words(answer)
    assert "Dr Zhao" in words(answer)
    assert send(mother, confirm, "/visits", schedule="x").location == "/internet-diagnosis"


def test_without_a_child_the_way_leads_to_binding_and_back(
    session: Session, browser: Browser, hospital: Hospital, confirm: str, now: datetime
) -> None:
    newcomer = people.ensure_account(session, "o-newcomer", now)
    session.commit()
    answer = browser(newcomer).get(confirm)
    assert answer.location == f"/children/bind?next={confirm.replace('/', '%2F')}"


def test_a_strangers_child_is_not_booked(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str, schedule: Schedule
) -> None:
    answer = send(mother, confirm, "/visits", schedule=schedule.id, patient=hospital.other_child.id)
    assert answer.status_code == 404
    assert appointments(session) == []


def test_a_sold_out_period_says_so_and_leads_to_other_doctors(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str, schedule: Schedule
) -> None:
    mother.get(confirm)
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
    session.commit()
    for answer in (
        mother.get(confirm),
        send(mother, "/help", "/visits", schedule=schedule.id, patient=hospital.child.id),
    ):
        assert answer.status_code == 409
        assert "Another doctor or another period" in words(answer)
        assert f"/internet-diagnosis/internal-medicine/{schedule.day}/morning" in answer.text


def test_a_day_that_is_not_open_is_refused(
    session: Session, mother: FlaskClient, hospital: Hospital, now: datetime
) -> None:
    for ahead in (0, 9):
        early = schedule_of(session, hospital.doctor.id, now, ahead=ahead)
        answer = mother.get(f"/schedules/{early.id}/book")
        assert answer.status_code == 409
        assert "1 to 8 days ahead" in words(answer)


def test_a_late_booking_says_beforehand_that_it_can_not_be_cancelled(
    session: Session, browser: Browser, hospital: Hospital, now: datetime
) -> None:
    tomorrow = schedule_of(session, hospital.doctor.id, now, ahead=1)
    with time_machine.travel(tomorrow.starts_at - timedelta(hours=11), tick=False):
        client = browser(hospital.mother, "en")
        confirm = f"/schedules/{tomorrow.id}/book"
        assert "can't be cancelled here" in words(client.get(confirm))
        visit = book(client, confirm, hospital.child.id)
        page = client.get(visit)
        assert "Cancel this visit" not in words(page)
        assert "Please call 010-59616161" in words(page)
        asked = client.get(f"{visit}/cancel")
        assert "My child has got worse" in words(asked)
        assert "The doctor is delayed" not in words(asked)
        answer = send(client, visit, f"{visit}/cancel")
        assert answer.status_code == 409
        assert "until 12 hours before" in words(answer)


def test_cancelling_asks_first_and_gives_the_number_back(
    session: Session, mother: FlaskClient, hospital: Hospital, confirm: str
) -> None:
    visit = book(mother, confirm, hospital.child.id)
    assert f"{visit}/cancel" in mother.get(visit).text
    asked = mother.get(f"{visit}/cancel")
    assert "can't get it back" in words(asked)
    assert appointments(session)[0].status is AppointmentStatus.BOOKED
    assert send(mother, f"{visit}/cancel", f"{visit}/cancel").location == visit
    assert appointments(session)[0].status is AppointmentStatus.CANCELLED
    assert "The number has been given back" in words(mother.get(visit))
    assert send(mother, visit, f"{visit}/cancel").location == visit  # the second tap changes nothing
    assert "about 08:00" in words(mother.get(confirm))


def test_my_visits_come_with_those_of_the_other_guardian(
    session: Session, browser: Browser, hospital: Hospital, confirm: str, now: datetime
) -> None:
    father = people.ensure_account(session, "o-father", now)
    agree(session, father, now)
    session.add(
        RelatedPerson(
            account_id=father.id, patient_id=hospital.child.id, name="王强", relation=Relation.FATHER, bound_at=now
        )
    )
    session.commit()
    visit = book(browser(father), confirm, hospital.child.id)
    mother = browser(hospital.mother, "en")
    assert visit in mother.get("/visits").text
    send(mother, visit, f"{visit}/cancel")
    shown = words(mother.get("/visits"))
    assert shown.index("No visit is booked") < shown.index("Past and cancelled") < shown.index("王小明")


def test_a_visit_that_is_over_is_past(
    session: Session, browser: Browser, mother: FlaskClient, hospital: Hospital, confirm: str, schedule: Schedule
) -> None:
    visit = book(mother, confirm, hospital.child.id)
    with time_machine.travel(schedule.ends_at + timedelta(minutes=1), tick=False):
        client = browser(hospital.mother, "en")
        assert "This visit is over" in words(client.get(visit))
        assert "No visit is booked" in words(client.get("/visits"))


def test_a_visit_is_nobody_elses(browser: Browser, mother: FlaskClient, hospital: Hospital, confirm: str) -> None:
    visit = book(mother, confirm, hospital.child.id)
    stranger = browser(hospital.stranger, "en")
    assert stranger.get(visit).status_code == 404
    assert stranger.get(f"{visit}/cancel").status_code == 404
    assert send(stranger, "/help", f"{visit}/cancel").status_code == 404
    assert stranger.get(f"/visits/{uuid4()}").status_code == 404
    assert "王小明" not in stranger.get("/visits").text


def test_visits_ask_for_sign_in_and_come_back(client: FlaskClient, hospital: Hospital, confirm: str) -> None:
    answer = client.get(f"{confirm}?child=x")
    assert answer.status_code == 302
    assert answer.location == f"/oauth/start?next={confirm}?child%3Dx"
