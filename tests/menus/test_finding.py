"""Finding a number: filters, the earliest, a doctor's page, favourites, siblings, kept-back numbers, the calendar."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import actions, rights
from booking.models import Appointment, AppointmentStatus, Pool, Schedule, Slot, SlotStatus
from booking.rights_models import AreaDeclaration, FollowupGrant
from config import policy as policies
from config.clock import at, today
from config.policy import Policy
from menus.calendar import token_of
from people.access import Viewer
from people.favourites import LIMIT, Favourite, mark, marked
from people.models import Title
from tests.menus.conftest import Browser, send, words
from tests.menus.test_kept import later
from tests.product import Hospital, practitioner

MEDICINE = "/internet-diagnosis/internal-medicine"
MORNING = f"{MEDICINE}/2026-11-27/morning"
WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50 Language/en"}


@pytest.fixture
def chief(session: Session, hospital: Hospital) -> Hospital:
    """The colleague is a chief physician with a name of her own."""
    hospital.colleague.title, hospital.colleague.name = Title.CHIEF, {"zh_CN": "孙晓明", "en": "Dr Sun"}
    session.add(hospital.colleague)
    session.commit()
    return hospital


def offered(page: str) -> list[str]:
    """The doctors on a page of doctors."""
    return re.findall(r'doctor__name"><strong class="name">([^<]+)', page)


def test_filters_narrow_counts_and_doctors(mother: FlaskClient, chief: Hospital) -> None:
    assert offered(mother.get(MORNING).text) == ["Dr Zhao", "Dr Sun"]
    assert offered(mother.get(f"{MORNING}?title=chief").text) == ["Dr Sun"]
    assert offered(mother.get(f"{MORNING}?doctor={chief.doctor.id}").text) == ["Dr Zhao"]
    nobody = mother.get(f"{MORNING}?doctor={chief.doctor.id}&title=chief")
    assert offered(nobody.text) == []
    assert "fits what you chose" in words(nobody)
    page = mother.get(f"{MEDICINE}?title=chief&time=morning")
    assert "12 left" in words(page)
    assert "24 left" not in words(page)
    assert "afternoon?" not in page.text.split("</table>")[0]
    assert f"{MORNING}?title=chief" in page.text, "the choice goes along"


def test_the_strip_shows_all_days_with_their_marks(session: Session, mother: FlaskClient, hospital: Hospital) -> None:
    session.execute(
        update(Slot)
        .where(Slot.schedule_id.in_(select(Schedule.id).where(Schedule.day == date(2026, 11, 28))))
        .values(status=SlotStatus.BUSY)
    )
    session.commit()
    page = mother.get(MORNING)
    labels = re.findall(r'class="strip__day.*?class="unseen">([^<]+)<', page.text, flags=re.DOTALL)
    assert len(labels) == 8
    assert labels[:3] == ["26 Nov, 24 left", "27 Nov, 24 left", "28 Nov, Full"]
    assert page.text.count('aria-current="page"') >= 2


def test_what_applies_is_said_before_the_first_tap(session: Session, mother: FlaskClient, hospital: Hospital) -> None:
    session.execute(update(Schedule).values(fee_fen=5000))
    session.commit()
    for path in (MEDICINE, MORNING, f"/doctors/{hospital.doctor.id}"):
        shown = words(mother.get(path))
        for rule in ("¥50", "held 10 minutes", "Full refund until 12 hours", "been to this hospital"):
            assert rule in shown, (path, rule)


def test_more_numbers_later_in_the_day_are_announced(session: Session, mother: FlaskClient, hospital: Hospital) -> None:
    session.execute(update(Slot).where(Slot.number > 10).values(pool=Pool.LATER))
    session.commit()
    shown = words(mother.get(f"{MEDICINE}/2026-12-03/morning"))
    assert "10 left" in shown
    assert "2 more at 12:00" in shown


def test_the_earliest_number_leads_to_its_confirmation(
    session: Session, mother: FlaskClient, chief: Hospital, now: datetime
) -> None:
    first = today(now) + timedelta(days=1)
    early = session.scalars(select(Schedule).where(Schedule.day == first).order_by(Schedule.starts_at)).all()
    session.execute(
        update(Slot)
        .where(Slot.schedule_id.in_([schedule.id for schedule in early]), Slot.number < 12)
        .values(status=SlotStatus.BUSY)
    )
    last = next(s for s in early if s.practitioner_id == chief.colleague.id)
    session.execute(update(Slot).where(Slot.schedule_id == last.id).values(pool=Pool.FOLLOWUP))
    session.commit()
    own = next(s for s in early if s.practitioner_id == chief.doctor.id)
    assert mother.get(f"{MEDICINE}/earliest").location == f"/schedules/{own.id}/book"
    page = mother.get(f"{MEDICINE}/earliest?title=chief", follow_redirects=True)
    assert "Dr Sun" in words(page)
    assert "13:30" not in words(page), "that number is taken"


def test_no_number_at_all_says_when_the_next_ones_open(
    session: Session, mother: FlaskClient, hospital: Hospital
) -> None:
    session.execute(update(Slot).values(status=SlotStatus.BUSY))
    session.commit()
    page = mother.get(f"{MEDICINE}/earliest")
    assert page.status_code == 409
    assert "New ones open on 26 Nov at 07:00" in words(page)
    assert f'href="{MEDICINE}"' in page.text
    assert "Earliest number" not in words(mother.get(MEDICINE))


def test_the_countdown_has_the_moment_of_the_release_and_the_clinics_clock(
    mother: FlaskClient, hospital: Hospital, now: datetime
) -> None:
    opens = at(today(now), time(7))
    with time_machine.travel(opens - timedelta(seconds=1), tick=False):
        for path in (MEDICINE, f"{MEDICINE}/2026-12-03/morning"):
            page = mother.get(path)
            assert f'data-opens="{int(opens.timestamp() * 1000)}"' in page.text, path
            assert "release.js" in page.text
        assert mother.get("/clock").json == {"now": int(opens.timestamp() * 1000) - 1000}
    with time_machine.travel(opens, tick=False):  # the same second, whatever was kept
        assert "data-opens" not in mother.get(MEDICINE).text
        assert "/book" in mother.get(f"{MEDICINE}/2026-12-03/morning").text


def test_a_doctors_page(session: Session, mother: FlaskClient, hospital: Hospital, client: FlaskClient) -> None:
    path = f"/doctors/{hospital.doctor.id}"
    shown = words(mother.get(path))
    for fact in ("Attending physician", "Cough", "1101D001", "Internal Medicine", "12 left", "about 08:00"):
        assert fact in shown
    assert mother.get(path).text.count("/book") == 16
    visitor = client.get(path)
    assert f"/oauth/start?next={path}" in visitor.text
    assert "/favourite" not in visitor.text
    hospital.doctor.active = False
    session.add(hospital.doctor)
    session.commit()
    assert mother.get(path).status_code == 404
    assert mother.get(f"/doctors/{uuid4()}").status_code == 404


def test_favourites_are_the_parents_own(mother: FlaskClient, browser: Browser, hospital: Hospital) -> None:
    path = f"/doctors/{hospital.doctor.id}"
    assert "No doctor is on your list" in words(mother.get("/favourites"))
    for _ in range(2):
        assert send(mother, path, f"{path}/favourite", wanted="yes").location == path
    assert "Dr Zhao" in words(mother.get("/favourites"))
    assert "Dr Zhao" not in words(browser(hospital.stranger, "en").get("/favourites"))
    send(mother, path, f"{path}/favourite", wanted="no")
    assert "Dr Zhao" not in words(mother.get("/favourites"))
    assert send(mother, path, f"/doctors/{uuid4()}/favourite", wanted="yes").status_code == 404


def test_above_the_limit_the_oldest_favourite_goes(session: Session, hospital: Hospital, now: datetime) -> None:
    viewer = Viewer(hospital.mother.id, "en")
    for n in range(LIMIT + 1):
        doctor = practitioner(session, f"E{n:03}", hospital.medicine)
        mark(session, viewer, doctor.id, now + timedelta(seconds=n), wanted=True)
    codes = [doctor.code for doctor, _ in marked(session, viewer)]
    assert (len(codes), codes[0], codes[-1]) == (LIMIT, f"E{LIMIT:03}", "E001")
    assert len(session.scalars(select(Favourite)).all()) == LIMIT


def test_siblings_in_one_go(session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule) -> None:
    path = f"/schedules/{schedule.id}/together"
    assert path in mother.get(f"/schedules/{schedule.id}/book").text
    assert send(mother, path, path, patient=hospital.child.id).status_code == 422
    both = [hospital.child.id, hospital.sibling.id]
    answer = send(mother, path, path, patient=both)
    assert answer.location == "/visits?note=together"
    shown = words(mother.get(answer.location))
    assert "No. 1" in shown
    assert "No. 2" in shown
    assert "back to back" in shown
    assert "needs two of your children" in words(mother.get(path))


def test_siblings_of_others_are_not_booked(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule
) -> None:
    path = f"/schedules/{schedule.id}/together"
    assert send(mother, path, path, patient=[hospital.child.id, hospital.other_child.id]).status_code == 404
    assert session.scalars(select(Appointment)).all() == []


def test_held_numbers_count_down_under_my_visits(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule
) -> None:
    session.execute(update(Schedule).values(fee_fen=5000))
    session.commit()
    path = f"/schedules/{schedule.id}/together"
    assert "¥50 for each child" in words(mother.get(path))
    send(mother, path, path, patient=[hospital.child.id, hospital.sibling.id])
    page = mother.get("/visits")
    assert page.text.count('data-left="600"') == 2
    assert "10:00" in words(page)
    assert "left.js" in page.text


@pytest.fixture
def grant(session: Session, hospital: Hospital, now: datetime) -> FollowupGrant:
    """The doctor invited the first child; number 12 of each period is kept for such."""
    session.execute(update(Slot).where(Slot.number == 12).values(pool=Pool.FOLLOWUP))
    day = today(now)
    mornings = select(Schedule).where(Schedule.practitioner_id == hospital.doctor.id, Schedule.day == day)
    old = session.scalars(mornings.order_by(Schedule.starts_at)).first()
    assert old
    yesterday = at(day - timedelta(days=1), time(9))
    visit = actions.book(session, old.id, hospital.child, hospital.mother.id, yesterday, Policy())
    rights.invite(session, hospital.doctor, visit.id, now, Policy())
    session.commit()
    return session.scalars(select(FollowupGrant)).one()


def test_an_invitation_leads_to_its_number(
    session: Session,
    mother: FlaskClient,
    browser: Browser,
    hospital: Hospital,
    grant: FollowupGrant,
    schedule: Schedule,
) -> None:
    path = f"/followups/{grant.id}"
    page = mother.get(path)
    way = f"/schedules/{schedule.id}/book?pool=followup&amp;child={hospital.child.id}"
    assert way in page.text
    assert browser(hospital.stranger, "en").get(path).status_code == 404
    confirm = mother.get(way.replace("&amp;", "&"))
    assert "about 11:40" in words(confirm)
    assert "Not invited" in words(confirm), "the other child can't be chosen"
    wanted = {"schedule": schedule.id, "pool": "followup"}
    answer = send(mother, "/help", "/visits", patient=hospital.child.id, **wanted)
    assert "Number 12" in words(mother.get(answer.location))
    assert answer.location in mother.get(path).text
    refused = send(mother, "/help", "/visits", patient=hospital.sibling.id, **wanted)
    assert refused.status_code == 409
    assert "kept for a follow-up" in words(refused)


def test_an_invitation_runs_out(session: Session, mother: FlaskClient, grant: FollowupGrant, now: datetime) -> None:
    session.execute(update(FollowupGrant).values(until=today(now) - timedelta(days=1)))
    session.commit()
    assert "has run out" in words(mother.get(f"/followups/{grant.id}"))


def test_a_child_in_a_controlled_area(
    session: Session, mother: FlaskClient, hospital: Hospital, now: datetime, schedule: Schedule, app: Flask
) -> None:
    path = f"{MEDICINE}/areas"
    assert mother.get(path).status_code == 404
    assert "areas" not in mother.get(MEDICINE).text
    policies.change(session, "controlled_areas", "Huaxiang, Shibalidian", author="test", valid_from=now)
    session.execute(update(Slot).where(Slot.number == 12).values(pool=Pool.AREA))
    session.commit()
    later(app)
    assert path in mother.get(MEDICINE).text
    assert send(mother, path, path, patient=hospital.child.id).status_code == 422
    assert send(mother, path, path, patient=hospital.child.id, area="Elsewhere").status_code == 404
    assert send(mother, path, path, patient=hospital.other_child.id, area="Huaxiang").status_code == 404
    assert send(mother, path, path, patient=hospital.child.id, area="Huaxiang").location == path
    page = mother.get(path)
    assert f"/schedules/{schedule.id}/book?pool=area&amp;child={hospital.child.id}" in page.text
    booked = send(mother, path, "/visits", schedule=schedule.id, patient=hospital.child.id, pool="area")
    assert "Number 12" in words(mother.get(booked.location))
    send(mother, path, path, patient=hospital.child.id, area="none")
    session.expire_all()
    assert session.scalars(select(AreaDeclaration)).one().until == now
    assert "pool=area" not in mother.get(path).text


@pytest.fixture
def visit(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> Appointment:
    made = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    session.commit()
    return made


def test_the_calendar_entry_is_one_that_calendars_read(
    session: Session, mother: FlaskClient, client: FlaskClient, hospital: Hospital, visit: Appointment
) -> None:
    hospital.doctor.name = {"zh_CN": "欧阳, 很长; 的名字" * 8, "en": "Dr, with; commas\\"}
    session.add(hospital.doctor)
    session.commit()
    link = re.search(r'href="(/calendar/[^"]+)"', mother.get(f"/visits/{visit.id}").text)
    assert link
    assert "Open in browser" in words(mother.get(link[1], headers=WECHAT))
    outside = client.get(link[1])
    assert f'href="{link[1]}.ics"' in outside.text
    for language in ("zh-CN", "en"):
        answer = client.get(f"{link[1]}.ics", headers={"Accept-Language": language})
        assert answer.content_type == "text/calendar; charset=utf-8"
        lines = answer.data.split(b"\r\n")
        assert lines[-1] == b""
        assert all(len(line) <= 75 for line in lines)
        event = Calendar.from_ical(answer.data).walk("VEVENT")[0]
        assert event.decoded("dtstart") == visit.starts_at.astimezone(UTC)
        assert event.decoded("dtend") > event.decoded("dtstart")
        assert event["uid"] == f"{visit.id}@internet-clinic"
        assert event["status"] == "CONFIRMED"
        assert str(event["url"]).endswith(f"/visits/{visit.id}")
        assert hospital.doctor.name["zh_CN" if language == "zh-CN" else "en"] in str(event["description"])
        assert "王**" in str(event["description"])
        assert "王小明" not in answer.text
        assert event.walk("VALARM")[0].decoded("trigger") == timedelta(minutes=-30)


def test_a_cancelled_visit_leaves_the_calendar_and_an_old_address_opens_nothing(
    session: Session, app: Flask, client: FlaskClient, hospital: Hospital, visit: Appointment, now: datetime
) -> None:
    with app.test_request_context():
        path = f"/calendar/{token_of(visit.id)}.ics"
    actions.cancel(session, visit.id, hospital.mother.id, now, Policy())
    session.commit()
    assert visit.status is AppointmentStatus.CANCELLED
    event = Calendar.from_ical(client.get(path).data).walk("VEVENT")[0]
    assert (event["status"], event["sequence"]) == ("CANCELLED", 1)
    forged = path.replace("/calendar/", "/calendar/x")
    for wrong in (forged, f"/calendar/{visit.id}.ics", f"/calendar/{visit.id}"):
        assert client.get(wrong).status_code == 404
    with time_machine.travel(visit.starts_at + timedelta(days=2), tick=False):
        assert client.get(path).status_code == 404
