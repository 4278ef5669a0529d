"""A clinic whose WeChat gives scene codes, and browsers of its staff at a fixed moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from threading import Thread

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy.orm import Session
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from people.models import Account, Practitioner, Role
from tests.product import PHONE, Hospital, account, member, sign_in
from wechat.scenes import Scenes

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def scenes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scenes for which codes were asked of WeChat, which gives one each time."""
    asked: list[str] = []

    def create(_: Scenes, scene: str, seconds: int) -> str:
        asked.append(scene)
        return f"http://weixin.example/q/{len(asked)}"

    monkeypatch.setattr(Scenes, "create", create)
    return asked


@pytest.fixture
def admin(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    """The clinic's administrator."""
    made = member(session, "A001", account(session, "o-admin", now), Role.ADMINISTRATOR)
    session.commit()
    return made


Browse = Callable[..., FlaskClient]


@pytest.fixture
def browse(app: Flask, session: Session) -> Browse:
    """Makes browsers: a phone in WeChat, signed in as somebody; ``agent`` makes it another browser."""

    def make(who: Practitioner | Account | None = None, agent: str = PHONE, locale: str = "en") -> FlaskClient:
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        with client.session_transaction() as kept:
            kept["locale"] = locale
        if who:
            sign_in(client, who if isinstance(who, Account) else session.get_one(Account, who.account_id))
        return client

    return make


def post(client: FlaskClient, path: str, on: str = "/help", **fields: object) -> TestResponse:
    """Send a form of ours."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(on).text)
    assert found
    return client.post(path, data={"csrf_token": found[1], **fields})


@pytest.fixture
def origin(app: Flask) -> Iterator[str]:
    """The application behind a server of one thread: the test's database is one connection."""
    server = make_server("127.0.0.1", 0, app)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(browser: Browser, browse: Browse, hospital: Hospital, origin: str) -> Iterator[BrowserContext]:
    """The doctor's browser, signed in."""
    client = browse(hospital.doctor, agent=CHROME, locale="zh_CN")
    cookie = client.get_cookie("clinic")
    assert cookie
    opened = browser.new_context(base_url=origin, viewport={"width": 1280, "height": 800}, locale="zh-CN")
    opened.add_cookies([{"name": "clinic", "value": cookie.value, "url": origin}])
    yield opened
    opened.close()
