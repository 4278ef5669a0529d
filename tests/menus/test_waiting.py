"""The waiting list's pages: joining, the place, the offer, the answers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Appointment, AppointmentStatus, Schedule, Slot, SlotStatus
from booking.waiting_models import WaitingEntry, WaitingStatus
from config import policy
from tests.booking.waiting import POLICY, holding
from tests.menus.conftest import Browser, send, token, words
from tests.product import Hospital


@pytest.fixture
def full(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Schedule:
    """The doctor's morning: number 1 is the other family's, the rest are gone."""
    actions.book(session, schedule.id, hospital.other_child, hospital.stranger.id, now, POLICY)
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
    session.commit()
    return schedule


@pytest.fixture
def place(mother: FlaskClient, hospital: Hospital, full: Schedule) -> str:
    """The path of the child's place on the list."""
    path = f"/schedules/{full.id}/wait"
    answer = send(mother, path, path, patient=hospital.child.id)
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def free_it(session: Session, full: Schedule, now: datetime) -> Appointment:
    """The other family gives number 1 back; returns what is held then."""
    held = holding(session, full.id)
    assert held
    actions.cancel(session, held.id, held.account_id, now, POLICY)
    session.commit()
    offer = holding(session, full.id)
    assert offer
    return offer


def entry(session: Session) -> WaitingEntry:
    session.expire_all()
    return session.query(WaitingEntry).one()


def test_a_full_doctor_leads_to_the_waiting_list(mother: FlaskClient, full: Schedule) -> None:
    page = mother.get(f"/internet-diagnosis/internal-medicine/{full.day}/morning")
    assert f'href="/schedules/{full.id}/wait"' in page.text
    assert "Full Waiting list: 0" in words(page)
    assert len(re.findall(r'href="/schedules/[^"]+/book"', page.text)) == 1  # the colleague's


def test_joining_says_what_happens_before_it_does(mother: FlaskClient, full: Schedule) -> None:
    shown = words(mother.get(f"/schedules/{full.id}/wait"))
    for text in (
        "Waiting now 0",
        "15 minutes to take it; at night until 07:30",
        "Waiting costs nothing",
        "closes on Fri 27 Nov 2026, 07:00",
        "call 120",
    ):
        assert text in shown, text


def test_a_place_shows_who_is_before_it_and_is_found_under_my_visits(
    session: Session, browser: Browser, hospital: Hospital, full: Schedule, mother: FlaskClient, now: datetime
) -> None:
    actions.join(session, full.id, hospital.sibling, hospital.mother.id, now, POLICY)
    session.commit()
    path = f"/schedules/{full.id}/wait"
    page = mother.get(path)
    assert "Is on this list already" in words(page)
    found = send(mother, path, path, patient=hospital.child.id).location
    assert found == send(mother, found, path, patient=hospital.child.id).location, "a second tap finds the same place"
    assert "On the waiting list Before you 1" in words(mother.get(found))
    shown = words(mother.get("/visits"))
    assert "First in line" in shown
    assert "1 before you" in shown
    chinese = words(browser(hospital.mother, "zh_CN").get("/visits"))
    assert "前面 1 人" in chinese


def test_an_offer_is_answered_with_yes(
    session: Session, mother: FlaskClient, full: Schedule, place: str, now: datetime
) -> None:
    offer = free_it(session, full, now)
    page = mother.get(place)
    shown = words(page)
    for text in ("A number is held for you", "Number 1", "Answer by Wed 25 Nov 2026, 10:15", "Time left 15:00"):
        assert text in shown, text
    assert 'data-ends-in="900"' in page.text
    visits = mother.get("/visits")
    assert "Answer by 10:15" in words(visits)
    assert f"/visits/{offer.id}" not in visits.text, "it is not theirs yet"
    assert mother.get(f"/visits/{offer.id}").location == place
    for _ in range(2):  # a second tap ends at the same visit
        answer = send(mother, "/visits", f"{place}/accept")
        assert answer.status_code == 303
    assert mother.get(place).location == f"/visits/{offer.id}"
    session.expire_all()
    assert session.get_one(Appointment, offer.id).status is AppointmentStatus.BOOKED


def test_yes_to_a_number_with_a_fee_leads_to_paying(
    session: Session, mother: FlaskClient, full: Schedule, place: str, now: datetime
) -> None:
    session.execute(update(Schedule).where(Schedule.id == full.id).values(fee_fen=5000))
    session.commit()
    offer = free_it(session, full, now)
    assert "Take it and pay" in words(mother.get(place))
    assert send(mother, place, f"{place}/accept").location == f"/visits/{offer.id}/pay"
    assert "pay within 10:00" in words(mother.get(f"/visits/{offer.id}/pay"))


