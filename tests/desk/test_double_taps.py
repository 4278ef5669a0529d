"""A form sent twice at the same moment, both read before either writes: it is done once, and nobody sees a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Barrier, BrokenBarrierError, local

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

import config.database
from app import create_app
from config.settings import Settings
from consultation.record.models import Phrase
from people.models import Account, Role
from prescriptions.after.models import AdverseEvent
from prescriptions.formulary import actions as formulary
from prescriptions.orders.models import Address
from prescriptions.stock.models import StockMove
from tests.menus.test_ordering import GOOD as ADDRESS
from tests.prescriptions.made import signed
from tests.prescriptions.pharmacy import medication
from tests.product import PHONE, Hospital, account, member, seed, sign_in

WRITES = ("INSERT", "UPDATE", "DELETE")
taps = local()


@pytest.fixture
def app(committed: sessionmaker[Session], settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, committing for good."""
    redis.flushdb()
    monkeypatch.setattr(config.database, "connect", lambda _url: committed.kw["bind"])
    made = create_app(settings)
    made.testing, made.config["PROPAGATE_EXCEPTIONS"] = True, False
    return made


@pytest.fixture
def hospital(app: Flask, committed: sessionmaker[Session], now: datetime) -> Hospital:
    with committed.begin() as session:
        made = seed(session, now)
        formulary.load(session, now)
    return made


@contextmanager
def together(both: Barrier) -> Iterator[None]:
    """Inside of it a thread that has ``taps.armed`` waits before its first write until the other has come as far, or
    can't: it waits for a lock."""

    def wait(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if getattr(taps, "armed", False) and statement.lstrip().upper().startswith(WRITES):
            taps.armed = False
            with suppress(BrokenBarrierError):
                both.wait(0.5)

    event.listen(Engine, "before_cursor_execute", wait)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", wait)


def token(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def twice(client: FlaskClient, path: str, on: str, **fields: object) -> list[int]:
    """The form of the page ``on``, sent twice at once. Returns the statuses, the better one first."""
    data = {"csrf_token": token(client.get(on)), **fields}
    cookie = client.get_cookie("clinic")
    assert cookie
    headers = {"User-Agent": PHONE, "Cookie": f"clinic={cookie.value}"}

    def tap(_: int) -> int:
        taps.armed = True
        return client.application.test_client(use_cookies=False).post(path, data=data, headers=headers).status_code

    with together(Barrier(2)), ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(tap, range(2)))


def count(committed: sessionmaker[Session], table: type) -> int:
    with committed() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def browser(app: Flask, who: Account) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    sign_in(client, who)
    return client


def test_packages_come_once(app: Flask, committed: sessionmaker[Session], hospital: Hospital, now: datetime) -> None:
    with committed.begin() as session:
        keeper = account(session, "o-keeper", now)
        member(session, "P001", keeper, Role.PHARMACIST)
        path = f"/desk/stock/{medication(session)}"
    client = browser(app, keeper)
    key = re.search(r'name="key" value="([0-9a-f-]+)"', client.get(path).text)
    assert key
    until = (now + timedelta(days=400)).date().isoformat()
    form = {"key": key[1], "number": "A1", "expires_on": until, "quantity": "20"}
    assert twice(client, f"{path}/receive", path, **form) == [303, 303]
    assert count(committed, StockMove) == 1


def test_a_reaction_is_reported_once(
    app: Flask, committed: sessionmaker[Session], hospital: Hospital, now: datetime
) -> None:
    with committed() as session:
        prescription = signed(session, hospital, now).id
        session.commit()
    path = f"/prescriptions/{prescription}/reaction"
    form = {"signs": "rash", "line": "", "began": f"{now:%Y-%m-%dT08:00}", "text": "脸上红点"}
    assert twice(browser(app, hospital.mother), path, path, **form) == [303, 303]
    assert count(committed, AdverseEvent) == 1


def test_an_address_is_kept_once(app: Flask, committed: sessionmaker[Session], hospital: Hospital) -> None:
    client = browser(app, hospital.mother)
    assert twice(client, "/addresses/new", "/addresses/new", **ADDRESS) == [303, 303]
    assert count(committed, Address) == 1


def test_what_only_the_database_can_tell_apart_is_said(
    app: Flask, committed: sessionmaker[Session], hospital: Hospital
) -> None:
    """No lock stands before a doctor's own phrases: one of two is told to look again."""
    with committed() as session:
        client = browser(app, session.get_one(Account, hospital.doctor.account_id))
    form = {"field": "advice", "code": "zz", "text": "多喝水。"}
    assert twice(client, "/desk/phrases", "/desk/phrases", **form) == [303, 409]
    assert count(committed, Phrase) == 1
