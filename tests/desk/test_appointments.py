"""Appointments for those who lead: the list in pages, one visit, the day in figures, and looking a family up."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import actions, listing
from booking.models import Appointment, Schedule
from booking.queries import Visit, visit
from booking.waiting_models import WaitingEntry
from config.clock import today
from config.policy import Policy
from payments import actions as money
from payments import gateway
from payments.gateway import RefundState
from payments.models import Refund
from people import finding
from people.models import AuditEvent, Practitioner, Role
from tests.booking.waiting import pay
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, visit_ahead

POLICY = Policy()
FEE = 5000


@pytest.fixture
def head(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    made = member(session, "H001", account(session, "o-head", now), Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    return made


@pytest.fixture
def other_head(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    made = member(session, "H002", account(session, "o-head-2", now), Role.DEPARTMENT_HEAD, of=hospital.skin)
    session.commit()
    return made


@pytest.fixture
def booked(session: Session, hospital: Hospital, now: datetime) -> Visit:
    """A visit with a fee, paid, the day after tomorrow."""
    session.execute(update(Schedule).values(fee_fen=FEE))
    session.commit()
    made = visit_ahead(session, hospital, hospital.child, now)
    assert made.appointment.payment_id
    pay(session, made.appointment.payment_id, now)
    session.commit()
    return visit(session, made.appointment.id)


def looked_at(session: Session, action: str) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)))


def test_from_the_list_to_a_visit(
    browse: Browse, session: Session, admin: Practitioner, hospital: Hospital, booked: Visit
) -> None:
    office, day = browse(admin), booked.appointment.day.isoformat()
    assert "There is no appointment like this." in words(office.get("/desk/appointments")), "today's are shown first"
    for query in (f"?day={day}", "?day=", f"?day={day}&department={hospital.medicine.id}&status=booked"):
        shown = office.get(f"/desk/appointments{query}")
        assert "王** · Internal Medicine · Dr Zhao · No. 1" in words(shown), query
        assert "小明" not in shown.text
    for query in ("?day=&status=pending", f"?day=&department={hospital.skin.id}", "?day=2026-11-26"):
        assert "There is no appointment" in words(office.get(f"/desk/appointments{query}")), query
    path = f"/desk/appointments/{booked.appointment.id}"
    assert path in office.get("/desk/appointments?day=").text
    page = office.get(path)
    for text in ("PQR-0001", "Paid ¥50.00", "Payment number 4200", "Number taken", "Booked Wed 25 Nov 2026, 10:00"):
        assert text in words(page), text
    assert "小明" not in page.text
    assert "已预约" in words(browse(admin, locale="zh_CN").get(path))
    assert looked_at(session, "see-appointment")[0].entity_id == booked.appointment.id
    assert looked_at(session, "see-appointments")[1].detail == {"day": day}


def test_filters_are_kept_on_the_next_page(
    browse: Browse,
    session: Session,
    admin: Practitioner,
    hospital: Hospital,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for ahead in (2, 3, 4):
        visit_ahead(session, hospital, hospital.child, now, ahead=ahead)
    monkeypatch.setattr(listing.listed, "__defaults__", (None, 2))
    office = browse(admin)
    asked = f"/desk/appointments?day=&department={hospital.medicine.id}&practitioner={hospital.doctor.id}"
    first = office.get(asked)
    assert f'value="{hospital.doctor.id}" selected' in first.text
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert following
    second = office.get(following[1].replace("&amp;", "&"))
    assert [len(re.findall("/desk/appointments/[0-9a-f-]{36}", page.text)) for page in (first, second)] == [2, 1]
    assert f'value="{hospital.doctor.id}" selected' in second.text
    assert "To the latest" in words(second)
    assert 'rel="next"' not in second.text


def test_a_head_sees_their_own_department_only(
    browse: Browse, session: Session, hospital: Hospital, head: Practitioner, other_head: Practitioner, booked: Visit
) -> None:
    path = f"/desk/appointments/{booked.appointment.id}"
    own, other = browse(head), browse(other_head)
    assert "王**" in words(own.get("/desk/appointments?day="))
    assert "PQR-0001" not in own.get(path).text
    assert "4200" not in words(own.get(path))
    assert "There is no appointment" in words(other.get("/desk/appointments?day="))
    for address in (
        path,
        f"/desk/appointments?day=&department={hospital.medicine.id}",
        f"/desk/appointments?day=&child={hospital.child.id}",
        f"/desk/appointments/{uuid4()}",
    ):
        assert other.get(address).status_code == 404, address
    assert own.get(f"/desk/appointments?day=&child={hospital.child.id}").status_code == 404
    assert "Internal Medicine" not in words(other.get("/desk/today"))
    for who in (hospital.doctor, hospital.mother):
        for address in ("/desk/appointments", path, "/desk/look-up", "/desk/today"):
            assert browse(who).get(address).status_code == 403, address
    for address in ("/desk/look-up", f"/desk/look-up/{uuid4()}"):
        assert own.get(address).status_code == 403, address
    assert post(own, "/desk/look-up", name="王小明").status_code == 403
    assert looked_at(session, "look-up") == []


@pytest.mark.parametrize("page", ["appointments", "today", "money"])
@pytest.mark.parametrize("day", ["soon", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_no_day(browse: Browse, admin: Practitioner, page: str, day: str) -> None:
    answer = browse(admin).get(f"/desk/{page}?day={day}")
    assert answer.status_code == 422
    assert f'value="{day}" ' in f"{answer.text} "
    assert 'aria-describedby="problem"' in answer.text
    assert "Please write the day as in 2026-11-25." in words(answer)


def test_bad_addresses(browse: Browse, admin: Practitioner, hospital: Hospital, booked: Visit) -> None:
    office = browse(admin)
    for query in ("status=x", "practitioner=x", "child=x", "after=x_y", f"after=0001-01-01_{uuid4()}", "after=_"):
        assert "王**" in words(office.get(f"/desk/appointments?day=&{query}")), query
    assert office.get("/desk/appointments?department=x").status_code == 404


def test_the_day_in_figures(
    browse: Browse,
    session: Session,
    admin: Practitioner,
    head: Practitioner,
    hospital: Hospital,
    booked: Visit,
    clock: time_machine.Traveller,
    now: datetime,
) -> None:
    later = visit_ahead(session, hospital, hospital.sibling, now)
    assert later.appointment.payment_id
    pay(session, later.appointment.payment_id, now)
    schedule, day = booked.schedule, booked.appointment.day
    afternoon = select(Schedule).where(Schedule.practitioner_id == hospital.doctor.id, Schedule.day == day)
    stopped = session.scalars(afternoon.where(Schedule.id != schedule.id)).one()
    session.execute(update(Schedule).where(Schedule.id == stopped.id).values(status="suspended"))
    actions.cancel(session, later.appointment.id, hospital.mother.id, now, POLICY)
    refund = session.scalars(select(Refund)).one()
    money.refund_result(session, gateway.Refund(refund.number, "", RefundState.SUCCESS, "503", FEE, FEE), now)
    entry = {"patient_id": hospital.other_child.id, "account_id": hospital.stranger.id, "joined_at": now}
    session.add(WaitingEntry(schedule_id=schedule.id, closes_at=schedule.starts_at, **entry))
    session.commit()
    office = browse(admin)
    moved = words(office.get("/desk/today"))
    assert "Internal Medicine 0 0 0 0 0 0 0 0 / 4 ¥100.00 ¥50.00" in moved, "the money came today; no visit is today"
    shown = words(office.get(f"/desk/today?day={day}"))
    assert "Internal Medicine 0 1 0 0 1 0 1 1 / 4 ¥0.00 ¥0.00" in shown
    assert "All departments" not in shown, "the other department has nothing on that day"
    clock.move_to(booked.appointment.starts_at)
    doctor, office = browse(hospital.doctor), browse(admin)
    assert post(doctor, f"/desk/visits/{booked.appointment.id}/mark", mark="came").status_code == 303
    assert "Internal Medicine 0 0 0 1 1 0" in words(office.get(f"/desk/today?day={day}"))
    assert browse(head).get("/desk").location == "/desk/today"
    assert "No clinic is rostered on this day." in words(office.get("/desk/today?day=2020-01-01"))


def test_the_ledger_of_a_day(browse: Browse, admin: Practitioner, booked: Visit, now: datetime) -> None:
    office = browse(admin)
    assert "of it for visits to come ¥50.00" in words(office.get("/desk/money"))
    yesterday = today(now) - timedelta(days=1)
    assert "of it for visits to come ¥0.00" in words(office.get(f"/desk/money?day={yesterday}"))


def test_a_family_is_found_by_phone(
    browse: Browse, session: Session, admin: Practitioner, hospital: Hospital, booked: Visit
) -> None:
    office = browse(admin)
    form = words(office.get("/desk/look-up"))
    assert "A guardian's phone" in form
    answer = post(office, "/desk/look-up", on="/desk/look-up", phone="138 0000 1234")
    assert answer.status_code == 303
    assert "1380000" not in answer.location
    page = office.get(answer.location)
    shown = words(page)
    assert "3 children found" in shown
    assert "Next visit Fri 27 Nov 2026, 08:00 Booked Internal Medicine · Dr Zhao · No. 1 Last visit –" in shown
    assert f"/desk/appointments/{booked.appointment.id}" in page.text
    assert "小明" not in page.text
    assert "One child's appointments only." in words(
        office.get(f"/desk/appointments?day=&child={hospital.child.id}&department=")
    )
    other = member(session, "A009", account(session, "o-other", booked.appointment.booked_at), Role.ADMINISTRATOR)
    session.commit()
    assert browse(other).get(answer.location).status_code == 404
    assert {event.entity_id for event in looked_at(session, "see-child")} == {
        hospital.child.id,
        hospital.sibling.id,
        hospital.other_child.id,
    }
    assert {event.account_id for event in looked_at(session, "look-up")} == {admin.account_id}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"phone": "13999999999"}, "No child is bound here whose guardian has left this phone"),
        ({"name": "王大明"}, "No child of exactly this name"),
        ({"code": "QR-9"}, "No child with this QR code"),
        ({"code": "QR-0001", "name": "王小红"}, "No child is bound here whom all of this fits."),
    ],
)
def test_nobody_is_found(browse: Browse, admin: Practitioner, sent: dict[str, str], said: str) -> None:
    office = browse(admin)
    shown = words(office.get(post(office, "/desk/look-up", **sent).location))
    assert said in shown
    assert "0 children found" in shown


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Please fill in the phone, the name or the code."),
        ({"phone": "138x"}, "Please write the whole phone number"),
        ({"name": "王小明", "born": "soon"}, "Please write the day as in"),
    ],
)
def test_bad_input_is_said_and_kept(browse: Browse, admin: Practitioner, sent: dict[str, str], said: str) -> None:
    answer = post(browse(admin), "/desk/look-up", **sent)
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'aria-invalid="true"' in answer.text
    for typed in sent.values():
        assert f'value="{typed}"' in answer.text


def test_not_one_after_the_other(
    browse: Browse, session: Session, admin: Practitioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PER_HOUR", 2)
    office = browse(admin)
    answers = [post(office, "/desk/look-up", phone=f"1380000123{n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 'value="13800001232"' in answers[2].text
    assert "You have looked up 2 families within the hour" in words(answers[2])
    assert [event.outcome for event in looked_at(session, "look-up")] == ["done", "done", "too-many-look-ups"]
    assert session.scalars(select(Appointment)).all() == []