def test_letting_go_ends_the_place_and_offers_the_end_of_the_line(
    session: Session, mother: FlaskClient, full: Schedule, place: str, now: datetime
) -> None:
    free_it(session, full, now)
    assert send(mother, place, f"{place}/decline").location == place
    page = mother.get(place)
    assert "You let the number go" in words(page)
    assert f"/schedules/{full.id}/wait" in page.text
    assert mother.get(f"/schedules/{full.id}/wait").location == f"/schedules/{full.id}/book", (
        "nobody waited: it is free"
    )


def test_an_offer_whose_time_is_over_says_so_before_any_sweep(
    session: Session, mother: FlaskClient, full: Schedule, place: str, now: datetime
) -> None:
    free_it(session, full, now)
    page = mother.get(place)
    with time_machine.travel(now + timedelta(minutes=15), tick=False):
        assert "was not taken in time" in words(mother.get(place))
        answer = mother.post(
            f"{place}/accept", data={"csrf_token": re.findall(r'csrf_token" value="([^"]+)', page.text)[0]}
        )
        assert answer.location == place
    assert entry(session).status is WaitingStatus.OFFERED


def test_leaving_the_list(session: Session, mother: FlaskClient, place: str) -> None:
    send(mother, place, f"{place}/leave")
    assert "You left the list" in words(mother.get(place))
    assert entry(session).status is WaitingStatus.LEFT
    assert "Waiting lists" not in words(mother.get("/visits"))


def test_nobody_else_sees_or_answers_a_place(
    session: Session, browser: Browser, hospital: Hospital, full: Schedule, place: str, now: datetime
) -> None:
    free_it(session, full, now)
    stranger = browser(hospital.stranger, "en")
    assert stranger.get(place).status_code == 404
    for verb in ("accept", "decline", "leave"):
        assert send(stranger, "/visits", f"{place}/{verb}").status_code == 404
    other = f"/schedules/{full.id}/wait"
    assert send(stranger, other, other, patient=hospital.child.id).status_code == 404
    assert entry(session).status is WaitingStatus.OFFERED


def test_a_free_period_is_booked_not_waited_for(mother: FlaskClient, hospital: Hospital, schedule: Schedule) -> None:
    path = f"/schedules/{schedule.id}/wait"
    assert mother.get(path).location == f"/schedules/{schedule.id}/book"
    answer = send(mother, "/visits", path, patient=hospital.child.id)
    assert answer.location == f"/schedules/{schedule.id}/book?child={hospital.child.id}"


def test_the_last_number_gone_leads_on_to_the_list(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule
) -> None:
    confirm = f"/schedules/{schedule.id}/book"
    before = mother.get(confirm)
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
    session.commit()
    fields = {"csrf_token": token(before), "schedule": schedule.id}
    for answer in (mother.post("/visits", data={**fields, "patient": hospital.child.id}), mother.get(confirm)):
        assert answer.status_code == 409
        assert f'href="/schedules/{schedule.id}/wait"' in answer.text
        assert "Other doctors" in words(answer)


def test_without_a_chosen_child_the_form_says_so(mother: FlaskClient, full: Schedule) -> None:
    path = f"/schedules/{full.id}/wait"
    answer = send(mother, path, path)
    assert answer.status_code == 422
    assert "Please choose a child." in words(answer)


def test_a_closed_list_and_too_many_lists_say_what_to_do(
    session: Session, mother: FlaskClient, hospital: Hospital, full: Schedule, now: datetime
) -> None:
    path = f"/schedules/{full.id}/wait"
    policy.change(session, "waiting_per_child", 0, author="test", valid_from=now)
    session.commit()
    answer = send(mother, path, path, patient=hospital.child.id)
    assert answer.status_code == 409
    assert "On many waiting lists already" in words(answer)
    session.execute(update(Schedule).where(Schedule.id == full.id).values(starts_at=now + timedelta(hours=1)))
    session.commit()
    late = mother.get(path)
    assert late.status_code == 409
    assert "The waiting list is closed" in words(late)


def test_a_family_without_a_child_binds_one_first(
    session: Session, browser: Browser, hospital: Hospital, full: Schedule
) -> None:
    doctor = browser(session.get_one(type(hospital.mother), hospital.doctor.account_id), "en")
    page = doctor.get(f"/schedules/{full.id}/wait")
    assert "Add a child" in words(page)
    assert "/children/bind?next=" in page.text
