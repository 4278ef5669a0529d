"""Limits on booking as pages show them: a short wait that loses nothing, the appeal; every refusal leaves its mark."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from werkzeug.routing import IntegerConverter as NumberConverter

import booking.refusals
from app import create_app
from booking.models import Appointment, AppointmentStatus, Schedule, Slot, SlotStatus
from config.errors import Refused
from config.policy import change
from config.redis import connect
from config.settings import ROOT, Settings
from menus.limits import EXTENSION, Counter
from people.models import Account, AuditEvent, Consent, Patient, Role
from tests.booking.test_fair import misses
from tests.menus.conftest import Browser, send, words
from tests.product import Hospital, account, member, sign_in


@pytest.fixture(autouse=True)
def forget(redis_url: str) -> None:
    Redis.from_url(redis_url).flushdb()


@pytest.fixture
def confirm(schedule: Schedule) -> str:
    return f"/schedules/{schedule.id}/book"


def try_to_book(client: FlaskClient, schedule: Schedule, hospital: Hospital, child: Patient | None = None) -> Any:
    return send(client, "/help", "/visits", schedule=schedule.id, patient=(child or hospital.child).id)


def limit(session: Session, now: datetime, key: str, value: object) -> None:
    change(session, key, value, author="test", valid_from=now)
    session.commit()


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_one_try_too_many_waits_and_keeps_what_was_chosen(
    session: Session, browser: Browser, hospital: Hospital, schedule: Schedule, now: datetime, locale: str
) -> None:
    limit(session, now, "book_tries_per_account", 1)
    mother = browser(hospital.mother, locale)
    assert try_to_book(mother, schedule, hospital).status_code == 303
    answer = try_to_book(mother, schedule, hospital, hospital.sibling)
    assert answer.status_code == 429
    assert f'name="schedule" value="{schedule.id}"' in answer.text
    assert f'name="patient" value="{hospital.sibling.id}"' in answer.text
    assert 'data-wait="' in answer.text
    assert 'action="/visits"' in answer.text
    assert ("Please wait a little" if locale == "en" else "请稍候") in words(answer)
    assert try_to_book(browser(hospital.stranger), schedule, hospital).status_code == 404, "others go on"
    waited = session.scalars(select(AuditEvent).where(AuditEvent.outcome == "short-wait")).one()
    assert (waited.account_id, waited.detail["rule"]) == (hospital.mother.id, "tries-of-account")


def test_a_second_tap_leads_to_the_visit_however_many_tries_came_before_it(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    """Also when one more booking would have to wait by another rule."""
    limit(session, now, "book_tries_per_account", 1)
    limit(session, now, "slow_children", 1)
    visit = try_to_book(mother, schedule, hospital).location
    for _ in range(3):
        again = try_to_book(mother, schedule, hospital)
        assert (again.status_code, again.location) == (303, f"{visit}?note=already")
    assert try_to_book(mother, schedule, hospital, hospital.sibling).status_code == 429, "a number more has to wait"
    outcomes = session.scalars(select(AuditEvent.outcome).where(AuditEvent.action == "book").order_by(AuditEvent.id))
    assert list(outcomes) == ["done", *["already-holding"] * 3, "short-wait"]


def test_a_public_address_is_counted_and_a_proxys_is_not(
    session: Session, app: Flask, browser: Browser, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    limit(session, now, "book_tries_per_address", 1)
    session.execute(update(Consent).values(decision="deny"))  # so that nobody holds a number: led to the consents
    session.commit()
    for address, status in (("10.0.0.1", 303), ("10.0.0.1", 303), ("1.2.3.4", 303), ("1.2.3.4", 429)):
        client = browser(hospital.mother, "en")
        client.environ_base["REMOTE_ADDR"] = address
        assert try_to_book(client, schedule, hospital).status_code == status, address


def test_behind_a_proxy_of_ours_the_parents_address_counts(
    app: Flask, settings: Settings, hospital: Hospital, schedule: Schedule, redis_url: str
) -> None:
    behind = create_app(settings.model_copy(update={"trusted_proxies": 1})).test_client()
    for client in (app.test_client(), behind):
        sign_in(client, hospital.mother)
        client.environ_base["HTTP_X_FORWARDED_FOR"] = "6.6.6.6, 1.2.3.4"
        try_to_book(client, schedule, hospital)
    kept = [key for key in Redis.from_url(redis_url, decode_responses=True).scan_iter("tries:address:*")]
    assert kept == ["tries:address:1.2.3.4"], "only what our own proxy says, and only where one stands"


def test_without_redis_the_database_counts(
    session: Session, app: Flask, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    app.extensions[EXTENSION] = Counter(Redis(host="127.0.0.1", port=9, socket_connect_timeout=0.1))
    limit(session, now, "book_tries_per_account", 1)
    assert try_to_book(mother, schedule, hospital).status_code == 303
    assert try_to_book(mother, schedule, hospital, hospital.sibling).status_code == 429


def test_the_counter_forgets_after_its_minute(redis_url: str) -> None:
    store, who = connect(redis_url), uuid4()
    counter = Counter(store)
    assert [one and one.account for one in counter.count([(who, "1.2.3.4")] * 3)] == [1, 2, 3]
    assert 0 < store.ttl(f"tries:account:{who}") <= 60
    both = counter.count([(uuid4(), "1.2.3.4"), (who, None), (uuid4(), "10.0.0.1")])
    assert [one and (one.account, one.address) for one in both] == [(1, 4), (4, 0), (1, 0)]
    assert counter.count([]) == []


def test_changing_is_slowed_down_too(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    limit(session, now, "book_tries_per_account", 1)
    visit = try_to_book(mother, schedule, hospital).location
    answer = send(mother, "/help", f"{visit}/change", schedule=uuid4())
    assert answer.status_code == 429
    assert f'action="{visit}/change"' in answer.text


def test_a_suspended_family_learns_why_and_appeals(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    assert "Nothing is closed" in words(mother.get("/suspensions"))
    misses(session, hospital, now, 3)
    session.commit()
    refused = try_to_book(mother, schedule, hospital)
    assert refused.status_code == 409
    assert "2027" in words(refused), "until when"
    assert 'href="/suspensions"' in refused.text
    assert 'href="/suspensions"' in mother.get("/visits").text
    page = mother.get("/suspensions")
    assert "3 visits were missed" in words(page)
    assert words(page).count("Internal Medicine") == 6, "child's and account's, three each"
    path = page.text.split('action="/suspensions/')[1].split('"')[0]
    bad = send(mother, "/suspensions", f"/suspensions/{path}", text=" x ")
    assert bad.status_code == 422
    assert " x </textarea>" in bad.text, "kept as typed"
    assert "a few words" in words(bad)
    done = send(mother, "/suspensions", f"/suspensions/{path}", text="The train stood still.")
    assert done.status_code == 303
    assert "The train stood still." in words(mother.get("/suspensions"))
    again = send(mother, "/suspensions", f"/suspensions/{path}", text="The train stood still.")
    assert again.status_code == 409


def test_a_suspension_is_not_shown_to_strangers(
    session: Session, browser: Browser, hospital: Hospital, now: datetime
) -> None:
    misses(session, hospital, now, 3)
    session.commit()
    stranger = browser(hospital.stranger, "en")
    assert "Nothing is closed" in words(stranger.get("/suspensions"))


# Every refusal of booking: what a page does to provoke it, on a booked morning of the child. Each leaves its mark.
Case = Callable[[Session, FlaskClient, Hospital, Schedule, datetime], object]


def _book(client: FlaskClient, schedule: Schedule, hospital: Hospital, child: str = "sibling") -> object:
    return send(client, "/help", "/visits", schedule=schedule.id, patient=getattr(hospital, child).id)


def _visit(session: Session) -> str:
    return f"/visits/{session.scalars(select(Appointment.id)).one()}"


def _all_busy(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    session.execute(update(Slot).values(status=SlotStatus.BUSY))
    session.commit()
    return _book(client, schedule, hospital)


def _too_far(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    limit(session, now, "horizon_last_day", 1)
    return _book(client, schedule, hospital)


def _late(path: str) -> Case:
    def case(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
        limit(session, now, "cancel_until_hours", 1000)
        return send(client, "/help", _visit(session) + path, schedule=uuid4())

    return case


def _over(path: str, status: AppointmentStatus) -> Case:
    def case(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
        session.execute(update(Appointment).values(status=status))
        session.commit()
        return send(client, "/help", _visit(session) + path, schedule=uuid4())

    return case


def _suspended(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    misses(session, hospital, now, 3)
    session.commit()
    return _book(client, schedule, hospital)


def _slowed(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    limit(session, now, "book_tries_per_account", 1)
    return _book(client, schedule, hospital)


def _unpayable(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    until = now + timedelta(minutes=9)
    session.execute(update(Appointment).values(status=AppointmentStatus.PENDING, hold_until=until))
    session.commit()
    return send(client, "/help", _visit(session) + "/checkout")


def _marks(mark: str) -> Case:
    def case(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
        sign_in(client, session.get_one(Account, hospital.doctor.account_id))
        return send(client, "/help", f"/desk{_visit(session)}/mark", mark=mark)

    return case


def _appeal(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> str:
    misses(session, hospital, now, 3)
    session.commit()
    path = "/suspensions/" + client.get("/suspensions").text.split('action="/suspensions/')[1].split('"')[0]
    send(client, "/help", path, text="please")
    return path


def _twice(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    return send(client, "/help", _appeal(session, client, hospital, schedule, now), text="please")


def _decided(session: Session, client: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime) -> object:
    path = _appeal(session, client, hospital, schedule, now).removesuffix("/appeal")
    person = account(session, "o-admin", now)
    member(session, "A001", person, Role.ADMINISTRATOR)
    session.commit()
    sign_in(client, person)
    send(client, "/help", f"/desk{path}", answer="no", decision="uphold")
    return send(client, "/help", f"/desk{path}", answer="yes", decision="lift")


CASES: dict[str, Case] = {
    "SoldOut": _all_busy,
    "NotOpen": _too_far,
    "AlreadyHolding": lambda session, client, hospital, schedule, now: _book(client, schedule, hospital, "child"),
    "TooLateToCancel": _late("/cancel"),
    "NotCancellable": _over("/cancel", AppointmentStatus.FULFILLED),
    "TooLateToChange": _late("/change"),
    "NotChangeable": _over("/change", AppointmentStatus.FULFILLED),
    "SamePeriod": lambda session, client, hospital, schedule, now: send(
        client, "/help", _visit(session) + "/change", schedule=schedule.id
    ),
    "Suspended": _suspended,
    "ShortWait": _slowed,
    "NotMarkable": _marks("came"),
    "MarkFinal": _marks("undo"),
    "NotAppealable": _twice,
    "AlreadyDecided": _decided,
    "NoPayment": _unpayable,
}


def refusals() -> list[str]:
    found = vars(booking.refusals).values()
    return [
        kind.__name__ for kind in found if isinstance(kind, type) and issubclass(kind, Refused) and kind is not Refused
    ]


# Audited by the same guard, and provoked where the test beside their rule does it; the staff's forms are no booking.
# A base; what stops the questions, before anything could be asked for; and an answer to a question, not a refusal.
NEVER_RAISED = ("LimitReached", "NothingFree", "ScreenUnavailable")
ELSEWHERE = {
    "tests/booking/test_eligibility.py": {
        "DepartmentVisitNeeded",
        "MonthFull",
        "QuarterFull",
        "ScreenNeeded",
        "TooOld",
        "TooYoung",
        "VisitNeeded",
        "VisitTooOld",
        "VisitsUnknown",
        "WeekFull",
    },
    "tests/booking/test_waiting.py": {"ListClosed", "NumberFree", "OfferOver", "TooManyWaits"},
    "tests/booking/test_pools.py": {"NotDeclared", "NotInvited"},
    "tests/booking/test_together.py": {"TooFewTogether"},
    "tests/booking/test_stopping.py": {"BadSpan", "NotStoppable"},
    "tests/booking/test_standing_in.py": {"BadDelay", "DoctorNotFree", "PeriodOver"},
}


def test_no_refusal_of_booking_is_forgotten() -> None:
    elsewhere = [name for names in ELSEWHERE.values() for name in names]
    assert sorted([*CASES, *elsewhere, *NEVER_RAISED]) == sorted(refusals())
    for path, names in ELSEWHERE.items():
        text = (ROOT / path).read_text("utf-8")
        assert [name for name in names if name not in text] == [], path


@pytest.mark.parametrize("name", list(CASES))
def test_every_refusal_is_audited(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime, name: str
) -> None:
    assert try_to_book(mother, schedule, hospital).status_code == 303
    session.expire_all()
    code = getattr(booking.refusals, name).code
    session.execute(delete(AuditEvent))
    session.commit()
    CASES[name](session, mother, hospital, schedule, now)
    (event,) = session.scalars(select(AuditEvent).where(AuditEvent.outcome != "done")).all()
    assert event.outcome == code
    assert event.account_id
    assert event.entity_id
    kept = str(event.detail)
    assert not any(name in kept for name in ("王", "please"))


@pytest.mark.parametrize("who", ["mother", "doctor", "administrator"])
def test_no_route_moves_a_number_to_another_child(
    session: Session, app: Flask, browser: Browser, hospital: Hospital, schedule: Schedule, now: datetime, who: str
) -> None:
    """Every POST route, with the booked visit in its path and another child and period in its form."""
    mother = browser(hospital.mother, "en")
    visit = try_to_book(mother, schedule, hospital).location.split("/")[-1]
    session.expire_all()
    people = {"mother": hospital.mother, "doctor": session.get_one(Account, hospital.doctor.account_id)}
    if who == "administrator":
        people[who] = account(session, "o-admin", now)
        member(session, "A001", people[who], *(role for role in Role if role not in ("team-lead", "department-head")))
        session.commit()
    app.config["WTF_CSRF_ENABLED"] = False
    client, other = browser(people[who], "en"), hospital.sibling.id
    tried = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or "verb" in rule.arguments or rule.endpoint == "desk_signin.leave":
            continue
        values = {name: 1 if isinstance(rule._converters[name], NumberConverter) else visit for name in rule.arguments}
        path = app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
        names = ("patient", "patient_id", "child", "child_id")
        form = dict.fromkeys(names, str(other)) | {"schedule": str(schedule.id), "account": str(uuid4())}
        client.post(path, data=form)
        tried += 1
        sign_in(client, people[who])
    assert tried > 20
    session.expire_all()
    held = session.get_one(Appointment, visit)
    assert held.patient_id == hospital.child.id
    assert session.scalar(select(func.count()).where(Appointment.patient_id == other, Appointment.id == visit)) == 0
