"""Sold out, said in front of Flask: the same page, for those alone to whom it would be said anyway."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Thread
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from booking import actions
from booking.gone import GONE
from booking.models import Schedule, Slot, SlotStatus
from config.policy import Policy
from menus import limits, refusals_later
from menus.refusals_later import Refusal, RefusalsLater
from menus.soldout import Door
from people.models import AuditEvent
from tests.menus.conftest import Browser, token, words
from tests.menus.fronts import behind, front
from tests.product import Hospital


@pytest.fixture(autouse=True)
def remembering(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """The memory as in life, but long, empty, and with nobody who writes by himself."""
    Redis.from_url(redis_url).flushdb()
    monkeypatch.setattr(GONE, "seconds", 3600.0)
    monkeypatch.setattr(GONE, "_known", {})
    monkeypatch.setattr(refusals_later, "Thread", lambda **_: refusals_later)
    monkeypatch.setattr(refusals_later, "start", lambda: None, raising=False)


@pytest.fixture
def door(app: Flask) -> Door:
    """What stands in front of Flask."""
    return front(app, Door)


def taken(session: Session, schedule: Schedule) -> None:
    """Somebody has every number of the period."""
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id).values(status=SlotStatus.BUSY))
    session.commit()


@pytest.fixture
def sold_out(session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule) -> dict[str, object]:
    """The mother was told that the period is sold out: the page is kept. What a form of hers says."""
    taken(session, schedule)
    form = {"schedule": schedule.id, "patient": hospital.child.id, "csrf_token": token(mother.get("/help"))}
    assert mother.post("/visits", data=form).status_code == 409
    return form


def test_the_same_page_comes_without_flask(
    door: Door, mother: FlaskClient, sold_out: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    GONE.forget(UUID(str(sold_out["schedule"])))
    whole = mother.post("/visits", data=sold_out)
    seen = behind(door, monkeypatch)
    quick = mother.post("/visits", data=sold_out)
    assert seen == []
    assert quick.status_code == 409
    assert quick.data == whole.data
    assert "Join the waiting list" in words(quick)
    own = {"X-Request-ID", "Vary"}
    assert {k: v for k, v in quick.headers if k not in own} == {k: v for k, v in whole.headers if k not in own}
    assert quick.headers["X-Request-ID"] != whole.headers["X-Request-ID"]


def test_nothing_of_a_visitor_is_in_it(mother: FlaskClient, sold_out: dict[str, object]) -> None:
    page = mother.post("/visits", data=sold_out)
    assert str(sold_out["csrf_token"]) not in page.text
    assert "csrf_token" not in page.text
    assert "nonce" not in page.text
    assert "nonce" not in page.headers["Content-Security-Policy"]
    assert str(sold_out["patient"]) not in page.text
    assert "Set-Cookie" not in page.headers


def test_it_speaks_each_visitors_language(
    browser: Browser, hospital: Hospital, sold_out: dict[str, object], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    father = browser(hospital.stranger, "zh_CN")
    form = sold_out | {"patient": hospital.other_child.id, "csrf_token": token(father.get("/help"))}
    seen = behind(door, monkeypatch)
    father.post("/visits", data=form)
    assert seen == ["/visits"], "nobody was told in Chinese so far"
    answer = father.post("/visits", data=form)
    assert seen == ["/visits"]
    assert "这个医生本时段的号已约满" in words(answer) or "约满" in words(answer)


def test_a_freed_number_is_seen_once_the_memory_is_over(
    session: Session, mother: FlaskClient, schedule: Schedule, sold_out: dict[str, object]
) -> None:
    """The negative twin: as long as it remembers, the number is hidden."""
    session.execute(update(Slot).where(Slot.schedule_id == schedule.id, Slot.number == 1).values(status="free"))
    session.commit()
    assert mother.post("/visits", data=sold_out).status_code == 409
    GONE.seconds = 1e-9
    assert mother.post("/visits", data=sold_out).status_code == 303


def test_a_second_tap_of_who_has_a_number_leads_to_the_visit(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    held = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    taken(session, schedule)
    proof = token(mother.get("/help"))
    for child, status in ((hospital.sibling, 409), (hospital.sibling, 409), (hospital.child, 303)):
        form = {"schedule": schedule.id, "patient": child.id, "csrf_token": proof}
        answer = mother.post("/visits", data=form)
        assert answer.status_code == status
    assert answer.headers["Location"] == f"/visits/{held.id}?note=already"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"pool": "followup"}, 409),
        ({"patient": ""}, 409),
        ({"schedule": "x"}, 303),
        ({"more": "x" * 3000}, 409),
    ],
)
def test_what_is_odd_goes_on_to_flask(
    door: Door,
    mother: FlaskClient,
    sold_out: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    status: int,
) -> None:
    seen = behind(door, monkeypatch)
    assert mother.post("/visits", data=sold_out | change).status_code == status
    assert seen == ["/visits"]


def test_a_script_gets_json(mother: FlaskClient, sold_out: dict[str, object]) -> None:
    answer = mother.post("/visits", data=sold_out, headers={"Accept": "application/json"})
    assert answer.json
    assert answer.json["code"] == "sold-out"


def test_a_browser_without_our_session_goes_on_to_flask(
    door: Door, client: FlaskClient, sold_out: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = behind(door, monkeypatch)
    client.post("/visits", data=sold_out)
    for broken in ("eyJzaWduX2luIjoiMSJ9.forged.forged", ".eyJzaWduX2luIjoiMSJ9.x.x", "e.x.x", ".bm9uZQ.x.x"):
        client.set_cookie("clinic", broken)
        client.post("/visits", data=sold_out)
    assert seen == ["/visits"] * 5


def test_a_sign_in_that_nobody_has_leaves_no_record(
    door: Door, session: Session, client: FlaskClient, mother: FlaskClient, sold_out: dict[str, object]
) -> None:
    before = records(session)
    with client.session_transaction() as kept:
        kept["sign_in"], kept["locale"] = str(UUID(int=7)), "en"
    assert client.post("/visits", data=sold_out).status_code == 409
    assert door.later.write()
    assert records(session) == before


def records(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEvent)) or 0


def test_refusals_are_recorded_and_tries_counted_together(
    door: Door,
    session: Session,
    mother: FlaskClient,
    hospital: Hospital,
    sold_out: dict[str, object],
    now: datetime,
    redis_url: str,
) -> None:
    before = records(session)
    for _ in range(3):
        mother.post("/visits", data=sold_out)
    assert records(session) == before
    door.later.write()
    events = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(4)).all()
    assert {(e.account_id, e.action, e.outcome, e.entity, e.entity_id, e.at, e.detail["patient"]) for e in events} == {
        (hospital.mother.id, "book", "sold-out", "schedule", sold_out["schedule"], now, str(hospital.child.id))
    }, "the first, which Flask answered, has the same"
    assert Redis.from_url(redis_url).get(f"tries:account:{hospital.mother.id}") == b"4"
    door.later.write()
    assert records(session) == before + 3


def test_refusals_wait_for_a_database_that_is_away(
    door: Door, session: Session, mother: FlaskClient, sold_out: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records(session)
    mother.post("/visits", data=sold_out)
    with monkeypatch.context() as patched:

        def away() -> None:
            raise OperationalError("select 1", None, Exception("away"))

        patched.setattr(refusals_later, "looking", away)
        assert not door.later.write()
    assert door.later.write()
    assert records(session) == before + 1


def test_the_writer_writes_what_waits_and_ends(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    monkeypatch.setattr(refusals_later, "Thread", Thread)
    monkeypatch.setattr(refusals_later, "PAUSE", 0.0)
    written = Event()
    later = RefusalsLater(app.extensions[limits.EXTENSION])

    def write() -> bool:
        later._waiting.clear()
        written.set()
        return True

    monkeypatch.setattr(later, "write", write)
    for _ in range(2):  # the second time by a new thread
        written.clear()
        later.add(Refusal(UUID(int=1), UUID(int=2), UUID(int=3), datetime(2026, 11, 25, tzinfo=UTC)))
        writer = later._writer
        assert written.wait(60)
        if writer is not None:
            writer.join(10)
        assert later._writer is None
