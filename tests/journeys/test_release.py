"""The release in a real browser: counted down by the clinic's clock, and the page opens by itself, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from app import create_app
from config import clock, database
from config.settings import Settings
from tests.product import seed

pytestmark = [pytest.mark.browser, pytest.mark.processes]
RELEASE = time(7)


@pytest.fixture
def origin(committed: sessionmaker[Session], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A small hospital served nine minutes before the release, on connections that are closed with the test."""
    monkeypatch.setattr(database, "connect", lambda _url: committed.kw["bind"])
    app = create_app(settings)
    opens = clock.at(clock.today(clock.now()), RELEASE)
    clock_is(opens - timedelta(minutes=9))
    with committed.begin() as session:
        seed(session, clock.now())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    clock.shift("")


def clock_is(moment: datetime) -> None:
    """From now on the clinic's clock goes on from that moment."""
    seconds = int((moment - clock.real_now()).total_seconds())
    clock.shift(f"{'-' if seconds < 0 else '+'}{abs(seconds)}s")


def test_the_page_opens_by_itself(browser: Browser, origin: str) -> None:
    page = browser.new_page(locale="en-GB")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)
    page.clock.install(time=datetime(2031, 1, 1, 3))  # noqa: DTZ001 - the phone's clock is wrong
    page.goto(f"{origin}/internet-diagnosis/internal-medicine")
    left = page.locator("[data-opens]")
    expect(left).to_have_text(re.compile(r"^[1-8]:\d\d$"))
    last = page.locator(".days tbody tr").last
    expect(last.locator("a")).to_have_count(0)
    clock_is(clock.at(clock.today(clock.now()), RELEASE) + timedelta(seconds=2))
    page.clock.fast_forward(541_000)  # the countdown ends
    page.clock.fast_forward(2_000)  # the phone's own moment after it
    expect(left).to_have_count(0)
    expect(last.locator("a")).to_have_count(2)
    page.clock.fast_forward(60_000)
    assert len(asked) == 2
    page.close()
